//! Compression, there and back, and what tries to grow without end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::testing::{Trial, json, trial};

const FILES: &str = r#"[{"json": {"k": 1}, "binary": {
    "a": {"data": "aGVsbG8gaGVsbG8gaGVsbG8=", "mimeType": "text/plain", "fileName": "a.txt", "fileExtension": "txt"},
    "b": {"data": "eHl6", "mimeType": "image/png", "fileName": "b.png", "fileExtension": "png"}}}]"#;

/// Name and bytes of each binary that a node puts out, and the items as JSON for the next node.
fn binaries(trial: &Trial) -> (Vec<(String, String, String)>, String) {
    let output = trial.output();
    let items = output.outputs[0].as_ref().unwrap();
    let binaries = items[0].binary.as_ref().unwrap();
    let text = |data: &str| String::from_utf8_lossy(&STANDARD.decode(data).unwrap()).into_owned();
    let found = binaries
        .iter()
        .map(|(name, data)| {
            (name.to_string(), data.file_name.as_deref().unwrap_or_default().to_owned(), text(&data.data))
        })
        .collect();
    (found, serde_json::to_string(&**items).unwrap())
}

#[test]
fn packs_and_unpacks() {
    let table = [
        (
            r#"{"operation": "compress", "binaryPropertyName": "a, b", "outputFormat": "zip", "fileName": "all.zip"}"#,
            1.1,
            "data",
            "data",
        ),
        (
            r#"{"operation": "compress", "binaryPropertyName": "a, b", "outputFormat": "gzip"}"#,
            1.1,
            "data, data1",
            "data",
        ),
        (
            r#"{"operation": "compress", "binaryPropertyName": "a, b", "outputFormat": "gzip", "outputPrefix": "p_"}"#,
            1.0,
            "p_0, p_1",
            "p_0",
        ),
    ];
    for (parameters, version, made, first) in table {
        let (packed, items) = binaries(&trial("compression").version(version).parameters(parameters).input(FILES));
        let names: Vec<&str> = packed.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!((names.join(", ").as_str(), names[0]), (made, first), "{parameters}");
        let unpack = format!(r#"{{"binaryPropertyName": "{made}"}}"#);
        let back = trial("compression").parameters(&unpack).input(&items);
        let (files, _) = binaries(&back);
        let contents: Vec<(&str, &str)> = files.iter().map(|(name, _, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(contents, [("file_0", "hello hello hello"), ("file_1", "xyz")], "{parameters}");
        assert_eq!(back.gives(), r#"[{"k":1}]"#);
    }
}

#[test]
fn keeps_the_names_of_files_in_archives() {
    let pack = r#"{"operation": "compress", "binaryPropertyName": "a,b", "fileName": "all.zip"}"#;
    let (_, items) = binaries(&trial("compression").parameters(pack).input(FILES));
    let (files, _) = binaries(&trial("compression").parameters(r#"{"outputPrefix": "x"}"#).input(&items));
    assert_eq!(files[0], ("x0".into(), "a.txt".into(), "hello hello hello".into()));
    assert_eq!(files[1].1, "b.png");
}

#[test]
fn names_gzip_files_as_each_version_does() {
    for (version, name) in [(1.0, "a.gzip"), (1.1, "a.gz")] {
        let pack =
            r#"{"operation": "compress", "binaryPropertyName": "a", "outputFormat": "gzip", "outputPrefix": "p"}"#;
        let (packed, _) = binaries(&trial("compression").version(version).parameters(pack).input(FILES));
        assert_eq!(packed[0].1, name);
    }
}

#[test]
fn refuses_what_is_no_archive() {
    let broken = r#"[{"json": {}, "binary": {"data": {"data": "eHl6", "mimeType": "application/zip", "fileExtension": "EXT"}}}]"#;
    for (extension, message) in [("zip", "invalid zip data"), ("gz", "invalid gzip data")] {
        let error = trial("compression").input(&broken.replace("EXT", extension)).fails();
        assert_eq!(error.message, message);
    }
    let missing = trial("compression").fails().message;
    assert!(missing.contains("expects the node's input data to contain a binary file 'data'"), "{missing}");
    let failed = trial("compression").goes_on().gives();
    assert!(json(&failed).as_array().unwrap()[0].get("error").is_some());
}
