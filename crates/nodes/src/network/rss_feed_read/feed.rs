//! Entries of a feed document.

use jiff::tz::TimeZone;
use millrace_model::{ExecutionError, Object, Str, Value};

use crate::field_type::DateTime;
use crate::values::html::document;
use crate::values::xml::parse::{self, Style};

/// Fields of an RSS item that are taken over, and what they are called.
const FIELDS: [(&str, &str); 14] = [
    ("author", "creator"),
    ("dc:creator", "creator"),
    ("dc:publisher", "publisher"),
    ("dc:language", "language"),
    ("dc:source", "source"),
    ("dc:title", "title"),
    ("dc:type", "type"),
    ("title", "title"),
    ("description", "content"),
    ("author", "author"),
    ("pubDate", "pubDate"),
    ("dc:creator", "dc:creator"),
    ("dc:date", "dc:date"),
    ("comments", "comments"),
];

/// The entries of an RSS (0.9 to 2.0, RDF) or Atom document; `custom` fields are taken over as they are.
pub(super) fn entries(text: &str, custom: &[Str]) -> Result<Vec<Object>, ExecutionError> {
    let style = Style { lists: true, merge_attributes: false, ..Style::default() };
    let document = parse::document(text, &style)?;
    let first = |value: Option<&Value>, key: &str| value.and_then(|value| value.get(key)?.as_array()?.first().cloned());
    if let Some(feed) = document.get("feed") {
        return list(feed, "entry").iter().map(|entry| atom(entry, custom)).collect();
    }
    let root = document.get("rss").or_else(|| document.get("rdf:RDF"));
    let root = root.ok_or_else(|| ExecutionError::operation("Feed not recognized as RSS 1 or 2."))?;
    let channel = first(Some(root), "channel");
    let inside = channel.as_ref().map(|channel| list(channel, "item")).unwrap_or_default();
    let items = if inside.is_empty() { list(root, "item") } else { inside };
    items.iter().map(|item| rss(item, custom)).collect()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_default()
}

/// The text of the first element of a name.
fn text(item: &Value, key: &str) -> Option<Value> {
    let first = list(item, key).first()?;
    Some(first.get("_").cloned().unwrap_or_else(|| first.clone()))
}

fn rss(item: &Value, custom: &[Str]) -> Result<Object, ExecutionError> {
    let mut entry = Object::new();
    for (from, to) in FIELDS {
        if let Some(value) = text(item, from).filter(|_| !entry.contains_key(to)) {
            entry.insert(to, value);
        }
    }
    if let Some(link) = text(item, "link") {
        entry.insert("link", link);
    }
    if let Some(enclosure) = list(item, "enclosure").first().and_then(|enclosure| enclosure.get("$")) {
        entry.insert("enclosure", enclosure.clone());
    }
    if let Some(encoded) = text(item, "content:encoded") {
        entry.insert("content:encoded", encoded.clone());
        entry.insert("content:encodedSnippet", snippet(&encoded)?);
    }
    add_snippet(&mut entry)?;
    if let Some(guid) = text(item, "guid") {
        entry.insert("guid", guid);
    }
    let categories = list(item, "category");
    if !categories.is_empty() {
        let names = categories.iter().map(|category| category.get("_").cloned().unwrap_or_else(|| category.clone()));
        entry.insert("categories", Value::array(names));
    }
    let date = ["pubDate", "dc:date"].iter().find_map(|name| entry.get(name).cloned());
    add_date(&mut entry, date);
    add_custom(&mut entry, item, custom);
    Ok(entry)
}

fn atom(item: &Value, custom: &[Str]) -> Result<Object, ExecutionError> {
    let mut entry = Object::new();
    for (from, to) in [("id", "id"), ("title", "title"), ("summary", "summary"), ("content", "content")] {
        if let Some(value) = text(item, from) {
            entry.insert(to, value);
        }
    }
    let links: Vec<&Value> = list(item, "link").iter().filter_map(|link| link.get("$")).collect();
    let alternate = links.iter().find(|link| link.get("rel").is_none_or(|rel| rel.as_str() == Some("alternate")));
    if let Some(address) = alternate.or_else(|| links.first()).and_then(|link| link.get("href")) {
        entry.insert("link", address.clone());
    }
    let date = text(item, "published").or_else(|| text(item, "updated"));
    if let Some(date) = date.clone() {
        entry.insert("pubDate", date);
    }
    if let Some(author) = list(item, "author").first().and_then(|author| text(author, "name")) {
        entry.insert("author", author);
    }
    add_snippet(&mut entry)?;
    add_date(&mut entry, date);
    add_custom(&mut entry, item, custom);
    Ok(entry)
}

fn add_snippet(entry: &mut Object) -> Result<(), ExecutionError> {
    if let Some(content) = entry.get("content").cloned() {
        entry.insert("contentSnippet", snippet(&content)?);
    }
    Ok(())
}

/// The text of a piece of HTML.
fn snippet(content: &Value) -> Result<String, ExecutionError> {
    let html = document::parse_fragment(&content.to_js_string())?;
    Ok(html.root_element().text().collect::<String>().trim().to_owned())
}

fn add_date(entry: &mut Object, date: Option<Value>) {
    let date = date.and_then(|date| DateTime::parse(date.as_str()?, &TimeZone::UTC));
    let utc = date.and_then(|date| jiff::Timestamp::from_millisecond(date.as_millisecond()).ok());
    if let Some(utc) = utc {
        entry.insert("isoDate", format!("{utc:.3}"));
    }
}

fn add_custom(entry: &mut Object, item: &Value, custom: &[Str]) {
    for name in custom {
        if let Some(value) = text(item, name) {
            entry.insert(name.clone(), value);
        }
    }
}
