//! Text and facts of PDF documents, in the shape n8n's PDF nodes give them.

mod layout;
mod metadata;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use millrace_model::{Object, Str, Value};
use pdf_extract::{Dictionary, Document, Object as PdfObject};

/// Version of the PDF reader whose output shape this is; n8n puts it into every result.
const READER_VERSION: &str = "5.3.31";

/// How a document is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct PdfOptions {
    pub password: Option<Str>,
    /// At most this many pages; `None` or 0: all.
    pub max_pages: Option<usize>,
    /// One list entry a page instead of one text.
    pub separate_pages: bool,
}

/// `numpages`, `numrender`, `info`, `metadata`, `text` and `version` of a document.
pub(crate) fn read(bytes: &[u8], options: &PdfOptions) -> Result<Object, String> {
    // The reader has been seen to panic on malformed documents: that is an error of the document, not of ours.
    match catch_unwind(AssertUnwindSafe(|| read_document(bytes, options))) {
        Ok(result) => result,
        Err(_) => Err("the PDF is damaged and cannot be read".to_owned()),
    }
}

fn read_document(bytes: &[u8], options: &PdfOptions) -> Result<Object, String> {
    if !bytes.get(..bytes.len().min(1024)).unwrap_or_default().windows(5).any(|window| window == b"%PDF-") {
        return Err("Invalid PDF structure.".to_owned());
    }
    let mut document = Document::load_mem(bytes).map_err(|_| "Invalid PDF structure.".to_owned())?;
    let filter = encryption(&document);
    unlock(&mut document, options.password.as_deref())?;
    let pages = document.get_pages();
    let limit = options.max_pages.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let mut texts = Vec::new();
    for page in pages.keys().take(limit) {
        texts.push(layout::page_text(&document, *page)?);
    }
    let mut result = Object::from([
        ("numpages", Value::from(pages.len())),
        ("numrender", Value::from(texts.len())),
        ("info", Value::from(info(&document, filter, bytes))),
    ]);
    if let Some(metadata) = metadata::read(&document) {
        result.insert("metadata", metadata);
    }
    let text = if options.separate_pages {
        Value::array(texts.into_iter().map(Value::from))
    } else {
        Value::from(texts.join("\n\n"))
    };
    result.insert("text", text);
    result.insert("version", READER_VERSION);
    Ok(result)
}

fn unlock(document: &mut Document, password: Option<&str>) -> Result<(), String> {
    if !document.is_encrypted() {
        return Ok(());
    }
    match document.decrypt(password.unwrap_or_default()) {
        Ok(()) => Ok(()),
        Err(_) if password.is_some_and(|password| !password.is_empty()) => Err("Incorrect Password".to_owned()),
        Err(_) => Err("No password given".to_owned()),
    }
}

fn encryption(document: &Document) -> Option<Str> {
    let reference = document.trailer.get(b"Encrypt").ok()?;
    let dictionary = document.dereference(reference).ok()?.1.as_dict().ok()?;
    name(dictionary.get(b"Filter").ok()?)
}

/// The `info` block: facts about the format, then the document's own entries.
fn info(document: &Document, filter: Option<Str>, bytes: &[u8]) -> Object {
    let catalog = document.catalog().ok();
    let entry =
        |key: &[u8]| catalog.and_then(|catalog| document.dereference(catalog.get(key).ok()?).ok()).map(|(_, it)| it);
    let form = entry(b"AcroForm").and_then(|form| form.as_dict().ok());
    let in_form = |key: &[u8]| form.and_then(|form| document.dereference(form.get(key).ok()?).ok()).map(|(_, it)| it);
    let fields = in_form(b"Fields").and_then(|fields| fields.as_array().ok()).is_some_and(|fields| !fields.is_empty());
    let signed = in_form(b"SigFlags").and_then(|flags| flags.as_i64().ok()).is_some_and(|flags| flags & 1 == 1);
    let linearized = bytes.get(..bytes.len().min(1024)).unwrap_or_default().windows(11).any(|at| at == b"/Linearized");
    let null = |value: Option<Str>| value.map_or(Value::Null, Value::from);
    let mut info = Object::from([
        ("PDFFormatVersion", Value::from(document.version.as_str())),
        ("Language", null(entry(b"Lang").and_then(text))),
        ("EncryptFilterName", null(filter)),
        ("IsLinearized", Value::from(linearized)),
        ("IsAcroFormPresent", Value::from(fields)),
        ("IsXFAPresent", Value::from(in_form(b"XFA").is_some())),
        ("IsCollectionPresent", Value::from(entry(b"Collection").is_some())),
        ("IsSignaturesPresent", Value::from(signed)),
    ]);
    let own = document.trailer.get(b"Info").ok().and_then(|reference| document.dereference(reference).ok());
    for (key, value) in own.and_then(|(_, own)| own.as_dict().ok()).into_iter().flat_map(Dictionary::iter) {
        let value = document.dereference(value).map_or(value, |(_, value)| value);
        if let (Some(value), Ok(key)) = (text(value), std::str::from_utf8(key)) {
            info.insert(key, value);
        }
    }
    info
}

fn name(object: &PdfObject) -> Option<Str> {
    object.as_name().ok().map(|name| String::from_utf8_lossy(name).into_owned().into())
}

/// A text string (PDF 32000-1, 7.9.2.2): UTF-16 or UTF-8 with a mark, else Latin-1.
fn text(object: &PdfObject) -> Option<Str> {
    let bytes = match object {
        PdfObject::Name(_) => return name(object),
        other => other.as_str().ok()?,
    };
    Some(match bytes {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned().into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned().into(),
        latin => latin.iter().copied().map(char::from).collect::<String>().into(),
    })
}
