//! Execute Workflow Trigger, by tables.

use crate::testing::trial;

const ITEMS: &str = r#"[{"a": 1, "b": 2}]"#;

#[test]
fn lets_declared_fields_through() {
    let cases = [
        (1.0, "{}", r#"[{"a":1,"b":2}]"#),
        (1.1, r#"{"inputSource": "passthrough"}"#, r#"[{"a":1,"b":2}]"#),
        (
            1.1,
            r#"{"workflowInputs": {"values": [{"name": "b"}, {"name": "c", "type": "number"}]}}"#,
            r#"[{"b":2,"c":null}]"#,
        ),
        (1.1, r#"{"inputSource": "jsonExample", "jsonExample": "{\"a\": 0}"}"#, r#"[{"a":1}]"#),
    ];
    for (version, parameters, expected) in cases {
        let given = trial("executeWorkflowTrigger").version(version).parameters(parameters).input(ITEMS).gives();
        assert_eq!(given, expected, "{parameters}");
    }
}

#[test]
fn refuses_declarations_that_are_none() {
    let cases = [
        (r#"{"inputSource": "jsonExample", "jsonExample": "{"}"#, "Invalid JSON"),
        (r#"{"inputSource": "jsonExample", "jsonExample": "[]"}"#, "The JSON example must be an object"),
        (r#"{"workflowInputs": {"values": [{"name": ""}]}}"#, "A field of the workflow's input has no name"),
        (
            r#"{"workflowInputs": {"values": [{"name": "a"}, {"name": "a"}]}}"#,
            "Two fields of the workflow's input are called \"a\"",
        ),
    ];
    for (parameters, message) in cases {
        assert_eq!(trial("executeWorkflowTrigger").parameters(parameters).fails().message, message, "{parameters}");
    }
}
