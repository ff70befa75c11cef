//! Edit Fields, by tables.

use millrace_model::Item;

use crate::testing::{json, links, trial};

const ITEM: &str = r#"[{"name": "ann", "age": 30, "address": {"city": "Rome", "zip": "00100"}}]"#;

fn assign(fields: &str) -> String {
    format!(r#"{{"assignments": {{"assignments": [{fields}]}}}}"#)
}

#[test]
fn sets_and_converts_fields() {
    let cases = [
        (r#"{"name": "a", "type": "string", "value": 5}"#, r#"{"a":"5"}"#),
        (r#"{"name": "a", "type": "string", "value": {"b": 1}}"#, r#"{"a":"{\"b\":1}"}"#),
        (r#"{"name": "a", "type": "number", "value": "1.5"}"#, r#"{"a":1.5}"#),
        (r#"{"name": "a", "type": "boolean", "value": "true"}"#, r#"{"a":true}"#),
        (r#"{"name": "a", "type": "array", "value": "[1, 2]"}"#, r#"{"a":[1,2]}"#),
        (r#"{"name": "a", "type": "object", "value": "{b: 1}"}"#, r#"{"a":{"b":1}}"#),
        (r#"{"name": "a", "type": "number", "value": "={{ $json.age + 1 }}"}"#, r#"{"a":31}"#),
        (r#"{"name": "={{ $json.name }}", "type": "string", "value": "x"}"#, r#"{"ann":"x"}"#),
        (r#"{"name": "a", "type": "number", "value": "={{ $json.nothing }}"}"#, r#"{"a":null}"#),
        (r#"{"name": "a.b[1]", "type": "number", "value": 1}"#, r#"{"a":{"b":[null,1]}}"#),
        (r#"{"name": "a", "type": "number", "value": 1}, {"name": "a", "type": "number", "value": 2}"#, r#"{"a":2}"#),
    ];
    for (fields, expected) in cases {
        let given = trial("set").parameters(&assign(fields)).input(ITEM).gives();
        assert_eq!(given, format!("[{expected}]"), "{fields}");
    }
}

#[test]
fn keeps_chosen_fields() {
    let field = r#""assignments": {"assignments": [{"name": "x", "type": "number", "value": 1}]}"#;
    let cases = [
        (r#""includeOtherFields": false"#, r#"{"x":1}"#),
        (r#""includeOtherFields": true"#, r#"{"name":"ann","age":30,"address":{"city":"Rome","zip":"00100"},"x":1}"#),
        (
            r#""includeOtherFields": true, "include": "selected", "includeFields": "age, address.city""#,
            r#"{"age":30,"city":"Rome","x":1}"#,
        ),
        (
            r#""includeOtherFields": true, "include": "except", "excludeFields": "age,address.zip""#,
            r#"{"name":"ann","address":{"city":"Rome"},"x":1}"#,
        ),
    ];
    for (include, expected) in cases {
        let parameters = format!("{{{field}, {include}}}");
        assert_eq!(trial("set").parameters(&parameters).input(ITEM).gives(), format!("[{expected}]"), "{include}");
    }
}

#[test]
fn reads_dots_as_told() {
    let parameters = r#"{"options": {"dotNotation": false}, "assignments": {"assignments":
        [{"name": "a.b", "type": "number", "value": 1}]}}"#;
    assert_eq!(trial("set").parameters(parameters).gives(), r#"[{"a.b":1}]"#);
    let parameters = assign(r#"{"name": "['a.b']", "type": "number", "value": 2}"#)
        .replace(r#"{"assignments": {"#, r#"{"includeOtherFields": true, "assignments": {"#);
    assert_eq!(trial("set").parameters(&parameters).input(r#"[{"a.b": 1}]"#).gives(), r#"[{"a.b":2}]"#);
}

#[test]
fn refuses_or_keeps_what_cannot_be_converted() {
    let field = r#"{"name": "a", "type": "number", "value": "five"}"#;
    let error = trial("set").parameters(&assign(field)).fails();
    assert_eq!(error.message, "'a' expects a number but we got 'five' [item 0]");
    assert!(error.description.unwrap().contains("Ignore Type Conversion Errors"));
    assert_eq!(error.context.get("itemIndex"), Some(&0.into()));
    let lenient =
        format!(r#"{{"options": {{"ignoreConversionErrors": true}}, {}"#, assign(field).strip_prefix('{').unwrap());
    assert_eq!(trial("set").parameters(&lenient).gives(), r#"[{"a":"five"}]"#);
    let going_on = trial("set").parameters(&assign(field)).goes_on().output();
    assert_eq!(crate::testing::shown(&going_on, 0), r#"[{"error":"'a' expects a number but we got 'five' [item 0]"}]"#);
    assert_eq!(links(&going_on, 0), [[0]]);
}

#[test]
fn takes_an_item_as_json() {
    let cases = [
        (r#"{"a": 1}"#, r#"{"a":1}"#),
        (
            r#"={"who": "{{ $json.name }}", "where": {{ $json.address }}}"#,
            r#"{"who":"ann","where":{"city":"Rome","zip":"00100"}}"#,
        ),
        ("={{ $json.address }}", r#"{"city":"Rome","zip":"00100"}"#),
        ("{a: 1, 'b': 'x',}", r#"{"a":1,"b":"x"}"#),
        ("={\"a\": \"{{ 'two\\nlines' }}\"}", r#"{"a":"two\nlines"}"#),
        (r#"={"a": "{{ $json.zz }}", "b": {{ $json.zz }}}"#, r#"{"a":"undefined","b":null}"#),
        (r#"={"a": {{ new Date(0) }}}"#, r#"{"a":"1970-01-01T00:00:00.000Z"}"#),
    ];
    for (text, expected) in cases {
        let parameters = format!(r#"{{"mode": "raw", "jsonOutput": {}}}"#, millrace_model::Value::from(text).to_json());
        assert_eq!(trial("set").parameters(&parameters).input(ITEM).gives(), format!("[{expected}]"), "{text}");
    }
    let cases = [
        ("{a: +", "The 'JSON Output' in item 0 contains invalid JSON"),
        ("[1]", "The 'JSON Output' in item 0 does not contain a valid JSON object"),
        ("5", "The 'JSON Output' in item 0 does not contain a valid JSON object"),
    ];
    for (text, message) in cases {
        let parameters = format!(r#"{{"mode": "raw", "jsonOutput": "{text}"}}"#);
        assert_eq!(trial("set").parameters(&parameters).fails().message, message, "{text}");
    }
}

#[test]
fn knows_its_earlier_versions() {
    let fields = r#"{"fields": {"values": [
        {"name": "a", "stringValue": "={{ $json.name }}"},
        {"name": "b", "type": "numberValue", "numberValue": "2"},
        {"name": "c", "type": "booleanValue"},
        {"name": "d", "type": "arrayValue", "arrayValue": "[1]"},
        {"name": "e", "type": "objectValue", "objectValue": "={\"n\": \"{{ $json.name }}\"}"}]}, "include": "none"}"#;
    let expected = r#"[{"a":"ann","b":2,"c":true,"d":[1],"e":{"n":"ann"}}]"#;
    assert_eq!(trial("set").version(3.0).parameters(fields).input(ITEM).gives(), expected);
    let values = r#"{"values": {"string": [{"name": "address.city", "value": "Paris"}, {"value": "y"}],
        "number": [{"name": "n"}], "boolean": [{"name": "b", "value": "no"}]}, "keepOnlySet": true}"#;
    let expected = r#"[{"b":true,"n":0,"address":{"city":"Paris"},"propertyName":"y"}]"#;
    assert_eq!(trial("set").version(2.0).parameters(values).input(ITEM).gives(), expected);
    let literal = r#"{"values": {"number": [{"name": "x.y", "value": 1}]}, "options": {"dotNotation": false}}"#;
    assert_eq!(trial("set").version(1.0).parameters(literal).input(r#"[{"k": 0}]"#).gives(), r#"[{"k":0,"x.y":1}]"#);
}

#[test]
fn keeps_binaries_as_each_version_does() {
    let input = r#"[{"json": {"k": 1}, "binary": {"data": {"data": "aGk=", "mimeType": "text/plain"}}}]"#;
    let cases = [
        (3.4, r#"{"includeOtherFields": true}"#, true),
        (3.4, r#"{"includeOtherFields": true, "options": {"stripBinary": true}}"#, false),
        (3.4, "{}", false),
        (3.3, "{}", false),
        (3.3, r#"{"options": {"includeBinary": true}}"#, true),
        (1.0, "{}", true),
        (1.0, r#"{"keepOnlySet": true}"#, false),
    ];
    for (version, parameters, kept) in cases {
        let output = trial("set").version(version).parameters(parameters).input(input).output();
        let items = output.outputs[0].as_ref().unwrap();
        assert_eq!(items[0].binary.is_some(), kept, "{version} {parameters}");
    }
}

#[test]
fn copies_items_in_runs_by_hand() {
    let parameters = r#"{"duplicateItem": true, "duplicateCount": 2}"#;
    assert_eq!(trial("set").parameters(parameters).gives(), "[{},{},{}]");
}

#[test]
fn changes_no_item_of_its_input() {
    let trial = trial("set").parameters(
        r#"{"includeOtherFields": true, "assignments": {"assignments":
        [{"name": "address.city", "type": "string", "value": "Oslo"}]}}"#,
    );
    let trial = trial.input(ITEM);
    trial.output();
    assert_eq!(trial.gives(), r#"[{"name":"ann","age":30,"address":{"city":"Oslo","zip":"00100"}}]"#);
    assert_eq!(Item::from_value(&json(ITEM).as_array().unwrap()[0]).json.pointer("address.city"), Some(&"Rome".into()));
}

#[test]
fn refuses_names_that_nest_without_end() {
    let name = format!("{}x", "a.".repeat(100_000));
    let table = [
        (
            "set",
            3.4,
            format!(r#"{{"assignments": {{"assignments": [{{"id": "1", "name": "{name}", "type": "string"}}]}}}}"#),
        ),
        ("set", 2.0, format!(r#"{{"values": {{"string": [{{"name": "{name}", "value": "v"}}]}}}}"#)),
        ("renameKeys", 1.0, format!(r#"{{"keys": {{"key": [{{"currentKey": "k", "newKey": "{name}"}}]}}}}"#)),
        ("markdown", 1.0, format!(r#"{{"mode": "markdownToHtml", "markdown": "x", "destinationKey": "{name}"}}"#)),
        (
            "aggregate",
            1.0,
            format!(
                r#"{{"fieldsToAggregate": {{"fieldToAggregate": [{{"fieldToAggregate": "k", "renameField": true, "outputFieldName": "{name}"}}]}}}}"#
            ),
        ),
    ];
    for (node, version, parameters) in table {
        let error = trial(node).version(version).parameters(&parameters).input(r#"[{"k": 1}]"#).fails();
        assert_eq!(error.message, "The fields are nested more than 100 levels deep", "{node}");
    }
}
