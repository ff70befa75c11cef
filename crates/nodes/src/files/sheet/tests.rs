//! Every format written is read back; what is malformed is an error.

use millrace_model::{Item, Value};

use super::*;

fn items(rows: &str) -> Vec<Item> {
    let rows = Value::from_json(rows).unwrap();
    rows.as_array().unwrap().iter().cloned().map(Item::new).collect()
}

fn records(sheet: Sheet) -> String {
    let rows = to_records(sheet, &RecordOptions::default()).unwrap();
    Value::array(rows.into_iter().map(Value::from)).to_json()
}

#[test]
fn every_format_is_read_back() {
    let rows = r#"[{"name":"Ann \"the\" <b>","n":1.5,"ok":true},{"name":"Žofie, é","n":-2,"ok":false}]"#;
    let sheet = from_objects(&items(rows), Header::FirstRow);
    let formats =
        [FileFormat::Csv, FileFormat::Html, FileFormat::Xlsx, FileFormat::Xls, FileFormat::Ods, FileFormat::Rtf];
    for format in formats {
        for compress in [false, true] {
            let bytes = write(&sheet, "Sheet", format, compress).unwrap();
            assert_eq!(records(read(&bytes, format, &ReadOptions::default()).unwrap()), rows, "{format:?}");
        }
    }
}

#[test]
fn sheets_are_found_by_name() {
    let sheet = from_objects(&items(r#"[{"a":1}]"#), Header::FirstRow);
    let bytes = write(&sheet, "Numbers", FileFormat::Xlsx, true).unwrap();
    let named = |name: &str| ReadOptions { sheet_name: Some(name.into()), raw: false };
    assert!(read(&bytes, FileFormat::Xlsx, &named("Numbers")).is_ok());
    let problem = read(&bytes, FileFormat::Xlsx, &named("Other")).unwrap_err();
    assert_eq!(problem, "Spreadsheet does not contain sheet called \"Other\"!");
}

#[test]
fn kinds_of_cells_are_guessed_from_text() {
    let table = [
        ("12", Cell::Number(12.0)),
        ("-1.5e2", Cell::Number(-150.0)),
        ("1,234.5", Cell::Number(1234.5)),
        ("12,34", Cell::Text("12,34".into())),
        ("$3.50", Cell::Number(3.5)),
        ("50%", Cell::Number(0.5)),
        ("(7)", Cell::Number(-7.0)),
        ("TRUE", Cell::Bool(true)),
        ("2024-01-01", Cell::Number(45_292.0)),
        ("2024-01-01T12:00:00Z", Cell::Number(45_292.5)),
        ("1/31/2024", Cell::Number(45_322.0)),
        ("2024-13-01", Cell::Text("2024-13-01".into())),
        ("e5", Cell::Text("e5".into())),
        ("-", Cell::Text("-".into())),
        ("", Cell::Empty),
    ];
    for (text, cell) in table {
        assert_eq!(infer::cell(text), cell, "{text:?}");
    }
}

#[test]
fn headers_are_made_unique_and_blank_rows_left_out() {
    let sheet = read(b"a,a,,b\n1,2,3,4\n,,,\n5,,,", FileFormat::Csv, &ReadOptions::default()).unwrap();
    assert_eq!(records(sheet), r#"[{"a":1,"a_1":2,"__EMPTY":3,"b":4},{"a":5}]"#);
}

#[test]
fn ranges_cut_the_sheet() {
    let sheet = read(b"a,b,c\n1,2,3\n4,5,6", FileFormat::Csv, &ReadOptions::default()).unwrap();
    let cut =
        |range: &str| to_records(sheet.clone(), &RecordOptions { range: Some(range.into()), ..Default::default() });
    let json = |range: &str| Value::array(cut(range).unwrap().into_iter().map(Value::from)).to_json();
    assert_eq!(json("B1:C2"), r#"[{"b":2,"c":3}]"#);
    assert_eq!(json("Sheet1!$A$2:$B$3"), r#"[{"1":4,"2":5}]"#);
    assert_eq!(json("1"), r#"[{"1":4,"2":5,"3":6}]"#);
    for wrong in ["B0:C2", "1:2", "?", "AAAA1"] {
        assert!(cut(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn blank_rows_stay_where_no_row_names_the_fields() {
    let sheet = read(b"1,2\n,\n3,4", FileFormat::Csv, &ReadOptions::default()).unwrap();
    let rows = |range: Option<&str>| {
        let options = RecordOptions { header: Header::None, range: range.map(Into::into), ..Default::default() };
        Value::array(to_records(sheet.clone(), &options).unwrap().into_iter().map(Value::from)).to_json()
    };
    assert_eq!(rows(None), r#"[{"row":[1,2]},{"row":[]},{"row":[3,4]}]"#);
    assert_eq!(rows(Some("B3:B5")), r#"[{"row":[4]},{"row":[]},{"row":[]}]"#);
    assert_eq!(rows(Some("A1048576:A9999999999")), r#"[{"row":[]}]"#);
}

#[test]
fn empty_text_is_text() {
    let sheet = from_objects(&items(r#"[{"a":"","b":1},{"b":2}]"#), Header::FirstRow);
    let bytes = write(&sheet, "Sheet", FileFormat::Ods, true).unwrap();
    let rows = records(read(&bytes, FileFormat::Ods, &ReadOptions::default()).unwrap());
    assert_eq!(rows, r#"[{"a":"","b":1},{"b":2}]"#);
}

#[test]
fn indented_ods_is_read() {
    let sheet = from_objects(&items(r#"[{"a":"two  words","b":1}]"#), Header::FirstRow);
    let bytes = write(&sheet, "Sheet", FileFormat::Ods, false).unwrap();
    let indent = |xml: &str| {
        xml.replace("<table:table-", "\n   <table:table-").replace("</table:table-row>", "\r\n</table:table-row>")
    };
    let indented = archive::changed(&bytes, "content.xml", indent).unwrap();
    assert_ne!(indented, bytes);
    let rows = records(read(&indented, FileFormat::Ods, &ReadOptions::default()).unwrap());
    assert_eq!(rows, r#"[{"a":"two  words","b":1}]"#);
}

#[test]
fn csv_records_are_text_and_strict() {
    let options = CsvRead {
        delimiter: ",".into(),
        header: true,
        from_line: 1,
        max_rows: None,
        strip_bom: true,
        include_empty: false,
        relax_quotes: false,
        skip_errors: false,
    };
    let read = |text: &str, options: &CsvRead| {
        read_records(text, options).map(|rows| Value::array(rows.into_iter().map(Value::from)).to_json())
    };
    assert_eq!(read("\u{feff}a,b\n1,\n\"x\"\"y\",2\n", &options).unwrap(), r#"[{"a":"1"},{"a":"x\"y","b":"2"}]"#);
    let kept = CsvRead { strip_bom: false, ..options.clone() };
    assert_eq!(read("\u{feff}a,b\n1,2", &kept).unwrap(), "[{\"\u{feff}a\":\"1\",\"b\":\"2\"}]");
    let problem = read("a,b\n1\n", &options).unwrap_err();
    assert_eq!(problem, "Invalid Record Length: columns length is 2, got 1 on line 2");
    assert_eq!(
        read("a,b\n1\n2,3", &CsvRead { skip_errors: true, ..options.clone() }).unwrap(),
        r#"[{"a":"2","b":"3"}]"#
    );
    assert!(read("a\nx\"y", &options).unwrap_err().starts_with("Invalid Opening Quote"));
    assert!(read("a\n\"y", &options).unwrap_err().starts_with("Quote Not Closed"));
    assert_eq!(read("a\nx\"y", &CsvRead { relax_quotes: true, ..options.clone() }).unwrap(), r#"[{"a":"x\"y"}]"#);
    let last = CsvRead { from_line: 2, max_rows: Some(1), header: false, ..options.clone() };
    assert_eq!(
        read("skip\n1;2\n3", &CsvRead { delimiter: ";".into(), ..last }).unwrap(),
        r#"[{"row":{"0":"1","1":"2"}}]"#
    );
    assert!(read("a", &CsvRead { delimiter: "::".into(), ..options }).is_err());
}

#[test]
fn what_is_not_the_format_is_an_error() {
    let formats = [FileFormat::Xlsx, FileFormat::Xls, FileFormat::Ods, FileFormat::Rtf, FileFormat::Html];
    for format in formats {
        for bytes in [&b""[..], b"PK\x03\x04 not really", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 short", &[0xff; 700]] {
            assert!(read(bytes, format, &ReadOptions::default()).is_err(), "{format:?} {bytes:?}");
        }
    }
}

#[test]
fn nested_objects_become_dotted_columns() {
    let sheet = from_objects(&items(r#"[{"a":{"b":1,"c":{"d":[1,2]}},"e":null},{"f":"x"}]"#), Header::FirstRow);
    let csv = String::from_utf8(write_csv(&sheet, ";")).unwrap();
    assert_eq!(csv, "\u{feff}a.b;a.c.d.0;a.c.d.1;e;f\n1;1;2;;\n;;;;x");
}

#[test]
fn an_xls_that_would_not_fit_is_refused() {
    let sheet = Sheet { rows: vec![vec![Cell::Number(1.0); 257]], first_column: 0 };
    assert!(write(&sheet, "Sheet", FileFormat::Xls, false).unwrap_err().contains("write XLSX instead"));
}

#[test]
fn columns_are_named_like_in_spreadsheets() {
    let table = [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")];
    for (index, name) in table {
        assert_eq!(column_name(index), name);
    }
}

/// A container with one part of so many zeros.
fn container(part: &str, zeros: usize) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(part, zip::write::SimpleFileOptions::default()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..zeros >> 20 {
        archive.write_all(&block).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn files_that_unpack_without_end_are_refused() {
    for (format, part) in [(FileFormat::Xlsx, "xl/workbook.xml"), (FileFormat::Ods, "content.xml")] {
        let bomb = container(part, 300 << 20);
        assert!(bomb.len() < 1 << 20, "small as a file: {}", bomb.len());
        let problem = read(&bomb, format, &ReadOptions::default()).unwrap_err();
        assert_eq!(problem, "the file unpacks to more than 268 MB", "{format:?}");
    }
}

#[test]
fn workbooks_are_compressed_when_asked() {
    let sheet = from_objects(&items(&format!(r#"[{{"a":"{}"}}]"#, "x".repeat(9000))), Header::FirstRow);
    for format in [FileFormat::Xlsx, FileFormat::Ods] {
        let length = |compress| write(&sheet, "Sheet", format, compress).unwrap().len();
        assert!(length(false) > length(true) + 8000, "{format:?}");
    }
}
