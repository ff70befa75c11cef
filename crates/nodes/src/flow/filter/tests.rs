//! Filter, by tables.

use crate::testing::{links, shown, trial};

const ITEMS: &str = r#"[{"n": 1}, {"n": 5}, {"n": null}]"#;

#[test]
fn keeps_what_matches() {
    let parameters = |operation: &str, right: &str| {
        format!(
            r#"{{"conditions": {{"combinator": "or", "options": {{"typeValidation": "strict"}}, "conditions": [
                {{"leftValue": "={{{{ $json.n }}}}", "rightValue": {right}, "operator": {{"type": "number", "operation": "{operation}"}}}}]}}}}"#
        )
    };
    let cases = [("gt", "3", vec![1]), ("exists", "null", vec![0, 1]), ("lt", "0", vec![])];
    for (operation, right, expected) in cases {
        let output = trial("filter").parameters(&parameters(operation, right)).input(ITEMS).output();
        let kept: Vec<u32> = links(&output, 0).concat();
        assert_eq!(kept, expected, "{operation} {right}");
        assert_eq!(links(&output, 1).len(), 3 - kept.len(), "{operation} {right}");
    }
}

#[test]
fn knows_its_first_version() {
    let group = |join: &str| {
        format!(
            r#"{{"combineConditions": "{join}", "conditions": {{"number": [
                {{"value1": "={{{{ $json.n }}}}", "operation": "smaller", "value2": 3}},
                {{"value1": "={{{{ $json.n }}}}", "operation": "isEmpty"}}]}}}}"#
        )
    };
    for (join, expected) in [("AND", r#"[{"n":null}]"#), ("OR", r#"[{"n":1},{"n":null}]"#)] {
        let output = trial("filter").version(1.0).parameters(&group(join)).input(ITEMS).output();
        assert_eq!(shown(&output, 0), expected, "{join}");
    }
}

#[test]
fn discards_failing_items_where_it_goes_on() {
    let parameters = r#"{"conditions": {"combinator": "and", "options": {"typeValidation": "strict"}, "conditions": [
        {"leftValue": "={{ $json.n }}", "rightValue": "", "operator": {"type": "string", "operation": "notEmpty"}}]}}"#;
    assert!(trial("filter").parameters(parameters).input(ITEMS).run().is_err());
    let output = trial("filter").parameters(parameters).input(ITEMS).goes_on().output();
    assert_eq!((shown(&output, 0).as_str(), shown(&output, 1).as_str()), ("[]", r#"[{"n":1},{"n":5},{"n":null}]"#));
}
