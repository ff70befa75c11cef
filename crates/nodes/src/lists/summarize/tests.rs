//! Summarize, by tables.

use crate::testing::{links, trial};

const ITEMS: &str = r#"[
    {"kind": "a b", "n": 1, "t": "x", "deep": {"v": 10}},
    {"kind": "c", "n": 4, "t": "", "deep": {"v": 20}},
    {"kind": "a b", "n": "9", "t": "x"},
    {"kind": 5, "n": 2, "t": null},
    {"n": 3, "t": "z"}
]"#;

fn parameters(values: &str, split_by: &str, options: &str) -> String {
    let template = r#"{"fieldsToSummarize": {"values": [VALUES]}, "fieldsToSplitBy": "SPLIT", "options": OPTIONS}"#;
    template.replace("VALUES", values).replace("SPLIT", split_by).replace("OPTIONS", options)
}

#[test]
fn aggregates() {
    let table = [
        (r#"{"field": "t"}"#, r#"[{"count_t":3}]"#),
        (r#"{"field": "t", "includeEmpty": true}"#, r#"[{"count_t":5}]"#),
        (r#"{"field": "t", "aggregation": "countUnique"}"#, r#"[{"unique_count_t":2}]"#),
        (r#"{"field": "t", "aggregation": "append"}"#, r#"[{"appended_t":["x","x","z"]}]"#),
        (r#"{"field": "t", "aggregation": "concatenate"}"#, r#"[{"concatenated_t":"x,x,z"}]"#),
        (
            r#"{"field": "t", "aggregation": "concatenate", "separateBy": "other", "customSeparator": "|", "includeEmpty": true}"#,
            r#"[{"concatenated_t":"x||x|null|z"}]"#,
        ),
        (r#"{"field": "n", "aggregation": "sum"}"#, r#"[{"sum_n":10}]"#),
        (r#"{"field": "n", "aggregation": "average"}"#, r#"[{"average_n":2.5}]"#),
        (r#"{"field": "n", "aggregation": "max"}"#, r#"[{"max_n":"9"}]"#),
        (r#"{"field": "n", "aggregation": "min"}"#, r#"[{"min_n":1}]"#),
        (r#"{"field": "deep.v", "aggregation": "sum"}"#, r#"[{"sum_deep_v":30}]"#),
        (r#"{"field": "nowhere", "aggregation": "max"}"#, r#"[{"max_nowhere":null}]"#),
    ];
    for (values, expected) in table {
        let trial = trial("summarize").parameters(&parameters(values, "", "{}")).input(ITEMS);
        assert_eq!(trial.gives(), expected, "{values}");
    }
}

#[test]
fn splits_into_groups_in_order_of_appearance() {
    let count = r#"{"field": "n"}"#;
    let trial_of = |version, split: &str, options| {
        trial("summarize").version(version).parameters(&parameters(count, split, options)).input(ITEMS)
    };
    let rows = trial_of(1.1, "kind", "{}");
    assert_eq!(
        rows.gives(),
        r#"[{"count_n":2,"kind":"a b"},{"count_n":1,"kind":"c"},{"count_n":1,"kind":5},{"count_n":1}]"#
    );
    assert_eq!(links(&rows.output(), 0), [vec![0, 2], vec![1], vec![3], vec![4]]);
    let skipping = r#"{"skipEmptySplitFields": true, "outputFormat": "singleItem"}"#;
    assert_eq!(
        trial_of(1.1, "kind", skipping).gives(),
        r#"[{"5":{"count_n":1},"a b":{"count_n":2},"c":{"count_n":1}}]"#
    );
    let text = trial_of(1.0, "kind, t", "{}").gives();
    assert!(text.starts_with(r#"[{"count_n":2,"t":"x","kind":"a b"}"#), "{text}");
}

#[test]
fn says_what_is_wrong() {
    let empty = parameters(r#"{"field": ""}"#, "", "{}");
    let message = trial("summarize").parameters(&empty).input(ITEMS).fails().message;
    assert!(message.starts_with("You need to add at least one aggregation"), "{message}");
    let missing = parameters(r#"{"field": "zz"}"#, "", "{}");
    let error = trial("summarize").version(1.0).parameters(&missing).input(ITEMS).fails();
    assert_eq!(error.message, "The field 'zz' does not exist in any items");
    let tolerant = parameters(r#"{"field": "zz"}"#, "", r#"{"continueIfFieldNotFound": true}"#);
    assert_eq!(trial("summarize").version(1.0).parameters(&tolerant).input(ITEMS).gives(), r#"[{"count_zz":0}]"#);
}
