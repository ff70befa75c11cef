//! Code, by tables.

use crate::testing::{links, shown, trial};

const ITEMS: &str = r#"[{"n": 1}, {"n": 2}]"#;

fn code(mode: &str, text: &str) -> crate::testing::Trial {
    let parameters = format!(r#"{{"mode": "{mode}", "jsCode": {}}}"#, millrace_model::Value::from(text).to_json());
    trial("code").parameters(&parameters).input(ITEMS)
}

#[test]
fn runs_once_for_all_items() {
    let cases = [
        ("return $input.all();", r#"[{"n":1},{"n":2}]"#),
        ("return items.map((item) => ({ json: { twice: item.json.n * 2 } }));", r#"[{"twice":2},{"twice":4}]"#),
        ("return { sum: items.reduce((sum, item) => sum + item.json.n, 0) };", r#"[{"sum":3}]"#),
        ("return null;", "[]"),
        ("return await Promise.resolve([]);", "[]"),
        ("items[0].json.n = 9; return items.slice(0, 1);", r#"[{"n":9}]"#),
    ];
    for (text, expected) in cases {
        assert_eq!(code("runOnceForAllItems", text).gives(), expected, "{text}");
    }
}

#[test]
fn runs_once_for_each_item() {
    let cases = [
        ("return $input.item;", r#"[{"n":1},{"n":2}]"#),
        ("item.json.at = $itemIndex; return item;", r#"[{"n":1,"at":0},{"n":2,"at":1}]"#),
        ("return $json.n > 1 ? { json: { big: true } } : null;", r#"[{"big":true}]"#),
    ];
    for (text, expected) in cases {
        assert_eq!(code("runOnceForEachItem", text).gives(), expected, "{text}");
    }
    let output = code("runOnceForEachItem", "return $json.n > 1 ? {} : null;").output();
    assert_eq!(links(&output, 0), [[1]]);
}

#[test]
fn says_what_is_wrong_and_where() {
    let cases = [
        ("runOnceForAllItems", "return 5;", "Code doesn't return items properly"),
        ("runOnceForAllItems", "\nthrow new Error('no');", "no [line 2]"),
        ("runOnceForAllItems", "return missing;", "missing is not defined [line 1]"),
        ("runOnceForEachItem", "return [1];", "Code doesn't return a single object [item 0]"),
        ("runOnceForEachItem", "if ($json.n > 1) throw new Error('two'); return {};", "two [line 1, for item 1]"),
    ];
    for (mode, text, message) in cases {
        assert_eq!(code(mode, text).fails().message, message, "{text}");
    }
    let syntax = code("runOnceForAllItems", "return (;").fails();
    assert_eq!(syntax.name, "SyntaxError");
}

#[test]
fn goes_on_after_errors_where_told() {
    let text = "if ($json.n > 1) throw new Error('two'); return { ok: 1 };";
    let output = code("runOnceForEachItem", text).goes_on().output();
    assert_eq!(shown(&output, 0), r#"[{"ok":1},{"error":"two [line 1, for item 1]"}]"#);
    let output = code("runOnceForAllItems", "throw new Error('all')").goes_on().output();
    assert_eq!(shown(&output, 0), r#"[{"error":"all [line 1]"}]"#);
}

#[test]
fn keeps_what_is_logged() {
    let output = code("runOnceForAllItems", "console.log('a', { b: 1 }); return [];").output();
    assert_eq!(output.console.len(), 1);
    assert!(output.console[0].starts_with("a "), "{:?}", output.console);
}

#[test]
fn makes_binaries_and_requests() {
    let text = "const data = await this.helpers.prepareBinaryData(Buffer.from('hi'), 'a.txt', 'text/plain'); return [{ json: {}, binary: { data } }];";
    let output = code("runOnceForAllItems", text).output();
    let binary = output.outputs[0].as_ref().unwrap()[0].binary.clone().unwrap();
    assert_eq!((&*binary["data"].data, binary["data"].mime_type.as_str()), ("aGk=", "text/plain"));
    let text = "const found = await this.helpers.httpRequest({ url: 'https://example.com/a', qs: { q: 'x y' }, method: 'POST', body: { k: 1 }, json: true }); return found;";
    let trial = code("runOnceForAllItems", text)
        .world(|world| world.answering([crate::testing::Answer::json(200, r#"[{"ok": true}]"#)]));
    assert_eq!(trial.gives(), r#"[{"ok":true}]"#);
    let sent = ("POST".to_owned(), "https://example.com/a?q=x+y".to_owned(), r#"{"k":1}"#.to_owned());
    assert_eq!(trial.world.sent(), [sent]);
    let failing =
        code("runOnceForAllItems", text).world(|world| world.answering([crate::testing::Answer::json(404, "{}")]));
    assert!(failing.fails().message.starts_with("Request failed with status code 404"));
}

#[test]
fn refuses_other_languages() {
    let error = trial("code").parameters(r#"{"language": "python", "pythonCode": "return []"}"#).fails();
    assert!(error.message.contains("JavaScript"), "{}", error.message);
}
