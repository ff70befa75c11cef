//! Remove Duplicates, by tables.

use crate::testing::{links, shown, trial};

const ITEMS: &str =
    r#"[{"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, {"a": 1, "b": {"c": 2}}, {"a": 4, "b": {"c": 2}}]"#;

#[test]
fn removes_within_the_input() {
    let table = [
        (r#"{}"#, vec![0, 1, 3]),
        (r#"{"compare": "selectedFields", "fieldsToCompare": "a"}"#, vec![0, 3]),
        (r#"{"compare": "selectedFields", "fieldsToCompare": ["b.c"]}"#, vec![0, 1]),
        (r#"{"compare": "allFieldsExcept", "fieldsToExclude": "a"}"#, vec![0, 1]),
    ];
    for (parameters, expected) in table {
        for version in [1.0, 1.1, 2.0] {
            let output = trial("removeDuplicates").version(version).parameters(parameters).input(ITEMS).output();
            assert_eq!(links(&output, 0).concat(), expected, "{parameters}");
        }
    }
}

#[test]
fn keeps_only_compared_fields_when_asked() {
    let parameters =
        r#"{"compare": "selectedFields", "fieldsToCompare": "b.c", "options": {"removeOtherFields": true}}"#;
    let output = trial("removeDuplicates").parameters(parameters).input(ITEMS).output();
    assert_eq!(shown(&output, 0), r#"[{"b":{"c":2}},{"b":{"c":3}}]"#);
    assert_eq!(links(&output, 0), [[0], [1]]);
}

#[test]
fn says_what_is_wrong() {
    let selected = r#"{"compare": "selectedFields", "fieldsToCompare": "a"}"#;
    let table = [
        (selected, r#"[{"a": 1}, {"b": 1}]"#, "'a' field is missing from some input items"),
        (selected, r#"[{"a": 1}, {"a": "1"}]"#, "'a' isn't always the same type"),
        (r#"{"compare": "selectedFields"}"#, "[{}]", "No fields specified. Please add a field to compare on"),
        (
            r#"{"compare": "allFieldsExcept"}"#,
            "[{}]",
            "No fields specified. Please add a field to exclude from comparison",
        ),
    ];
    for (parameters, items, message) in table {
        assert_eq!(trial("removeDuplicates").parameters(parameters).input(items).fails().message, message);
    }
}

#[test]
fn remembers_values_across_executions() {
    let seen = r#"{"operation": "removeItemsSeenInPreviousExecutions", "dedupeValue": "={{ $json.id }}"}"#;
    let mut trial = trial("removeDuplicates").parameters(seen).input(r#"[{"id": 1}, {"id": 2}, {"id": 1}]"#);
    assert_eq!(shown(&trial.output(), 0), r#"[{"id":1},{"id":2},{"id":1}]"#);
    trial = trial.input(r#"[{"id": 2}, {"id": 3}]"#);
    let output = trial.output();
    assert_eq!((shown(&output, 0).as_str(), shown(&output, 1).as_str()), (r#"[{"id":3}]"#, r#"[{"id":2}]"#));
    trial = trial.parameters(r#"{"operation": "clearDeduplicationHistory"}"#);
    assert_eq!(trial.gives(), r#"[{"id":2},{"id":3}]"#);
    trial = trial.parameters(seen);
    assert_eq!(trial.gives(), r#"[{"id":2},{"id":3}]"#);
}

#[test]
fn remembers_the_highest_number_or_date() {
    let growing = r#"{"operation": "removeItemsSeenInPreviousExecutions", "logic": "removeItemsUpToStoredIncrementalKey",
        "incrementalDedupeValue": "={{ $json.id }}"}"#;
    let mut trial = trial("removeDuplicates").parameters(growing).input(r#"[{"id": 5}, {"id": 3}]"#);
    assert_eq!(trial.gives(), r#"[{"id":5},{"id":3}]"#);
    trial = trial.input(r#"[{"id": 4}, {"id": 6}]"#);
    assert_eq!(trial.gives(), r#"[{"id":6}]"#);
    trial = trial.input(r#"[{"id": "x"}]"#);
    assert_eq!(trial.fails().message, "The value 'x' is not a number. Please provide a number.");
    trial = trial.input(r#"[{"id": null}]"#);
    assert_eq!(trial.fails().message, "The `Value to Dedupe` On is empty. Please provide a value.");
    let dated = r#"{"operation": "removeItemsSeenInPreviousExecutions", "logic": "removeItemsUpToStoredDate",
        "dateDedupeValue": "={{ $json.at }}"}"#;
    let trial = crate::testing::trial("removeDuplicates").parameters(dated).input(r#"[{"at": "2024-01-02"}]"#);
    assert_eq!(trial.gives(), r#"[{"at":"2024-01-02"}]"#);
    let trial = trial.input(r#"[{"at": "2024-01-01T23:00:00"}, {"at": "2024-01-03"}]"#);
    assert_eq!(trial.gives(), r#"[{"at":"2024-01-03"}]"#);
}
