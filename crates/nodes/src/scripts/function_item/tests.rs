//! Function Item, by tables.

use millrace_model::Value;

use crate::testing::{Trial, links, trial};

fn function(text: &str) -> Trial {
    let parameters = format!(r#"{{"functionCode": {}}}"#, Value::from(text).to_json());
    trial("functionItem").parameters(&parameters).input(r#"[{"n": 1}, {"n": 2}]"#)
}

#[test]
fn changes_each_item() {
    let cases = [
        ("item.m = item.n * 10; return item;", r#"[{"n":1,"m":10},{"n":2,"m":20}]"#),
        ("return { at: index };", r#"[{"at":0},{"at":1}]"#),
    ];
    for (text, expected) in cases {
        let trial = function(text);
        assert_eq!(trial.gives(), expected, "{text}");
        assert_eq!(links(&trial.output(), 0), [[0], [1]], "{text}");
    }
}

#[test]
fn sets_binaries() {
    let output = function("setBinaryData({ data: { data: 'aGk=', mimeType: 'text/plain' } }); return item;").output();
    let items = output.outputs[0].as_ref().unwrap();
    assert_eq!(&*items[1].binary.as_ref().unwrap()["data"].data, "aGk=");
}

#[test]
fn refuses_other_results() {
    let cases = [
        ("", "No data got returned. Always return an object!"),
        ("return 5;", "The returned value has to be an object!"),
        ("if (index) throw new Error('second'); return item;", "second [Line 1 | Item Index: 1]"),
    ];
    for (text, message) in cases {
        assert_eq!(function(text).fails().message, message, "{text}");
    }
    let going_on = function("if (index) throw new Error('second'); return item;").goes_on().gives();
    assert_eq!(going_on, r#"[{"n":1},{"error":"second [Line 1 | Item Index: 1]"}]"#);
}
