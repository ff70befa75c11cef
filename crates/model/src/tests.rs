//! Tables for the value model, items and lenient workflow parsing.

use crate::*;

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

#[test]
fn numbers_are_written_as_javascript_writes_them() {
    let table = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (1e-7, "1e-7"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (number, text) in table {
        assert_eq!(format_number(number), text);
    }
}

#[test]
fn text_is_read_as_number_like_javascript() {
    let table = [
        ("", 0.0),
        ("  12 ", 12.0),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("0x1F", 31.0),
        ("0b101", 5.0),
        ("Infinity", f64::INFINITY),
    ];
    for (text, number) in table {
        assert_eq!(parse_number(text), number, "{text:?}");
    }
    for text in ["12px", "1_000", "inf", "nan", "0x", "1 2", "--1", "é"] {
        assert!(parse_number(text).is_nan(), "{text:?}");
    }
}

#[test]
fn json_numbers_keep_their_value() {
    for text in ["1", "-7", "1.5", "9007199254740991", "1e300", "[1,2.25,null,true,\"x\"]", "{\"a\":{\"b\":[]}}"] {
        assert_eq!(json(&json(text).to_json()), json(text), "{text}");
    }
    assert_eq!(json("1.0").to_json(), "1");
    assert_eq!(Value::Number(f64::NAN).to_json(), "null");
}

#[test]
fn undefined_is_left_out_of_objects_and_null_in_arrays() {
    let object = Object::from([("a", Value::Undefined), ("b", Value::array([Value::Undefined]))]);
    assert_eq!(Value::from(object).to_json(), r#"{"b":[null]}"#);
}

#[test]
fn integer_keys_come_first_in_ascending_order() {
    let value = json(r#"{"b":1,"10":2,"2":3,"a":4,"01":5,"4294967295":6}"#);
    let keys: Vec<_> = value.as_object().unwrap().keys().map(Str::as_str).collect();
    assert_eq!(keys, ["2", "10", "b", "a", "01", "4294967295"]);
}

#[test]
fn large_objects_find_insert_remove_and_keep_order() {
    let mut object: Object = (0..500).map(|n| (Str::from(format!("key{n}")), Value::from(n))).collect();
    assert_eq!(object.get("key499"), Some(&Value::from(499)));
    assert_eq!(object.remove("key0"), Some(Value::from(0)));
    assert_eq!(object.get("key1"), Some(&Value::from(1)));
    assert_eq!(object.insert("key1", "one"), Some(Value::from(1)));
    object.insert("7", true);
    assert_eq!(object.keys().next().map(Str::as_str), Some("7"));
    assert_eq!(object.get("key499"), Some(&Value::from(499)));
    object.retain(|key, _| key.len() < 5);
    assert_eq!(object.len(), 10);
    assert_eq!(object.get("key9"), Some(&Value::from(9)));
    assert_eq!(object.get("key10"), None);
}

#[test]
fn writing_to_a_shared_object_leaves_the_other_handle_alone() {
    let first = Object::from([("a", Value::from(1))]);
    let mut second = first.clone();
    second.insert("a", 2);
    assert_eq!(first.get("a"), Some(&Value::from(1)));
    assert_eq!(second.get("a"), Some(&Value::from(2)));
}

#[test]
fn values_become_text_as_in_javascript() {
    let table = [
        ("null", "null"),
        ("true", "true"),
        ("[1,[2,null],\"x\"]", "1,2,,x"),
        ("{\"a\":1}", "[object Object]"),
        ("\"s\"", "s"),
    ];
    for (value, text) in table {
        assert_eq!(json(value).to_js_string(), text);
    }
}

#[test]
fn nesting_beyond_the_limit_is_an_error_not_a_crash() {
    assert!(Value::from_json(&"[".repeat(100_000)).is_err());
    assert!(Value::from_json(&format!("{}{}", "[".repeat(120), "]".repeat(120))).is_ok());
}

#[test]
fn sizes_are_written_for_people() {
    let table =
        [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1042, "1.04 kB"), (12_345, "12.3 kB"), (2_500_000, "2.5 MB")];
    for (bytes, text) in table {
        assert_eq!(human_size(bytes), text);
    }
}

#[test]
fn paired_items_keep_the_shape_they_were_written_in() {
    for text in [
        r#"{"json":{},"pairedItem":3}"#,
        r#"{"json":{},"pairedItem":{"item":1}}"#,
        r#"{"json":{},"pairedItem":{"item":1,"input":2}}"#,
        r#"{"json":{},"pairedItem":[{"item":0},{"item":1,"input":1}]}"#,
        r#"{"json":{"a":1},"index":4}"#,
    ] {
        let item: Item = serde_json::from_str(text).unwrap();
        assert_eq!(json(&serde_json::to_string(&item).unwrap()), json(text));
    }
}

#[test]
fn a_plain_item_has_no_extra_keys() {
    let item: Item = serde_json::from_str(r#"{"json":{"a":1}}"#).unwrap();
    assert_eq!(serde_json::to_string(&item).unwrap(), r#"{"json":{"a":1}}"#);
    assert_eq!(item.extra, None);
}

const GOOD: &str = r#"{
  "name": "w", "id": 12, "extra": {"kept": true},
  "nodes": [
    {"name": "A", "type": "n8n-nodes-base.manualTrigger", "position": [10, 20], "parameters": {}},
    {"name": "B", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "continueOnFail": true, "maxTries": 99, "waitBetweenTries": 9000}
  ],
  "connections": {"A": {"main": [[{"node": "B", "type": "main", "index": 1}], null]}},
  "settings": {"executionOrder": "v1", "timezone": "DEFAULT", "executionTimeout": -1},
  "pinData": {"A": [{"json": {"x": 1}}, {"bare": 2}]}
}"#;

#[test]
fn a_workflow_is_read_with_its_defaults() {
    let workflow = Workflow::parse(&json(GOOD)).unwrap();
    let (a, b) = (workflow.find("A").unwrap(), workflow.find("B").unwrap());
    assert_eq!(workflow.id, "12");
    assert_eq!(workflow.node(a).version, 1.0);
    assert_eq!(workflow.node(a).position, (10.0, 20.0));
    assert_eq!(workflow.node(b).on_error, ErrorPolicy::ContinueRegular);
    assert_eq!((workflow.node(b).max_tries, workflow.node(b).wait_between_tries), (5, 5000));
    assert_eq!(workflow.connections.from_output(a, 0), [Connection { node: b, input: 1 }]);
    assert_eq!(workflow.connections.to_input(b, 1), [(a, 0)]);
    assert_eq!(workflow.settings.execution_order, ExecutionOrder::V1);
    assert_eq!(workflow.settings.timezone, None);
    assert_eq!(workflow.settings.execution_timeout, None);
    let pins = &workflow.pin_data["A"];
    assert_eq!(pins[0].json, json(r#"{"x":1}"#));
    assert_eq!(pins[1].json, json(r#"{"bare":2}"#));
}

#[test]
fn what_cannot_be_read_is_named_with_a_pointer() {
    let table = [
        ("[]", "", "workflow.not_an_object"),
        ("{}", "/nodes", "workflow.nodes_missing"),
        (r#"{"nodes":[1]}"#, "/nodes/0", "node.not_an_object"),
        (r#"{"nodes":[{"name":"A"}]}"#, "/nodes/0/type", "node.type_missing"),
        (r#"{"nodes":[{"type":"t"}]}"#, "/nodes/0/name", "node.name_missing"),
        (r#"{"nodes":[{"name":"A","type":"t","parameters":3}]}"#, "/nodes/0/parameters", "node.wrong_type"),
        (r#"{"nodes":[{"name":"A","type":"t","typeVersion":[]}]}"#, "/nodes/0/typeVersion", "node.wrong_type"),
        (
            r#"{"nodes":[{"name":"A","type":"t"},{"name":"A","type":"t"}]}"#,
            "/nodes/1/name",
            "workflow.duplicate_node_name",
        ),
        (
            r#"{"nodes":[{"name":"A","type":"t"}],"connections":{"X/Y":{}}}"#,
            "/connections/X~1Y",
            "connections.unknown_node",
        ),
        (
            r#"{"nodes":[{"name":"A","type":"t"}],"connections":{"A":{"main":[[{"node":"Z"}]]}}}"#,
            "/connections/A/main/0/0/node",
            "connections.unknown_node",
        ),
        (
            r#"{"nodes":[{"name":"A","type":"t"}],"connections":{"A":{"main":[[{"node":"A","index":-1}]]}}}"#,
            "/connections/A/main/0/0/index",
            "connections.wrong_index",
        ),
        (
            r#"{"nodes":[{"name":"A","type":"t"}],"connections":{"A":{"main":[[{"node":"A","index":1e9}]]}}}"#,
            "/connections/A/main/0/0/index",
            "connections.wrong_index",
        ),
        (r#"{"nodes":[],"connections":[]}"#, "/connections", "connections.wrong_type"),
        (r#"{"nodes":[],"settings":"x"}"#, "/settings", "settings.wrong_type"),
        (r#"{"nodes":[],"pinData":{"A":1}}"#, "/pinData/A", "pin_data.wrong_type"),
    ];
    for (document, pointer, code) in table {
        let problems = Workflow::parse(&json(document)).unwrap_err();
        let found = problems.iter().any(|problem| problem.pointer == pointer && problem.code == code);
        assert!(found, "{document}: {problems:?}");
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = Workflow::parse(&json(r#"{"nodes":[{},{"name":"A"}],"settings":1}"#)).unwrap_err();
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn a_value_stays_small() {
    assert_eq!(size_of::<Value>(), 24);
    assert!(size_of::<Item>() <= 120, "{}", size_of::<Item>());
}
