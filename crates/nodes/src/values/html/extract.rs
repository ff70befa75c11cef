//! Values of a document by CSS selectors.

use ego_tree::iter::Edge;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};
use scraper::{ElementRef, Selector};

use super::{document, selection, text};
use crate::{NodeContext, dot_path};

/// How the text of an element is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::values) enum Reading {
    /// As it stands in the document.
    Plain,
    /// The same, trimmed unless told otherwise, and never absent.
    Trimmed,
    /// Laid out as a reader would see it: headings, lists, links.
    Formatted,
}

/// One object for each document of the item.
pub(in crate::values) fn extract(
    context: &mut NodeContext<'_>,
    index: usize,
    reading: Reading,
) -> Result<Vec<Object>, ExecutionError> {
    let options = context.parameter("options", index)?;
    let flag = |name: &str| options.get(name).is_some_and(truthy);
    let clean = Clean {
        trim: options.get("trimValues").map_or(reading == Reading::Trimmed, truthy),
        collapse: flag("cleanUpText"),
    };
    let wanted = context.parameter("extractionValues.values", index)?;
    let wanted: Vec<Wanted> = wanted.as_array().unwrap_or_default().iter().map(Wanted::of).collect();
    let mut made = Vec::new();
    for text in documents(context, index)? {
        let html = document::parse(&text)?;
        let mut json = Object::with_capacity(wanted.len());
        for one in &wanted {
            let elements = selection::select(&html, &one.selector)?;
            let value = |element: &ElementRef<'_>| Ok(clean.apply(one.read(element, reading)?));
            let value = if one.list {
                let values: Result<Vec<Value>, ExecutionError> = elements.iter().map(value).collect();
                values?.into()
            } else if one.kind == Kind::Text && reading != Reading::Formatted {
                clean.apply(shown(elements.iter().map(plain_text).collect(), reading))
            } else {
                let missing = if one.kind == Kind::Text { Value::from("") } else { Value::Undefined };
                elements.first().map(value).transpose()?.unwrap_or(missing)
            };
            json.insert(one.key.clone(), value);
        }
        made.push(json);
    }
    Ok(made)
}

/// The HTML texts: of a field (one or a list), or of a file.
fn documents(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Str>, ExecutionError> {
    let property = context.text("dataPropertyName", index)?;
    if context.text("sourceData", index)? == "binary" {
        let bytes = crate::files::load(context, &property, index)?;
        return Ok(vec![String::from_utf8_lossy(&bytes).into()]);
    }
    let item = context.items().get(index);
    let found = item.and_then(|item| dot_path::get(&item.json, &property)).filter(|value| !value.is_undefined());
    match found {
        Some(Value::Array(texts)) => Ok(texts.iter().map(Value::to_js_string).collect()),
        Some(value) => Ok(vec![value.to_js_string()]),
        None => Err(ExecutionError::operation(format!("No property named \"{property}\" exists!"))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Attribute,
    Html,
    Text,
    Value,
}

struct Wanted {
    key: Str,
    selector: Str,
    kind: Kind,
    attribute: Str,
    skipped: Vec<Str>,
    list: bool,
}

impl Wanted {
    fn of(entry: &Value) -> Wanted {
        let text = |name: &str| {
            entry.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
        };
        Wanted {
            key: text("key"),
            selector: text("cssSelector"),
            kind: match text("returnValue").as_str() {
                "attribute" => Kind::Attribute,
                "html" => Kind::Html,
                "value" => Kind::Value,
                _ => Kind::Text,
            },
            attribute: text("attribute"),
            skipped: crate::field_list::split(&text("skipSelectors")),
            list: entry.get("returnArray").is_some_and(truthy),
        }
    }

    fn read(&self, element: &ElementRef<'_>, reading: Reading) -> Result<Value, ExecutionError> {
        Ok(match self.kind {
            Kind::Attribute if self.attribute.is_empty() => {
                let attributes = element.value().attrs();
                Value::Object(attributes.map(|(name, value)| (name.into(), value.into())).collect())
            }
            Kind::Attribute => element.attr(&self.attribute).map_or(Value::Undefined, Value::from),
            Kind::Html => non_empty(element.inner_html()),
            Kind::Text if reading != Reading::Formatted => shown(plain_text(element), reading),
            Kind::Text => {
                let skipped: Result<Vec<Selector>, ExecutionError> =
                    self.skipped.iter().map(|selector| selection::parse(selector)).collect();
                text::of(*element, &skipped?).into()
            }
            Kind::Value => form_value(element),
        })
    }
}

/// The text within an element, without scripts and style sheets.
fn plain_text(element: &ElementRef<'_>) -> String {
    let mut text = String::new();
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        let is_hidden = |node: ego_tree::NodeRef<'_, scraper::Node>| {
            node.value().as_element().is_some_and(|element| matches!(element.name(), "script" | "style"))
        };
        match edge {
            Edge::Open(node) if is_hidden(node) => hidden += 1,
            Edge::Close(node) if is_hidden(node) => hidden = hidden.saturating_sub(1),
            Edge::Open(node) if hidden == 0 => text.extend(node.value().as_text().map(|text| &**text)),
            _ => {}
        }
    }
    text
}

fn shown(text: String, reading: Reading) -> Value {
    if reading == Reading::Trimmed { text.into() } else { non_empty(text) }
}

fn non_empty(text: String) -> Value {
    if text.is_empty() { Value::Undefined } else { text.into() }
}

/// What a form field holds.
fn form_value(element: &ElementRef<'_>) -> Value {
    let attribute = |element: &ElementRef<'_>, name: &str| element.attr(name).map(Value::from);
    match element.value().name() {
        "textarea" => Value::from(element.text().collect::<String>()),
        "select" => {
            let options = || element.descendent_elements().filter(|element| element.value().name() == "option");
            let chosen = options().find(|option| option.attr("selected").is_some()).or_else(|| options().next());
            let value = |option: ElementRef<'_>| {
                attribute(&option, "value").unwrap_or_else(|| option.text().collect::<String>().into())
            };
            chosen.map(value).unwrap_or_default()
        }
        "option" => attribute(element, "value").unwrap_or_else(|| element.text().collect::<String>().into()),
        _ => attribute(element, "value").unwrap_or_default(),
    }
}

/// What is done to texts before they are put out.
struct Clean {
    trim: bool,
    collapse: bool,
}

impl Clean {
    fn apply(&self, value: Value) -> Value {
        let Value::String(text) = &value else { return value };
        let mut text = text.to_string();
        if self.trim || self.collapse {
            text = text.trim().to_owned();
        }
        if self.collapse {
            let one_line = text.replace(['\r', '\n'], "");
            let words: Vec<&str> = one_line.split_whitespace().collect();
            text = words.join(" ");
        }
        text.into()
    }
}
