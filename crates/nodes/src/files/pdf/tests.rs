//! Documents made here, read back; damaged ones.

use super::*;

/// A one-page document whose content stream is `content`.
fn document(content: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /Lang (en) >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        "<< /Title (A title) /Producer (By hand) >>".to_owned(),
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let start = pdf.len();
    pdf.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        pdf.push_str(&format!("{offset:010} 00000 n \n"));
    }
    pdf.push_str(&format!("trailer\n<< /Size {} /Root 1 0 R /Info 6 0 R >>\n", objects.len() + 1));
    pdf.push_str(&format!("startxref\n{start}\n%%EOF"));
    pdf.into_bytes()
}

const TWO_LINES: &str = "BT /F1 12 Tf 20 200 Td (First line) Tj 0 -20 Td (Second) Tj 60 0 Td (far) Tj ET";

#[test]
fn text_and_facts_are_read() {
    let result = read(&document(TWO_LINES), &PdfOptions::default()).unwrap();
    assert_eq!(result.get("text"), Some(&Value::from("First line\nSecond far")));
    assert_eq!(result.get("numpages"), Some(&Value::from(1)));
    let info = result.get("info").unwrap();
    assert_eq!(info.get("PDFFormatVersion"), Some(&Value::from("1.4")));
    assert_eq!(info.get("Language"), Some(&Value::from("en")));
    assert_eq!(info.get("Title"), Some(&Value::from("A title")));
    assert_eq!(info.get("IsLinearized"), Some(&Value::from(false)));
}

#[test]
fn pages_come_apart_when_asked() {
    let options = PdfOptions { separate_pages: true, ..PdfOptions::default() };
    let result = read(&document(TWO_LINES), &options).unwrap();
    assert_eq!(result.get("text").unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn damaged_documents_are_errors() {
    let whole = document(TWO_LINES);
    for bytes in [&b""[..], b"hello", b"%PDF-1.4", &[0; 4096]] {
        assert!(read(bytes, &PdfOptions::default()).is_err());
    }
    for length in (9..whole.len()).step_by(7) {
        let _ = read(&whole[..length], &PdfOptions::default());
    }
    for at in (9..whole.len()).step_by(5) {
        let mut broken = whole.clone();
        broken[at] ^= 0x5a;
        let _ = read(&broken, &PdfOptions::default());
    }
}

#[test]
fn metadata_is_read_by_qualified_name() {
    let xml = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>
        <dc:title><rdf:Alt><rdf:li>One</rdf:li></rdf:Alt></dc:title><xmp:CreatorTool>Tool</xmp:CreatorTool>
        <dc:subject><rdf:Bag><rdf:li>a</rdf:li><rdf:li>b</rdf:li></rdf:Bag></dc:subject>
        </rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let fields = metadata::parse(xml).unwrap();
    assert_eq!(Value::from(fields).to_json(), r#"{"dc:title":"One","xmp:creatortool":"Tool","dc:subject":["a","b"]}"#);
    assert_eq!(metadata::parse("<a/>"), None);
    assert_eq!(metadata::parse("<a"), None);
}
