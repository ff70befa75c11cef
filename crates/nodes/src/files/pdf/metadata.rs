//! XMP metadata of a document: the properties of its `rdf:Description`s by lower-case qualified name.

use millrace_model::{Object, Str, Value};
use pdf_extract::Document;
use quick_xml::Reader;
use quick_xml::events::Event;

/// The metadata stream of the catalog; `None` where there is none or it is no XML.
pub(super) fn read(document: &Document) -> Option<Object> {
    let reference = document.catalog().ok()?.get(b"Metadata").ok()?;
    let stream = document.dereference(reference).ok()?.1.as_stream().ok()?;
    let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    parse(&String::from_utf8_lossy(&content))
}

pub(super) fn parse(xml: &str) -> Option<Object> {
    let mut reader = Reader::from_str(xml);
    let (mut depth, mut inside) = (0_usize, None::<usize>);
    let mut field: Option<(Str, Vec<Str>)> = None;
    let mut fields = Object::new();
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(tag) => {
                depth += 1;
                let name = tag.name().as_ref().to_lowercase();
                match inside {
                    None if name == "rdf:description" => inside = Some(depth),
                    Some(level) if depth == level + 1 => field = Some((name.into(), Vec::new())),
                    _ => {}
                }
            }
            Event::Text(text) => {
                let text = text.trim().to_owned();
                if let Some((_, texts)) = field.as_mut().filter(|_| !text.is_empty()) {
                    texts.push(text.into());
                }
            }
            Event::End(_) => {
                if inside.is_some_and(|level| depth == level + 1)
                    && let Some((name, mut texts)) = field.take()
                {
                    let many = texts.len() > 1;
                    let value =
                        if many { Value::array(texts.into_iter().map(Value::from)) } else { texts.pop().into() };
                    fields.insert(name, value);
                }
                if inside == Some(depth) {
                    inside = None;
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    (!fields.is_empty()).then_some(fields)
}
