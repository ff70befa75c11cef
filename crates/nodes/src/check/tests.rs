//! Lines of checks, by tables.

use super::evaluate_line;

#[test]
fn answers_each_kind() {
    let cases = [
        (
            r#"{"id": "1", "kind": "typeValidation", "fieldName": "f", "value": "7", "type": "number"}"#,
            r#"{"id":"1","result":{"valid":true,"newValue":7}}"#,
        ),
        (
            r#"{"id": 2, "kind": "typeValidation", "fieldName": "f", "value": {"$type": "undefined"}, "type": "number"}"#,
            r#"{"id":2,"result":{"valid":true}}"#,
        ),
        (
            r#"{"id": "3", "kind": "typeValidation", "fieldName": "f", "value": "2024-01-02T03:04:05Z", "type": "dateTime"}"#,
            r#"{"id":"3","result":{"valid":true,"newValue":{"$type":"DateTime","iso":"2024-01-02T03:04:05.000Z","zone":"UTC","valid":true}}}"#,
        ),
        (
            r#"{"id": "4", "kind": "filter", "filter": {"combinator": "and", "conditions": [
                {"leftValue": {"$type": "number", "value": "NaN"}, "operator": {"type": "number", "operation": "exists"}}]}}"#,
            r#"{"id":"4","result":false}"#,
        ),
        (
            r#"{"id": "5", "kind": "filter", "filter": {"combinator": "and", "options": {"typeValidation": "strict"},
                "conditions": [{"leftValue": 1, "operator": {"type": "string", "operation": "empty"}}]}}"#,
            r#"{"id":"5","error":{"message":"Wrong type: '1' is a number but was expecting a string [condition 0, item 0]"}}"#,
        ),
        (
            r#"{"id": "6", "kind": "nodeParameters", "fn": "getNodeParameters", "args": {"nodeValues": {}, "returnDefaults": true,
                "properties": [{"name": "a", "type": "number", "default": 1}]}}"#,
            r#"{"id":"6","result":{"a":1}}"#,
        ),
        (
            r#"{"id": "7", "kind": "nodeParameters", "fn": "displayParameter", "args": {"nodeValues": {"a": 1},
                "parameter": {"name": "b", "displayOptions": {"show": {"a": [2]}}}}}"#,
            r#"{"id":"7","result":false}"#,
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(evaluate_line(line), expected, "{line}");
    }
}

#[test]
fn answers_nonsense_with_an_error() {
    for line in
        ["", "5", "{", r#"{"id": 1}"#, r#"{"id": 1, "kind": "filter"}"#, r#"{"id": 1, "kind": "nodeParameters"}"#]
    {
        assert!(evaluate_line(line).contains(r#""error":{"message":"#), "{line}");
    }
}
