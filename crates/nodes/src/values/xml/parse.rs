//! Documents to JSON. Only the five predefined entities and character references are expanded: a document cannot make
//! itself larger than it is.

use millrace_model::{ExecutionError, Object, Str, Value, truthy};
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 128;

/// How elements become JSON.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// Key of the object that holds the attributes.
    pub attributes: Str,
    /// Key of text beside attributes or elements.
    pub text: Str,
    /// A list also for a single child.
    pub lists: bool,
    /// The root element's name as a key around everything.
    pub root: bool,
    pub ignore_attributes: bool,
    /// Attributes are keys like child elements.
    pub merge_attributes: bool,
    pub normalize: bool,
    pub lower_case: bool,
    pub trim: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            attributes: "$".into(),
            text: "_".into(),
            lists: false,
            root: true,
            ignore_attributes: false,
            merge_attributes: true,
            normalize: false,
            lower_case: false,
            trim: false,
        }
    }
}

impl Style {
    pub(super) fn of_options(options: &Object) -> Style {
        let usual = Style::default();
        let flag = |name: &str, usual: bool| options.get(name).map_or(usual, truthy);
        let text = |name: &str, usual: Str| {
            options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map_or(usual, Str::from)
        };
        Style {
            attributes: text("attrkey", usual.attributes),
            text: text("charkey", usual.text),
            lists: flag("explicitArray", usual.lists),
            root: flag("explicitRoot", usual.root),
            ignore_attributes: flag("ignoreAttrs", usual.ignore_attributes),
            merge_attributes: flag("mergeAttrs", usual.merge_attributes),
            normalize: flag("normalize", usual.normalize),
            lower_case: flag("normalizeTags", usual.lower_case),
            trim: flag("trim", usual.trim),
        }
    }

    fn name(&self, name: &str) -> Str {
        if self.lower_case { name.to_lowercase().into() } else { name.into() }
    }

    /// Adds a child or attribute under its name; a second of the same name makes a list.
    fn add(&self, object: &mut Object, name: Str, value: Value) {
        let value = match object.remove_in_place(&name) {
            None if self.lists => Value::array([value]),
            None => value,
            Some(Value::Array(before)) => {
                let mut list = before;
                std::sync::Arc::make_mut(&mut list).push(value);
                Value::Array(list)
            }
            Some(before) => Value::array([before, value]),
        };
        object.insert(name, value);
    }
}

/// Takes a value out, leaving its key in its place.
trait InPlace {
    fn remove_in_place(&mut self, key: &str) -> Option<Value>;
}

impl InPlace for Object {
    fn remove_in_place(&mut self, key: &str) -> Option<Value> {
        self.get_mut(key).map(std::mem::take)
    }
}

/// An element that is open.
struct Element {
    name: Str,
    fields: Object,
    text: String,
    /// Has a CDATA section, so that blank text counts.
    verbatim: bool,
}

/// The JSON of a document; `Null` for an empty one.
pub(crate) fn document(text: &str, style: &Style) -> Result<Value, ExecutionError> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut result = None;
    loop {
        match reader.read_event().map_err(|error| invalid(&error))? {
            Event::Eof => break,
            Event::Start(tag) => {
                if result.is_some() {
                    return Err(invalid(&"Text data outside of root node."));
                }
                if open.len() >= MAX_DEPTH {
                    return Err(invalid(&format!("elements are nested more than {MAX_DEPTH} deep")));
                }
                open.push(opened(&tag, style)?);
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err(invalid(&"Unexpected close tag")) };
                let (name, value) = closed(element, style);
                match open.last_mut() {
                    Some(parent) => style.add(&mut parent.fields, name, value),
                    None if style.root => {
                        let mut root = Object::new();
                        root.insert(name, value);
                        result = Some(Value::from(root));
                    }
                    None => result = Some(value),
                }
            }
            Event::Text(part) => add_text(&mut open, &part.xml10_content(), false)?,
            Event::CData(part) => add_text(&mut open, &part.xml10_content(), true)?,
            Event::GeneralRef(reference) => add_text(&mut open, &resolved(&reference)?, false)?,
            _ => {}
        }
    }
    match (result, open.last()) {
        (_, Some(element)) => Err(invalid(&format!("Unclosed tag {}", element.name))),
        (Some(value), None) => Ok(value),
        (None, None) => Ok(Value::Null),
    }
}

fn invalid(problem: &dyn std::fmt::Display) -> ExecutionError {
    ExecutionError::operation(format!("The XML is not valid: {problem}"))
}

fn opened(tag: &BytesStart<'_>, style: &Style) -> Result<Element, ExecutionError> {
    let mut fields = Object::new();
    let mut separate = Object::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| invalid(&error))?;
        let value = unescape(&attribute.value).map_err(|error| invalid(&error))?;
        if style.ignore_attributes {
            continue;
        }
        let name = Str::from(attribute.key.as_ref());
        if style.merge_attributes {
            style.add(&mut fields, name, value.as_ref().into());
        } else {
            separate.insert(name, value.as_ref());
        }
    }
    if !separate.is_empty() {
        fields.insert(style.attributes.clone(), separate);
    }
    Ok(Element { name: style.name(tag.name().as_ref()), fields, text: String::new(), verbatim: false })
}

fn add_text(open: &mut [Element], text: &str, verbatim: bool) -> Result<(), ExecutionError> {
    match open.last_mut() {
        Some(element) => {
            element.text.push_str(text);
            element.verbatim |= verbatim;
            Ok(())
        }
        None if text.trim().is_empty() => Ok(()),
        None => Err(invalid(&"Non-whitespace before first tag.")),
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, ExecutionError> {
    if let Some(letter) = reference.resolve_char_ref().map_err(|error| invalid(&error))? {
        return Ok(letter.into());
    }
    Ok(match reference.xml10_content().as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        other => return Err(invalid(&format!("Invalid character entity &{other};"))),
    }
    .to_owned())
}

fn closed(element: Element, style: &Style) -> (Str, Value) {
    let Element { name, mut fields, text, verbatim } = element;
    if text.trim().is_empty() && !verbatim {
        let value = if fields.is_empty() { Value::from(text) } else { fields.into() };
        return (name, value);
    }
    let mut text = text;
    if style.trim {
        text = text.trim().to_owned();
    }
    if style.normalize {
        text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if fields.is_empty() {
        return (name, text.into());
    }
    fields.insert(style.text.clone(), text);
    (name, fields.into())
}
