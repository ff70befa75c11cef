//! JSON to documents.

use millrace_model::{ExecutionError, Object, Value, truthy};

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 128;

/// Keys with a meaning, and how text is written.
struct Writer {
    attributes: String,
    text: String,
    cdata: bool,
    xml: String,
}

/// The document of a JSON value: its only field is the root element, else `rootName` is.
pub(super) fn document(json: &Value, options: &Object) -> Result<String, ExecutionError> {
    let text = |name: &str, usual: &str| {
        let given = options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        given.unwrap_or(usual).to_owned()
    };
    let mut writer = Writer {
        attributes: text("attrkey", "$"),
        text: text("charkey", "_"),
        cdata: options.get("cdata").is_some_and(truthy),
        xml: String::new(),
    };
    if !options.get("headless").is_some_and(truthy) {
        writer.xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n");
    }
    let root = text("rootName", "root");
    let only =
        json.as_object().filter(|object| object.len() == 1 && root == "root").and_then(|object| object.iter().next());
    match only {
        Some((name, value)) => writer.element(name, value, 0)?,
        None => writer.element(&root, json, 0)?,
    }
    Ok(writer.xml)
}

/// What stands inside an element.
enum Content<'v> {
    Text(String),
    Element(&'v str, &'v Value),
}

impl Writer {
    fn element(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), ExecutionError> {
        if depth > MAX_DEPTH {
            return Err(ExecutionError::operation(format!("The data is nested more than {MAX_DEPTH} deep")));
        }
        let name = checked(name)?;
        let indent = "  ".repeat(depth);
        self.xml.push_str(&format!("{indent}<{name}"));
        let mut contents = Vec::new();
        self.collect(value, &mut contents)?;
        contents.retain(|content| !matches!(content, Content::Text(text) if text.is_empty()));
        match contents.as_slice() {
            [] => self.xml.push_str("/>"),
            [Content::Text(text)] => {
                let text = self.character_data(text);
                self.xml.push_str(&format!(">{text}</{name}>"));
            }
            contents => {
                self.xml.push('>');
                for content in contents {
                    self.xml.push('\n');
                    match content {
                        Content::Text(text) => {
                            let text = self.character_data(text);
                            self.xml.push_str(&format!("{indent}  {text}"));
                        }
                        Content::Element(name, value) => self.element(name, value, depth + 1)?,
                    }
                }
                self.xml.push_str(&format!("\n{indent}</{name}>"));
            }
        }
        Ok(())
    }

    /// Writes the attributes of a value and gathers its contents.
    fn collect<'v>(&mut self, value: &'v Value, contents: &mut Vec<Content<'v>>) -> Result<(), ExecutionError> {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
                    match value {
                        Value::Object(attributes) if *key == self.attributes => {
                            for (name, value) in attributes.iter() {
                                let value = escaped_attribute(&value.to_js_string());
                                self.xml.push_str(&format!(" {}=\"{value}\"", checked(name)?));
                            }
                        }
                        value if *key == self.text => contents.push(Content::Text(value.to_js_string().to_string())),
                        Value::Array(values) => {
                            contents.extend(values.iter().map(|value| Content::Element(key.as_str(), value)));
                        }
                        value => contents.push(Content::Element(key.as_str(), value)),
                    }
                }
            }
            Value::Array(values) => {
                for value in values.iter() {
                    let fields = value.as_object().into_iter().flat_map(Object::iter);
                    contents.extend(fields.map(|(key, value)| Content::Element(key.as_str(), value)));
                }
            }
            Value::Null | Value::Undefined => {}
            value => contents.push(Content::Text(value.to_js_string().to_string())),
        }
        Ok(())
    }

    fn character_data(&self, text: &str) -> String {
        if self.cdata && text.contains(['&', '<', '>']) {
            return format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"));
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
    }
}

fn escaped_attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;")
}

/// A name that may stand in a tag.
fn checked(name: &str) -> Result<&str, ExecutionError> {
    let good = |letter: char| !letter.is_whitespace() && !matches!(letter, '<' | '>' | '&' | '"' | '\'' | '/' | '=');
    if name.is_empty() || !name.chars().all(good) {
        return Err(ExecutionError::operation(format!("Invalid character in name: {name}")));
    }
    Ok(name)
}
