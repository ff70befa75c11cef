//! The file nodes, by tables: files in and out of a played disk, formats made and read back, and what is not what it claims.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::Item;

use crate::testing::{Trial, World, trial};

/// An item with one binary.
fn with_file(content: &[u8], mime_type: &str, name: &str) -> String {
    let data = STANDARD.encode(content);
    format!(
        r#"[{{"json": {{"k": 1}}, "binary": {{"data": {{"data": "{data}", "mimeType": "{mime_type}", "fileName": "{name}"}}}}}}]"#
    )
}

/// The bytes of the first item's binary.
fn made(trial: &Trial, property: &str) -> Vec<u8> {
    let output = trial.output();
    let items: Vec<Item> = output.outputs[0].as_ref().unwrap().iter().cloned().collect();
    STANDARD.decode(items[0].binary.as_ref().unwrap()[property].data.as_bytes()).unwrap()
}

#[test]
fn files_are_read_and_written() {
    let disk = |world: World| world.file("/d/a.txt", b"one").file("/d/b.txt", b"two");
    let one = trial("readBinaryFile").parameters(r#"{"filePath": "/d/a.txt"}"#).world(disk);
    assert_eq!(made(&one, "data"), b"one");
    let all =
        trial("readBinaryFiles").parameters(r#"{"fileSelector": "/d/*.txt", "dataPropertyName": "f"}"#).world(disk);
    assert_eq!(all.output().outputs[0].as_ref().unwrap().len(), 2);
    let read = trial("readWriteFile").parameters(r#"{"operation": "read", "fileSelector": "/d/b.txt"}"#).world(disk);
    assert_eq!(made(&read, "data"), b"two");
    for (node, parameters) in [
        ("writeBinaryFile", r#"{"fileName": "/d/a.txt", "options": {"append": true}}"#),
        ("readWriteFile", r#"{"operation": "write", "fileName": "/d/a.txt", "options": {"append": true}}"#),
    ] {
        let written = trial(node).parameters(parameters).input(&with_file(b"+", "text/plain", "x")).world(disk);
        written.output();
        assert_eq!(written.world.files.lock().unwrap()["/d/a.txt"], &b"one+"[..], "{node}");
    }
    let missing = trial("readBinaryFile").parameters(r#"{"filePath": "/d/none"}"#).world(disk);
    assert_eq!(missing.fails().context.get("itemIndex"), Some(&0.into()));
    assert_eq!(missing.goes_on().gives(), r#"[{"error":"The file \"/d/none\" could not be accessed."}]"#);
}

#[test]
fn formats_are_made_and_read_back() {
    let rows = r#"[{"a":1,"b":"x"},{"a":2,"b":"y"}]"#;
    for format in ["csv", "html", "ods", "xls", "xlsx"] {
        let file = trial("convertToFile").parameters(&format!(r#"{{"operation": "{format}"}}"#)).input(rows);
        let bytes = made(&file, "data");
        let back = trial("extractFromFile").parameters(&format!(r#"{{"operation": "{format}"}}"#));
        let back = back.input(&with_file(&bytes, "application/octet-stream", "f")).gives().replace('\u{feff}', "");
        let expected = if format == "csv" { rows.replace('1', "\"1\"").replace('2', "\"2\"") } else { rows.to_owned() };
        assert_eq!(back, expected, "{format}");
        let sheet = trial("spreadsheetFile").version(2.0);
        let sheet = sheet.parameters(&format!(r#"{{"operation": "fromFile", "fileFormat": "{format}"}}"#));
        assert_eq!(
            sheet.input(&with_file(&bytes, "application/octet-stream", "f")).gives().replace('\u{feff}', ""),
            expected,
            "{format}"
        );
    }
    let text = trial("extractFromFile").parameters(r#"{"operation": "text", "destinationKey": "t.u"}"#);
    assert_eq!(text.input(&with_file("é".as_bytes(), "text/plain", "f")).gives(), r#"[{"t":{"u":"é"}}]"#);
    let event = trial("iCal")
        .parameters(r#"{"title": "Talk", "start": "2024-05-06T10:00:00Z", "end": "2024-05-06T11:00:00Z"}"#);
    let event = String::from_utf8(made(&event, "data")).unwrap();
    assert!(event.contains("SUMMARY:Talk") && event.contains("BEGIN:VEVENT"), "{event}");
}

#[test]
fn what_is_not_what_it_claims_is_an_error_of_its_item() {
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let cases: [(&str, &str, &[u8]); 8] = [
        ("extractFromFile", r#"{"operation": "xlsx"}"#, b"PK\x03\x04 no workbook"),
        ("extractFromFile", r#"{"operation": "ods"}"#, b"text"),
        ("extractFromFile", r#"{"operation": "xls"}"#, b"\xd0\xcf\x11\xe0 cut"),
        ("extractFromFile", r#"{"operation": "fromJson"}"#, b"{no json"),
        ("extractFromFile", r#"{"operation": "fromJson"}"#, nested.as_bytes()),
        ("extractFromFile", r#"{"operation": "pdf"}"#, b"%PDF-1.4 cut"),
        ("readPDF", "{}", b"no document"),
        ("spreadsheetFile", r#"{"operation": "fromFile", "fileFormat": "xlsx"}"#, b"PK\x03\x04"),
    ];
    for (node, parameters, content) in cases {
        let trial = trial(node).parameters(parameters).input(&with_file(content, "application/octet-stream", "f"));
        let error = trial.fails();
        assert!(!error.message.is_empty(), "{node} {parameters}");
        let went_on = trial.goes_on().gives();
        assert!(went_on.starts_with(r#"[{"error":""#), "{node} {parameters}: {went_on}");
    }
    let absent = trial("extractFromFile").parameters(r#"{"operation": "csv"}"#).fails();
    assert!(absent.message.contains("binary file 'data'"), "{}", absent.message);
}
