//! Stop and Error, by tables.

use crate::testing::trial;

#[test]
fn ends_with_the_error_it_is_given() {
    let cases = [
        (r#"{"errorMessage": "={{ 'no ' + 'more' }}"}"#, "no more", None),
        (
            r#"{"errorType": "errorObject", "errorObject": "{\"message\": \"m\", \"description\": \"d\"}"}"#,
            "m",
            Some("d"),
        ),
        (r#"{"errorType": "errorObject", "errorObject": {"error": "e"}}"#, "e", None),
        (r#"{"errorType": "errorObject", "errorObject": {"code": 5}}"#, r#"Error: {"code":5}"#, None),
        (r#"{"errorType": "errorObject", "errorObject": "{"}"#, "The error object is not valid JSON", None),
    ];
    for (parameters, message, description) in cases {
        let error = trial("stopAndError").parameters(parameters).fails();
        assert_eq!((error.name.as_str(), error.message.as_str()), ("NodeOperationError", message), "{parameters}");
        if description.is_some() {
            assert_eq!(error.description.as_deref(), description, "{parameters}");
        }
    }
}
