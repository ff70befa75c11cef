//! If, by tables.

use crate::testing::{links, shown, trial};

const ITEMS: &str = r#"[{"n": 1, "s": "one"}, {"n": 2, "s": "two"}, {"n": "3", "s": null}]"#;

fn condition(kind: &str, operation: &str, left: &str, right: &str, options: &str) -> String {
    format!(
        r#"{{"conditions": {{"combinator": "and", "options": {{"caseSensitive": true, {options}}}, "conditions": [
            {{"leftValue": "{left}", "rightValue": {right}, "operator": {{"type": "{kind}", "operation": "{operation}"}}}}]}}}}"#
    )
}

#[test]
fn sends_items_to_either_side() {
    let loose = r#""typeValidation": "loose""#;
    let cases = [
        (condition("number", "gt", "={{ $json.n }}", "1", loose), [vec![1, 2], vec![0]]),
        (condition("string", "regex", "={{ $json.s }}", r#""/^O/i""#, loose), [vec![0], vec![1, 2]]),
        (condition("string", "exists", "={{ $json.s }}", "null", loose), [vec![0, 1], vec![2]]),
        (condition("number", "equals", "5", "5", loose), [vec![0, 1, 2], vec![]]),
    ];
    for (parameters, expected) in cases {
        let output = trial("if").version(2.2).parameters(&parameters).input(ITEMS).output();
        for (index, places) in expected.iter().enumerate() {
            let expected: Vec<Vec<u32>> = places.iter().map(|place| vec![*place]).collect();
            assert_eq!(links(&output, index), expected, "{parameters} output {index}");
        }
    }
}

#[test]
fn ends_or_goes_on_at_a_wrong_type() {
    let strict = condition("number", "gt", "={{ $json.n }}", "1", r#""typeValidation": "strict""#);
    let error = trial("if").version(2.0).parameters(&strict).input(ITEMS).fails();
    assert_eq!(error.message, "Wrong type: '3' is a string but was expecting a number [condition 0, item 2]");
    assert_eq!(error.context.get("itemIndex"), Some(&2.into()));
    let output = trial("if").version(2.0).parameters(&strict).input(ITEMS).goes_on().output();
    assert_eq!(shown(&output, 1), r#"[{"n":1,"s":"one"},{"n":"3","s":null}]"#);
}

#[test]
fn resolves_conditions_that_are_expressions_themselves() {
    let parameters = r#"{"conditions": {"combinator": "={{ $json.join }}", "conditions": [
        {"leftValue": 1, "rightValue": 1, "operator": {"type": "number", "operation": "={{ $json.operation }}"}}]}}"#;
    let items = r#"[{"join": "and", "operation": "equals"}, {"join": "and", "operation": "gt"}]"#;
    let output = trial("if").version(2.2).parameters(parameters).input(items).output();
    assert_eq!((links(&output, 0), links(&output, 1)), (vec![vec![0]], vec![vec![1]]));
}

#[test]
fn knows_its_first_version() {
    let cases = [
        (r#""number": [{"value1": "={{ $json.n }}", "operation": "larger", "value2": 1}]"#, "all", "[1,2]"),
        (r#""string": [{"value1": "={{ $json.s }}", "value2": "one"}]"#, "all", "[0]"),
        (r#""string": [{"value1": "={{ $json.s }}", "operation": "isEmpty"}]"#, "all", "[2]"),
        (r#""string": [{"value1": "={{ $json.s }}", "operation": "contains", "value2": "w"}]"#, "all", "[1]"),
        (
            r#""string": [{"value1": "={{ $json.s }}", "value2": "one"}], "number": [{"value1": "={{ $json.n }}", "operation": "equal", "value2": 2}]"#,
            "any",
            "[0,1]",
        ),
        (r#""boolean": [{"value1": true, "value2": true}]"#, "all", "[0,1,2]"),
        (r#""dateTime": [{"value1": "2024-01-02", "value2": "2024-01-01"}]"#, "all", "[0,1,2]"),
    ];
    for (groups, join, expected) in cases {
        let parameters = format!(r#"{{"combineOperation": "{join}", "conditions": {{{groups}}}}}"#);
        let output = trial("if").version(1.0).parameters(&parameters).input(ITEMS).output();
        let places: Vec<u32> = links(&output, 0).concat();
        assert_eq!(format!("{places:?}").replace(' ', ""), expected, "{parameters}");
    }
    let bad = r#"{"conditions": {"dateTime": [{"value1": "soon", "value2": "2024-01-01"}]}}"#;
    let error = trial("if").version(1.0).parameters(bad).fails();
    assert_eq!(error.message, "The value \"soon\" is not a valid DateTime.");
    let output = trial("if").version(1.0).parameters(bad).goes_on().output();
    assert_eq!(shown(&output, 1), r#"[{"error":"The value \"soon\" is not a valid DateTime."}]"#);
}
