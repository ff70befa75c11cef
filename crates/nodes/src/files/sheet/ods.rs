//! OpenDocument spreadsheets (ODF 1.2): the three files a reader needs, in a ZIP container.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Cell, Sheet};

const MIMETYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"#;
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet>"#;

pub(super) fn write(sheet: &Sheet, name: &str, compress: bool) -> Result<Vec<u8>, String> {
    pack(&content(sheet, name), compress).map_err(|problem| problem.to_string())
}

fn pack(content: &str, compress: bool) -> zip::result::ZipResult<Vec<u8>> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let method = if compress { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // The type comes first and uncompressed, so that it can be recognised (ODF 1.2 part 3, 3.3).
    let parts =
        [("mimetype", MIMETYPE, stored), ("META-INF/manifest.xml", MANIFEST, stored.compression_method(method))];
    for (path, text, options) in parts.into_iter().chain([("content.xml", content, stored.compression_method(method))])
    {
        archive.start_file(path, options)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

fn content(sheet: &Sheet, name: &str) -> String {
    let mut xml = format!("{HEAD}<table:table table:name=\"{}\">", escape(name));
    for row in &sheet.rows {
        xml.push_str("<table:table-row>");
        for cell in row {
            let shown = escape(&cell.shown());
            // Writing to a String cannot fail.
            let _ = match cell {
                Cell::Empty => write!(xml, "<table:table-cell/>"),
                Cell::Text(_) => {
                    let lines = shown.replace('\n', "</text:p><text:p>");
                    write!(
                        xml,
                        "<table:table-cell office:value-type=\"string\"><text:p>{lines}</text:p></table:table-cell>"
                    )
                }
                Cell::Number(_) => write!(
                    xml,
                    "<table:table-cell office:value-type=\"float\" office:value=\"{shown}\"><text:p>{shown}</text:p></table:table-cell>"
                ),
                Cell::Bool(value) => write!(
                    xml,
                    "<table:table-cell office:value-type=\"boolean\" office:boolean-value=\"{value}\"><text:p>{shown}</text:p></table:table-cell>"
                ),
            };
        }
        xml.push_str("</table:table-row>");
    }
    xml.push_str("</table:table></office:spreadsheet></office:body></office:document-content>");
    xml
}

/// Text for XML 1.0: markup escaped, characters it cannot hold left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(letter),
            letter if letter < ' ' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
