//! HTML Extract, by tables.

use crate::testing::trial;

#[test]
fn extracts_plain_text() {
    let table = [
        (
            r#"{"key": "k", "cssSelector": "li", "returnArray": true}"#,
            r#"{"trimValues": true}"#,
            r#"[{"k":["a","b c"]}]"#,
        ),
        (
            r#"{"key": "k", "cssSelector": "li", "returnArray": true}"#,
            r#"{"trimValues": false}"#,
            r#"[{"k":[" a ","b c"]}]"#,
        ),
        (r#"{"key": "k", "cssSelector": "li"}"#, "{}", r#"[{"k":"a b c"}]"#),
        (r#"{"key": "k", "cssSelector": "script"}"#, "{}", r#"[{"k":""}]"#),
    ];
    for (values, options, expected) in table {
        let parameters = format!(r#"{{"extractionValues": {{"values": [{values}]}}, "options": {options}}}"#);
        let items = r#"[{"data": "<ul><li> a </li><li>b <i>c</i></li></ul>"}]"#;
        assert_eq!(trial("htmlExtract").parameters(&parameters).input(items).gives(), expected, "{values}");
    }
}

#[test]
fn reads_files_and_lists() {
    let values = r#""extractionValues": {"values": [{"key": "k", "cssSelector": "p"}]}"#;
    let file = r#"[{"json": {}, "binary": {"page": {"data": "PHA+eDwvcD4=", "mimeType": "text/html"}}}]"#;
    let parameters = format!(r#"{{"sourceData": "binary", "dataPropertyName": "page", {values}}}"#);
    assert_eq!(trial("htmlExtract").parameters(&parameters).input(file).gives(), r#"[{"k":"x"}]"#);
    let list = r#"[{"data": ["<p>1</p>", "<p>2</p>"]}]"#;
    assert_eq!(
        trial("htmlExtract").parameters(&format!("{{{values}}}")).input(list).gives(),
        r#"[{"k":"1"},{"k":"2"}]"#
    );
}
