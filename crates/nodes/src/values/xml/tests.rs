//! XML, by tables.

use crate::testing::trial;
use millrace_model::{Object, Value};

fn read(xml: &str, options: &str) -> crate::testing::Trial {
    let item = Value::array([Object::from([("data", xml.into())]).into()]).to_json();
    trial("xml").parameters(&format!(r#"{{"options": {options}}}"#)).input(&item)
}

#[test]
fn reads_documents() {
    let table = [
        ("<a><b>1</b><b>2</b></a>", "{}", r#"[{"a":{"b":["1","2"]}}]"#),
        ("<a x='1'>t</a>", "{}", r#"[{"a":{"x":"1","_":"t"}}]"#),
        ("<a x='1'>t</a>", r#"{"mergeAttrs": false}"#, r#"[{"a":{"$":{"x":"1"},"_":"t"}}]"#),
        ("<a x='1'>t</a>", r#"{"ignoreAttrs": true}"#, r#"[{"a":"t"}]"#),
        ("<a x='1'><x>2</x></a>", "{}", r#"[{"a":{"x":["1","2"]}}]"#),
        ("<a><b/></a>", r#"{"explicitArray": true}"#, r#"[{"a":{"b":[""]}}]"#),
        ("<a><B>x</B></a>", r#"{"explicitRoot": false, "normalizeTags": true}"#, r#"[{"b":"x"}]"#),
        ("<a> x  y </a>", r#"{"trim": true}"#, r#"[{"a":"x  y"}]"#),
        ("<a> x  y </a>", r#"{"normalize": true}"#, r#"[{"a":"x y"}]"#),
        ("<?xml version='1.0'?><!-- c --><a>&lt;&#65;&amp;<![CDATA[<b>]]></a>", "{}", r#"[{"a":"<A&<b>"}]"#),
        ("\u{feff}<a:b xmlns:a='u'>1</a:b>", "{}", r#"[{"a:b":{"xmlns:a":"u","_":"1"}}]"#),
        ("", "{}", "[{}]"),
    ];
    for (xml, options, expected) in table {
        assert_eq!(read(xml, options).gives(), expected, "{xml} {options}");
    }
}

#[test]
fn refuses_what_is_no_document() {
    let bomb = "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>";
    let deep = "<a>".repeat(200);
    for xml in ["<a>", "<a></b>", "text", "<a/><b/>", "<a>&nope;</a>", bomb, &deep] {
        let message = read(xml, "{}").fails().message;
        assert!(message.starts_with("The XML is not valid: "), "{xml} {message}");
    }
    assert_eq!(trial("xml").fails().message, "Item has no JSON property called \"data\"");
}

#[test]
fn writes_documents() {
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let table = [
        (r#"{"a": {"b": 1, "c": null, "d": ""}}"#, "{}", "<a>\n  <b>1</b>\n  <c/>\n  <d/>\n</a>"),
        (
            r#"{"a": 1, "b": [true, {"x": "<&>"}]}"#,
            "{}",
            "<root>\n  <a>1</a>\n  <b>true</b>\n  <b>\n    <x>&lt;&amp;&gt;</x>\n  </b>\n</root>",
        ),
        (r#"{"a": {"$": {"id": "1\""}, "_": "t"}}"#, "{}", "<a id=\"1&quot;\">t</a>"),
        (r#"{"a": {"@": {"id": 1}}}"#, r#"{"attrkey": "@", "rootName": "top"}"#, "<top>\n  <a id=\"1\"/>\n</top>"),
        (r#"{"a": "x<y"}"#, r#"{"cdata": true}"#, "<a><![CDATA[x<y]]></a>"),
    ];
    for (json, options, expected) in table {
        let parameters = format!(r#"{{"mode": "jsonToxml", "options": {options}}}"#);
        let given = trial("xml").parameters(&parameters).input(&format!("[{json}]")).output();
        let xml = given.outputs[0].as_ref().unwrap()[0].json.get("data").unwrap().to_js_string();
        assert_eq!(xml, format!("{HEAD}{expected}"), "{json}");
    }
    let headless =
        trial("xml").parameters(r#"{"mode": "jsonToxml", "options": {"headless": true}}"#).input(r#"[{"a": 1}]"#);
    assert_eq!(headless.gives(), r#"[{"data":"<a>1</a>"}]"#);
    let bad = trial("xml").parameters(r#"{"mode": "jsonToxml"}"#).input(r#"[{"a b": 1}]"#).fails();
    assert_eq!(bad.message, "Invalid character in name: a b");
}
