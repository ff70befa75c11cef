//! Filling in defaults and deciding what shows, by tables.

use millrace_model::{Object, Value};

use super::{Wanted, display_parameter, get_node_parameters};
use crate::description::{Properties, Property, Variant};

const DEFAULTS: Wanted = Wanted { defaults: true, hidden: false };
const CHANGED: Wanted = Wanted { defaults: false, hidden: false };

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn object(text: &str) -> Object {
    json(text).as_object().unwrap().clone()
}

fn filled(properties: &str, values: &str, wanted: Wanted) -> String {
    let properties = Properties::parse(&json(properties));
    Value::from(get_node_parameters(&properties, &object(values), wanted, Some(2.0), None)).to_json()
}

#[test]
fn fills_in_defaults() {
    let cases = [
        (r#"[{"name": "a", "type": "number", "default": 3}]"#, "{}", r#"{"a":3}"#),
        (r#"[{"name": "a", "type": "number", "default": 3}]"#, r#"{"a": null}"#, r#"{"a":null}"#),
        (r#"[{"name": "a", "type": "string", "default": "x"}]"#, r#"{"a": null}"#, r#"{"a":"x"}"#),
        (r#"[{"name": "a", "type": "string", "default": "x"}]"#, r#"{"b": 1}"#, r#"{"a":"x"}"#),
        (
            r#"[{"name": "a", "type": "resourceLocator", "default": {"mode": "id", "value": ""}}]"#,
            "{}",
            r#"{"a":{"__rl":true,"mode":"id","value":""}}"#,
        ),
        (
            r#"[{"name": "o", "type": "collection", "default": {},
                 "options": [{"name": "x", "type": "number", "default": 1}]}]"#,
            r#"{"o": {"x": 2, "y": 3}}"#,
            r#"{"o":{"x":2}}"#,
        ),
        (
            r#"[{"name": "f", "type": "fixedCollection", "default": {}, "typeOptions": {"multipleValues": true},
                 "options": [{"name": "row", "values": [{"name": "k", "type": "string", "default": "key"}]}]}]"#,
            r#"{"f": {"row": [{}, {"k": "own"}], "other": [{}]}}"#,
            r#"{"f":{"row":[{"k":"key"},{"k":"own"}]}}"#,
        ),
        (
            r#"[{"name": "c", "type": "collection", "default": {}, "typeOptions": {"multipleValues": true}, "options": []}]"#,
            "{}",
            r#"{"c":[]}"#,
        ),
        (
            r#"[{"name": "q", "type": "filter", "default": {}}]"#,
            r#"{"q": {"conditions": [], "combinator": "or"}}"#,
            r#"{"q":{"conditions":[],"combinator":"or","options":{"caseSensitive":true,"leftValue":"","typeValidation":"strict","version":1}}}"#,
        ),
    ];
    for (properties, values, expected) in cases {
        assert_eq!(filled(properties, values, DEFAULTS), expected, "{properties} {values}");
    }
}

#[test]
fn leaves_out_what_has_its_default() {
    let properties = r#"[
        {"name": "a", "type": "number", "default": 3},
        {"name": "o", "type": "collection", "default": {}, "options": [{"name": "x", "type": "number", "default": 1}]},
        {"name": "g", "type": "fixedCollection", "default": {},
         "options": [{"name": "one", "values": [{"name": "k", "type": "string", "default": "key"}]}]}]"#;
    let cases = [
        ("{}", "{}"),
        (r#"{"a": 3}"#, "{}"),
        (r#"{"a": 4, "b": 1}"#, r#"{"a":4}"#),
        (r#"{"o": {"x": 1}}"#, r#"{"o":{"x":1}}"#),
        (r#"{"g": {"one": {"k": "key"}}}"#, r#"{"g":{"one":{}}}"#),
        (r#"{"g": []}"#, "{}"),
    ];
    for (values, expected) in cases {
        assert_eq!(filled(properties, values, CHANGED), expected, "{values}");
    }
}

#[test]
fn hides_what_display_options_hide() {
    let properties = r#"[
        {"name": "b", "type": "string", "default": "deep", "displayOptions": {"show": {"a": ["shown"]}}},
        {"name": "a", "type": "string", "default": "none"},
        {"name": "c", "type": "string", "default": "for one", "displayOptions": {"show": {"@version": [1]}}},
        {"name": "c", "type": "string", "default": "for two", "displayOptions": {"show": {"@version": [2]}}},
        {"name": "d", "type": "string", "default": "", "displayOptions": {"hide": {"a": ["shown"]}}}]"#;
    let cases = [
        ("{}", r#"{"a":"none","c":"for two","d":""}"#),
        (r#"{"a": "shown"}"#, r#"{"a":"shown","b":"deep","c":"for two"}"#),
        (r#"{"a": "={{ $json.a }}"}"#, r#"{"a":"={{ $json.a }}","b":"deep","c":"for two","d":""}"#),
    ];
    for (values, expected) in cases {
        assert_eq!(json(&filled(properties, values, DEFAULTS)), json(expected), "{values}");
    }
}

#[test]
fn compares_as_conditions_say() {
    let cases = [
        (r#"{"n": [{"_cnd": {"gte": 2}}]}"#, r#"{"n": 2}"#, true),
        (r#"{"n": [{"_cnd": {"gt": 2}}]}"#, r#"{"n": 2}"#, false),
        (r#"{"n": [{"_cnd": {"between": {"from": 1, "to": 3}}}]}"#, r#"{"n": 3}"#, true),
        (r#"{"n": [{"_cnd": {"not": 2}}]}"#, r#"{"n": 2}"#, false),
        (r#"{"n": [{"_cnd": {"not": 2}}]}"#, "{}", true),
        (r#"{"s": [{"_cnd": {"startsWith": "ab"}}]}"#, r#"{"s": "abc"}"#, true),
        (r#"{"s": [{"_cnd": {"endsWith": "ab"}}]}"#, "{}", false),
        (r#"{"s": [{"_cnd": {"regex": "^a+$"}}]}"#, r#"{"s": "aaa"}"#, true),
        (r#"{"s": [{"_cnd": {"includes": "b"}}]}"#, r#"{"s": "abc"}"#, true),
        (r#"{"s": [{"_cnd": {"exists": true}}]}"#, r#"{"s": ""}"#, false),
        (r#"{"s": [{"_cnd": {"unknown": true}}]}"#, r#"{"s": "x"}"#, false),
        (r#"{"l": ["x"]}"#, r#"{"l": ["y", "x"]}"#, true),
        (r#"{"r": ["id"]}"#, r#"{"r": {"__rl": true, "value": "id"}}"#, true),
        (r#"{"a.b": [1]}"#, r#"{"a": {"b": 1}}"#, true),
        (r#"{"/top": [1]}"#, "{}", true),
        (r#"{"@version": [{"_cnd": {"gte": 2}}]}"#, "{}", true),
        (r#"{"@tool": [true]}"#, "{}", true),
        (r#"{"@feature": ["new"]}"#, "{}", true),
        (r#"{"@feature": ["old"]}"#, "{}", false),
    ];
    let document = r#"{"name": "thingTool", "features": {"new": {"@version": [2]}, "old": {"@version": [1]}}}"#;
    let variant = Variant::parse(object(document));
    for (show, values, expected) in cases {
        let property = format!(r#"{{"name": "p", "type": "string", "displayOptions": {{"show": {show}}}}}"#);
        let property = Property::parse(&object(&property)).unwrap();
        let root = object(r#"{"top": 1}"#);
        let shows = display_parameter(&object(values), &property, Some(2.0), Some(&variant), &root);
        assert_eq!(shows, expected, "{show} {values}");
    }
}

#[test]
fn takes_the_equals_sign_off_where_no_expression_may_stand() {
    let properties = r#"[{"name": "q", "type": "string", "default": "", "noDataExpression": true}]"#;
    let cases = [
        ("=users", "users"),
        ("users", "users"),
        ("={{ $json.a }}", "{{ $json.a }}"),
        ("={{ $fromAI('name', 'what it is') }}", "={{ $fromAI('name', 'what it is') }}"),
        (
            "={{ /* kept */ $fromAI(\"name\", `text`, 'number', 5) }}",
            "={{ /* kept */ $fromAI(\"name\", `text`, 'number', 5) }}",
        ),
        ("=$fromAI(`${$env.KEY}`)", "$fromAI(`${$env.KEY}`)"),
        ("=$fromAI($json.a)", "$fromAI($json.a)"),
        ("=$fromAI('a') + 1", "$fromAI('a') + 1"),
    ];
    for (given, expected) in cases {
        let values = Value::from(Object::from([("q", given.into())])).to_json();
        let expected = Value::from(Object::from([("q", expected.into())])).to_json();
        assert_eq!(filled(properties, &values, DEFAULTS), expected, "{given}");
    }
}

#[test]
fn survives_display_options_in_a_circle() {
    let properties = r#"[
        {"name": "a", "type": "string", "default": "", "displayOptions": {"show": {"b": [""]}}},
        {"name": "b", "type": "string", "default": "", "displayOptions": {"show": {"a": [""]}}}]"#;
    assert_eq!(json(&filled(properties, "{}", DEFAULTS)), json(r#"{"a": "", "b": ""}"#));
}
