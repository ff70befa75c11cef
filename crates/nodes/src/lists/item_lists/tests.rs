//! Item Lists: what its versions do differently from the nodes that came of it.

use crate::testing::trial;

#[test]
fn splits() {
    let items = r#"[{"l": [{"x": 1}, 2], "o": {"p": 3}, "q": 4}]"#;
    let table = [
        (1.0, r#"{"fieldToSplitOut": "l"}"#, r#"[{"x":1},{"l":2}]"#),
        (3.1, r#"{"fieldToSplitOut": "l"}"#, r#"[{"x":1},{"l":2}]"#),
        (
            1.0,
            r#"{"fieldToSplitOut": "l", "include": "selectedOtherFields", "fieldsToInclude": {"fields": [{"fieldName": "o.p"}]}}"#,
            r#"[{"o.p":3,"l":{"x":1}},{"o.p":3,"l":2}]"#,
        ),
        (
            2.2,
            r#"{"fieldToSplitOut": "l", "include": "allOtherFields"}"#,
            r#"[{"o":{"p":3},"q":4,"l":{"x":1}},{"o":{"p":3},"q":4,"l":2}]"#,
        ),
        (2.1, r#"{"fieldToSplitOut": "none"}"#, "[]"),
    ];
    for (version, parameters, expected) in table {
        assert_eq!(trial("itemLists").version(version).parameters(parameters).input(items).gives(), expected);
    }
}

#[test]
fn older_versions_refuse_missing_fields() {
    let table = [
        (r#"{"fieldToSplitOut": "none"}"#, "Couldn't find the field 'none' in the input data"),
        (r#"{"fieldToSplitOut": "q"}"#, "The provided field 'q' is not an array or object"),
        (
            r#"{"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "none"}]}}"#,
            "Couldn't find the field 'none' in the input data",
        ),
        (
            r#"{"operation": "summarize", "fieldsToSummarize": {"values": [{"field": "none"}]}}"#,
            "The field 'none' does not exist in any items",
        ),
    ];
    for (parameters, message) in table {
        let error = trial("itemLists").version(2.0).parameters(parameters).input(r#"[{"q": 1}]"#).fails();
        assert_eq!(error.message, message);
    }
}

#[test]
fn shares_the_behaviour_of_the_single_nodes() {
    let items = r#"[{"n": 2, "t": "b"}, {"n": 1, "t": "a"}, {"n": 2, "t": "b"}]"#;
    let table = [
        (r#"{"operation": "limit", "maxItems": 1, "keep": "lastItems"}"#, r#"[{"n":2,"t":"b"}]"#),
        (
            r#"{"operation": "sort", "sortFieldsUi": {"sortField": [{"fieldName": "n"}]}}"#,
            r#"[{"n":1,"t":"a"},{"n":2,"t":"b"},{"n":2,"t":"b"}]"#,
        ),
        (r#"{"operation": "removeDuplicates"}"#, r#"[{"n":2,"t":"b"},{"n":1,"t":"a"}]"#),
        (
            r#"{"operation": "concatenateItems", "aggregate": "aggregateAllItemData"}"#,
            r#"[{"data":[{"n":2,"t":"b"},{"n":1,"t":"a"},{"n":2,"t":"b"}]}]"#,
        ),
        (
            r#"{"operation": "summarize", "fieldsToSummarize": {"values": [{"field": "n", "aggregation": "sum"}]}}"#,
            r#"[{"sum_n":5}]"#,
        ),
    ];
    for (parameters, expected) in table {
        for version in [1.0, 2.1, 3.1] {
            let trial = trial("itemLists").version(version).parameters(parameters).input(items);
            assert_eq!(trial.gives(), expected, "{version} {parameters}");
        }
    }
    let by_name = r#"{"operation": "removeDuplicates", "compare": "selectedFields", "fieldsToCompare": {"fields": [{"fieldName": "t"}]}}"#;
    assert_eq!(
        trial("itemLists").version(1.0).parameters(by_name).input(items).gives(),
        r#"[{"n":2,"t":"b"},{"n":1,"t":"a"}]"#
    );
}
