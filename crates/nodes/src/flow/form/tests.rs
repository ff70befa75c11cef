//! Form pages and endings, by tables. A trial has no other node than its own, so what the Form Trigger adds is tried through
//! the API.

use crate::testing::trial;

#[test]
fn needs_a_form_trigger() {
    for parameters in ["{}", r#"{"operation": "completion", "respondWith": "showText", "responseText": "x"}"#] {
        for version in [1.0, 2.3, 2.4, 2.5] {
            let error = trial("form").version(version).parameters(parameters).fails();
            assert_eq!(error.message, "An n8n Form Trigger node must be set up before this node", "{parameters}");
        }
    }
}
