//! Switch, by tables.

use crate::testing::{shown, trial};

const ITEMS: &str = r#"[{"k": "a"}, {"k": "b"}, {"k": "c"}]"#;

fn outputs(output: &crate::Output) -> Vec<String> {
    let letters = |index| shown(output, index).replace(r#"{"k":""#, "").replace(r#""}"#, "");
    (0..output.outputs.len()).map(letters).collect()
}

fn rule(wanted: &str) -> String {
    format!(
        r#"{{"conditions": {{"combinator": "and", "options": {{"caseSensitive": true, "typeValidation": "strict"}}, "conditions": [
            {{"leftValue": "={{{{ $json.k }}}}", "rightValue": "{wanted}", "operator": {{"type": "string", "operation": "regex"}}}}]}}}}"#
    )
}

#[test]
fn sends_items_by_rules() {
    let rules = format!(r#""rules": {{"values": [{}, {}]}}"#, rule("a"), rule("a|b"));
    let cases = [
        ("{}", vec!["[a]", "[b]"]),
        (r#"{"fallbackOutput": "extra"}"#, vec!["[a]", "[b]", "[c]"]),
        (r#"{"fallbackOutput": 0}"#, vec!["[a,c]", "[b]"]),
        (r#"{"allMatchingOutputs": true}"#, vec!["[a]", "[a,b]"]),
    ];
    for (options, expected) in cases {
        let parameters = format!(r#"{{{rules}, "options": {options}}}"#);
        let output = trial("switch").version(3.0).parameters(&parameters).input(ITEMS).output();
        assert_eq!(outputs(&output), expected, "{options}");
    }
}

#[test]
fn sends_items_by_number() {
    let parameters = r#"{"mode": "expression", "numberOutputs": 2, "output": "={{ $json.k === 'a' ? 1 : 0 }}"}"#;
    let output = trial("switch").parameters(parameters).input(ITEMS).output();
    assert_eq!(outputs(&output), ["[b,c]", "[a]"]);
    let cases = [
        (
            "2",
            "The ouput 2 is not allowed. ",
            "Output indexes are zero based, if you want to use the extra output use 1",
        ),
        ("7", "The ouput 7 is not allowed", "It has to be between 0 and 1"),
        ("-1", "The ouput -1 is not allowed", "It has to be between 0 and 1"),
        ("\"x\"", "Invalid input for 'Output Index' [item 0]", "'output' expects a number but we got 'x'"),
        ("[0, 1]", "Invalid input for 'Output Index' [item 0]", "'output' expects a number but we got array"),
    ];
    for (index, message, description) in cases {
        let parameters = format!(r#"{{"mode": "expression", "numberOutputs": 2, "output": {index}}}"#);
        let error = trial("switch").parameters(&parameters).fails();
        assert_eq!((error.message.as_str(), error.description.as_deref()), (message, Some(description)), "{index}");
        let output = trial("switch").parameters(&parameters).goes_on().output();
        assert!(shown(&output, 0).contains("error"), "{index}");
    }
}

#[test]
fn knows_its_earlier_versions() {
    let first = r#"{"dataType": "string", "value1": "={{ $json.k }}", "fallbackOutput": 3,
        "rules": {"rules": [{"value2": "a", "output": 2}, {"operation": "startsWith", "value2": "b", "output": 0}]}}"#;
    let output = trial("switch").version(1.0).parameters(first).input(ITEMS).output();
    assert_eq!(outputs(&output), ["[b]", "[]", "[a]", "[c]"]);
    let second = r#"{"dataType": "string", "value1": "={{ $json.k }}", "fallbackOutput": 1,
        "rules": {"rules": [{"value2": "a", "outputKey": "x"}, {"value2": "b", "outputKey": "y"}, {"value2": "c", "outputKey": "x"}]}}"#;
    let output = trial("switch").version(2.0).parameters(second).input(ITEMS).output();
    assert_eq!(outputs(&output), ["[a,c]", "[b]", "[]"]);
}

#[test]
fn says_how_many_outputs_it_has() {
    let cases = [
        (1.0, "{}", 4),
        (2.0, r#"{"rules": {"rules": [{}, {}]}, "mode": "rules"}"#, 2),
        (3.0, r#"{"mode": "expression", "numberOutputs": 6}"#, 6),
        (3.2, r#"{"mode": "rules", "rules": {"values": [{}]}, "options": {"fallbackOutput": "extra"}}"#, 2),
        (3.2, r#"{"mode": "expression", "numberOutputs": 1e9}"#, 1024),
    ];
    for (version, parameters, expected) in cases {
        let parameters = crate::testing::json(parameters).as_object().unwrap().clone();
        assert_eq!(super::ports(version, &parameters).outputs, expected, "{version} {parameters:?}");
    }
}
