//! Move Binary Data, by tables.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::testing::trial;

const FILE: &str = r#"[{"json": {"k": 1}, "binary": {
    "data": {"data": "77u/eyJhIjoyfQ==", "mimeType": "application/json"}, "other": {"data": "eA==", "mimeType": "text/plain"}}}]"#;

#[test]
fn makes_json_of_files() {
    let table = [
        (r#"{}"#, r#"[{"a":2}]"#, vec!["other"]),
        (r#"{"setAllData": false}"#, r#"[{"k":1,"data":"{\"a\":2}"}]"#, vec!["other"]),
        (
            r#"{"setAllData": false, "destinationKey": "x.y", "options": {"jsonParse": true}}"#,
            r#"[{"k":1,"x":{"y":{"a":2}}}]"#,
            vec!["other"],
        ),
        (
            r#"{"setAllData": false, "options": {"keepAsBase64": true, "keepSource": true}}"#,
            r#"[{"k":1,"data":"77u/eyJhIjoyfQ=="}]"#,
            vec!["data", "other"],
        ),
        (
            r#"{"setAllData": false, "sourceKey": "other", "options": {"encoding": "base64"}}"#,
            r#"[{"k":1,"data":"eA=="}]"#,
            vec!["data"],
        ),
        (r#"{"sourceKey": "missing"}"#, "[]", vec![]),
    ];
    for (parameters, expected, kept) in table {
        let output = trial("moveBinaryData").parameters(parameters).input(FILE).output();
        assert_eq!(crate::testing::shown(&output, 0), expected, "{parameters}");
        let items = output.outputs[0].as_ref().unwrap();
        let names = items.iter().filter_map(|item| item.binary.as_ref()).flat_map(|binaries| binaries.keys());
        assert_eq!(names.collect::<Vec<_>>(), kept, "{parameters}");
    }
    let broken = trial("moveBinaryData").parameters(r#"{"sourceKey": "other"}"#).input(FILE).fails().message;
    assert!(broken.starts_with("The file is not valid JSON: "), "{broken}");
}

#[test]
fn makes_files_of_json() {
    let table = [
        (1.1, r#"{}"#, r#"{"a":"é"}"#, "application/json", "{}"),
        (1.1, r#"{"convertAllData": false, "sourceKey": "a"}"#, r#""é""#, "application/json", "{}"),
        (
            1.1,
            r#"{"convertAllData": false, "sourceKey": "a", "options": {"useRawData": true, "keepSource": true, "mimeType": "text/plain"}}"#,
            "é",
            "text/plain",
            r#"{"a":"é"}"#,
        ),
        (
            1.0,
            r#"{"convertAllData": false, "sourceKey": "a", "options": {"useRawData": true}}"#,
            "é",
            "application/json",
            "{}",
        ),
    ];
    for (version, parameters, content, kind, json) in table {
        let parameters = parameters.replacen('{', r#"{"mode": "jsonToBinary", "#, 1).replace(", }", "}");
        let output = trial("moveBinaryData").version(version).parameters(&parameters).input(r#"[{"a": "é"}]"#).output();
        let item = &output.outputs[0].as_ref().unwrap()[0];
        let file = &item.binary.as_ref().unwrap()["data"];
        assert_eq!(String::from_utf8(STANDARD.decode(&*file.data).unwrap()).unwrap(), content, "{parameters}");
        assert_eq!((file.mime_type.as_str(), item.json.to_json().as_str()), (kind, json), "{parameters}");
        assert_eq!(file.file_name.as_deref(), (version > 1.0).then_some("file"), "{parameters}");
    }
    let bad = r#"{"mode": "jsonToBinary", "convertAllData": false, "sourceKey": "a", "options": {"useRawData": true, "dataIsBase64": true}}"#;
    let error = trial("moveBinaryData").parameters(bad).input(r#"[{"a": "é"}]"#).fails();
    assert_eq!(error.message, "The data is not base64 text");
}
