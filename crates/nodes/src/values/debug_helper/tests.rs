//! Debug Helper, by tables.

use crate::testing::{shown, trial};

#[test]
fn fails_on_purpose() {
    let error = trial("debugHelper").fails();
    assert_eq!((error.name.as_str(), error.message.as_str()), ("NodeApiError", "Node has thrown an error"));
    let custom = trial("debugHelper").parameters(r#"{"throwErrorType": "Error", "throwErrorMessage": "no"}"#);
    assert_eq!(custom.fails().name, "Error");
    assert_eq!(custom.goes_on().gives(), r#"[{"error":"no"}]"#);
    assert_eq!(
        trial("debugHelper").parameters(r#"{"category": "doNothing"}"#).input(r#"[{"a": 1}]"#).gives(),
        r#"[{"a":1}]"#
    );
}

#[test]
fn makes_up_data() {
    let table = [
        ("user", r#""uid":""#),
        ("address", r#""zip":""#),
        ("latLong", r#""latitude":"#),
        ("creditCard", r#""ccv":""#),
        ("email", r#""confirmed":"#),
        ("ipv4", r#""ip":""#),
        ("ipv6", r#""ipv6":""#),
        ("macAddress", r#""mac":""#),
        ("nanoid", r#""nanoId":""#),
        ("url", r#""url":"https://"#),
        ("uuid", r#""uuid":""#),
        ("semver", r#""version":""#),
    ];
    for (kind, part) in table {
        let parameters = format!(
            r#"{{"category": "randomData", "randomDataType": "{kind}", "randomDataSeed": "s", "randomDataCount": 3}}"#
        );
        let made = shown(&trial("debugHelper").parameters(&parameters).output(), 0);
        assert_eq!(made.matches(part).count(), 3, "{made}");
        assert_eq!(made, shown(&trial("debugHelper").parameters(&parameters).output(), 0), "same seed, same data");
    }
    let list = trial("debugHelper")
        .parameters(r#"{"category": "randomData", "randomDataSingleArray": true, "randomDataCount": 2}"#);
    assert!(list.gives().starts_with(r#"[{"generatedItems":[{"uid""#));
    let many = trial("debugHelper").parameters(r#"{"category": "randomData", "randomDataCount": 1e9}"#).fails();
    assert_eq!(many.message, "At most 100000 entries can be made at once");
}
