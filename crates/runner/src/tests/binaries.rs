//! Descriptions of bytes.

use crate::describe_binary;

#[test]
fn type_kind_and_extension() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    // Bytes, file name, media type given; then media type, kind, extension, name, directory ("-" for none).
    let table: [(&[u8], &str, &str, &str); 11] = [
        (b"hello", "", "", "text/plain text - - -"),
        (b"hello", "a.json", "", "application/json json json a.json -"),
        (b"hello", "/data/files/a.CSV", "", "text/csv text CSV a.CSV /data/files"),
        (png, "", "", "image/png image png - -"),
        (png, "picture", "", "image/png image png picture -"),
        (png, "a.pdf", "", "application/pdf pdf pdf a.pdf -"),
        (b"x", "", "text/html", "text/html html html - -"),
        (b"x", "", "image/jpeg", "image/jpeg image jpeg - -"),
        (b"x", "report.txt", "text/csv", "text/csv text txt report.txt -"),
        (b"x", "", "text/csv; charset=utf-8", "text/csv; charset=utf-8 text csv - -"),
        (b"x", "", "application/x-none", "application/x-none - - - -"),
    ];
    for (bytes, name, mime_type, expected) in table {
        let binary = describe_binary(bytes, Some(name), Some(mime_type));
        let parts =
            [Some(binary.mime_type), binary.file_type, binary.file_extension, binary.file_name, binary.directory];
        let parts: Vec<_> = parts.iter().map(|part| part.as_deref().unwrap_or("-")).collect();
        assert_eq!(parts.join(" "), expected, "{name} {mime_type}");
    }
    let sized = describe_binary(&[0; 1040], None, None);
    assert_eq!((sized.file_size.as_deref(), sized.bytes), (Some("1.04 kB"), Some(1040)));
}
