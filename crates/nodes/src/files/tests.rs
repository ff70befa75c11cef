//! Encodings and formats by name.

use super::format::FileFormat;
use super::text_encoding::{decode, encode};

#[test]
fn text_survives_every_encoding_that_can_hold_it() {
    let table = [
        ("utf8", "Žluťoučký 🐎"),
        ("UTF-8", "é"),
        ("utf16le", "é🐎"),
        ("utf16be", "é🐎"),
        ("latin1", "é ÿ"),
        ("windows1252", "€ é"),
        ("cp1250", "ěščř"),
        ("iso88592", "ěščř"),
        ("windows1251", "Привет"),
        ("koi8r", "Привет"),
        ("shiftjis", "日本"),
        ("eucjp", "日本"),
        ("gb18030", "汉字"),
        ("big5", "漢字"),
        ("hex", "00ff"),
        ("base64", "AP8="),
    ];
    for (name, text) in table {
        assert_eq!(decode(&encode(text, name, false).unwrap(), Some(name), true).unwrap(), text, "{name}");
    }
}

#[test]
fn what_an_encoding_cannot_hold_becomes_a_question_mark() {
    assert_eq!(encode("aěb", "windows1256", false).unwrap(), b"a?b");
    assert_eq!(encode("é🐎", "ascii", false).unwrap(), b"??");
    assert_eq!(encode(&"🐎".repeat(5000), "windows1252", false).unwrap(), b"?".repeat(5000));
}

#[test]
fn byte_order_marks_are_added_and_stripped_when_asked() {
    assert_eq!(encode("a", "utf8", true).unwrap(), b"\xef\xbb\xbfa");
    assert_eq!(decode(b"\xef\xbb\xbfa", Some("utf8"), true).unwrap(), "a");
    assert_eq!(decode(b"\xef\xbb\xbfa", Some("utf8"), false).unwrap(), "\u{feff}a");
    assert_eq!(encode("a", "utf16le", true).unwrap(), [0xff, 0xfe, 0x61, 0]);
}

#[test]
fn the_encoding_is_guessed_where_none_is_named() {
    assert_eq!(decode("Žluťoučký".as_bytes(), None, true).unwrap(), "Žluťoučký");
    let cyrillic = "Съешь же ещё этих мягких французских булок, да выпей чаю";
    assert_eq!(decode(&encode(cyrillic, "windows1251", false).unwrap(), None, true).unwrap(), cyrillic);
    assert_eq!(decode(b"caf\xe9 au lait", None, true).unwrap(), "café au lait");
}

#[test]
fn unknown_encodings_and_wrong_text_are_errors() {
    assert!(encode("a", "klingon", false).unwrap_err().message.contains("klingon"));
    assert!(decode(b"a", Some("klingon"), false).is_err());
    assert!(encode("xyz", "hex", false).is_err());
    assert!(encode("abc", "hex", false).is_err());
    assert!(encode("???", "base64", false).is_err());
}

#[test]
fn formats_are_told_by_their_first_bytes() {
    let table = [
        (&b"PK\x03\x04...."[..], Some(FileFormat::Xlsx)),
        (b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet", Some(FileFormat::Ods)),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some(FileFormat::Xls)),
        (b"{\\rtf1", Some(FileFormat::Rtf)),
        (b" <!DOCTYPE html><table>", Some(FileFormat::Html)),
        (b"a,b", None),
        (b"", None),
    ];
    for (bytes, format) in table {
        assert_eq!(FileFormat::sniff(bytes), format);
    }
}
