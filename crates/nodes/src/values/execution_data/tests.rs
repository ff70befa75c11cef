//! Execution Data, by tables.

use crate::testing::trial;

#[test]
fn hands_items_on() {
    let parameters = r#"{"dataToSave": {"values": [{"key": "id", "value": "={{ $json.n }}"}]}}"#;
    assert_eq!(
        trial("executionData").parameters(parameters).input(r#"[{"n": 1}, {"n": 2}]"#).gives(),
        r#"[{"n":1},{"n":2}]"#
    );
}

#[test]
fn refuses_what_cannot_be_searched() {
    let table = [
        (r#"{"key": "a b", "value": "1"}"#, "Custom data key can only contain characters \"A-Za-z0-9_\" (key \"a b\")"),
        (
            r#"{"key": "a", "value": "={{ null }}"}"#,
            "Custom data values must be a string, number or boolean (key \"a\" is object)",
        ),
    ];
    for (pair, message) in table {
        let parameters = format!(r#"{{"dataToSave": {{"values": [{pair}]}}}}"#);
        assert_eq!(trial("executionData").parameters(&parameters).fails().message, message);
    }
}
