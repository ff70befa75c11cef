//! Function, by tables.

use millrace_model::Value;

use crate::testing::{Trial, trial};

fn function(text: &str) -> Trial {
    let parameters = format!(r#"{{"functionCode": {}}}"#, Value::from(text).to_json());
    trial("function").parameters(&parameters).input(r#"[{"n": 1}, {"n": 2}]"#)
}

#[test]
fn gives_what_the_script_returns() {
    let cases = [
        ("return items;", r#"[{"n":1},{"n":2}]"#),
        ("return [{ json: { a: 1 } }];", r#"[{"a":1}]"#),
        ("return { b: 2 };", r#"[{"b":2}]"#),
        ("return [{ c: 3 }];", r#"[{"c":3}]"#),
    ];
    for (text, expected) in cases {
        assert_eq!(function(text).gives(), expected, "{text}");
    }
    assert_eq!(crate::testing::links(&function("return { b: 2 };").output(), 0), [[0]]);
    assert_eq!(crate::testing::links(&function("return [{ c: 3 }];").output(), 0), [[0_u32; 0]]);
    let output = function("return items;").output();
    let extra = output.outputs[0].as_ref().unwrap()[1].extra.clone().unwrap();
    assert_eq!(extra.get("index"), Some(&1.into()));
}

#[test]
fn refuses_other_results() {
    let cases = [
        ("", "No data got returned. Always return an Array of items!"),
        ("return 5;", "Always an Array of items has to be returned!"),
        ("return [{ json: 5 }];", "The json-property has to be an object!"),
        ("return [{ json: {}, binary: 5 }];", "The binary-property has to be an object!"),
        ("\n\nthrow new Error('bad');", "bad [Line 3]"),
    ];
    for (text, message) in cases {
        assert_eq!(function(text).fails().message, message, "{text}");
    }
    let going_on = function("throw new Error('bad')").goes_on().gives();
    assert_eq!(going_on, r#"[{"error":"bad [Line 1]"}]"#);
}

#[test]
fn names_what_is_not_defined() {
    let error = function("const rows = parseRows(items);\nreturn rows;").fails();
    assert_eq!((error.message.as_str(), error.line_number), ("parseRows is not defined [Line 1]", Some(1)));
}
