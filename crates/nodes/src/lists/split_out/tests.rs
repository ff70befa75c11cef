//! Split Out, by tables.

use crate::testing::{links, trial};

const ITEMS: &str = r#"[{"id": 7, "list": [{"a": 1}, {"a": 2}], "tags": ["x"], "deep": {"er": [1, 2]}}, {"id": 8}]"#;

#[test]
fn splits_lists() {
    let table = [
        (r#"{"fieldToSplitOut": "list"}"#, r#"[{"a":1},{"a":2}]"#),
        (r#"{"fieldToSplitOut": "tags"}"#, r#"[{"tags":"x"}]"#),
        (r#"{"fieldToSplitOut": "$json.deep.er"}"#, r#"[{"deep.er":1},{"deep.er":2}]"#),
        (r#"{"fieldToSplitOut": "deep.er", "options": {"disableDotNotation": true}}"#, "[]"),
        (r#"{"fieldToSplitOut": "id"}"#, r#"[{"id":7},{"id":8}]"#),
        (r#"{"fieldToSplitOut": "list, tags"}"#, r#"[{"list":{"a":1},"tags":"x"},{"list":{"a":2}}]"#),
        (
            r#"{"fieldToSplitOut": "list", "options": {"destinationFieldName": "one"}}"#,
            r#"[{"one":{"a":1}},{"one":{"a":2}}]"#,
        ),
        (
            r#"{"fieldToSplitOut": "tags", "include": "allOtherFields"}"#,
            r#"[{"id":7,"list":[{"a":1},{"a":2}],"deep":{"er":[1,2]},"tags":"x"}]"#,
        ),
        (
            r#"{"fieldToSplitOut": "list", "include": "selectedOtherFields", "fieldsToInclude": "id"}"#,
            r#"[{"list":{"a":1},"id":7},{"list":{"a":2},"id":7}]"#,
        ),
    ];
    for (parameters, expected) in table {
        assert_eq!(trial("splitOut").parameters(parameters).input(ITEMS).gives(), expected, "{parameters}");
    }
}

#[test]
fn links_each_part_to_its_item() {
    let trial = trial("splitOut").parameters(r#"{"fieldToSplitOut": "l"}"#).input(r#"[{"l": [1, 2]}, {"l": [3]}]"#);
    assert_eq!(links(&trial.output(), 0), [[0], [0], [1]]);
}

#[test]
fn says_what_is_wrong() {
    let table = [
        (
            r#"{"fieldToSplitOut": "list,tags", "options": {"destinationFieldName": "one"}}"#,
            "If multiple fields to split out are given, the same number of destination fields must be given",
        ),
        (r#"{"fieldToSplitOut": "list", "include": "selectedOtherFields"}"#, "No fields specified"),
    ];
    for (parameters, message) in table {
        assert_eq!(trial("splitOut").parameters(parameters).input(ITEMS).fails().message, message);
    }
}
