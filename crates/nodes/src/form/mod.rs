//! Forms as pure functions: the page that a Form Trigger's parameters ask for, and the item that a submission makes. Who
//! listens and answers is the server.

mod page;
mod submission;
#[cfg(test)]
mod tests;

use millrace_model::{Object, Str, Value, truthy};

pub use page::{completion_page, form_page};
pub use submission::{FieldError, submitted};

/// A form, read from a node's parameters.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub title: Str,
    pub description: Str,
    pub button: Str,
    pub fields: Vec<Field>,
    /// Does the caller wait for the workflow's end?
    pub waits: bool,
    /// Shown, or gone to, when it is submitted.
    pub completion: Completion,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    Text(Str),
    Redirect(Str),
}

impl Default for Completion {
    fn default() -> Completion {
        Completion::Text("Your response has been recorded".into())
    }
}

#[derive(Clone, Debug, Default)]
pub struct Field {
    /// What the person sees, and the field of the item.
    pub label: Str,
    /// The field of the item, where it has a name of its own.
    pub name: Str,
    pub kind: Kind,
    pub required: bool,
    pub placeholder: Str,
    pub options: Vec<Str>,
    /// Several of the options may be chosen.
    pub several: bool,
    /// The value of a hidden field, or what a field begins with.
    pub value: Str,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Text,
    Textarea,
    Number,
    Email,
    Password,
    Date,
    Dropdown,
    Checkbox,
    Radio,
    File,
    Hidden,
    /// Markup of the author, shown as text: forms run no foreign code.
    Html,
}

impl Form {
    /// Reads parameters (defaults filled in, expressions resolved).
    pub fn read(parameters: &Object) -> Form {
        let text = |key: &str| text(parameters.get(key));
        let options = parameters.get("options");
        let option = |key: &str| options.and_then(|options| options.get(key));
        let fields = parameters.get("formFields").and_then(|fields| fields.get("values")).and_then(Value::as_array);
        let answer = option("respondWithOptions").and_then(|answer| answer.get("values"));
        let answered = |key: &str| self::text(answer.and_then(|answer| answer.get(key)));
        let completion = match answered("respondWith").as_str() {
            "redirect" if is_web_address(&answered("redirectUrl")) => Completion::Redirect(answered("redirectUrl")),
            _ => {
                let own = [answered("formSubmittedText"), self::text(option("formSubmittedText"))];
                own.into_iter().find(|text| !text.is_empty()).map_or_else(Completion::default, Completion::Text)
            }
        };
        let button = self::text(option("buttonLabel"));
        Form {
            title: text("formTitle"),
            description: text("formDescription"),
            button: if button.is_empty() { "Submit".into() } else { button },
            fields: fields.unwrap_or_default().iter().map(Field::read).collect(),
            waits: text("responseMode") == "lastNode",
            completion,
        }
    }
}

impl Field {
    fn read(entry: &Value) -> Field {
        let text = |key: &str| text(entry.get(key));
        let flag = |key: &str| entry.get(key).is_some_and(truthy);
        let kind = match text("fieldType").as_str() {
            "textarea" => Kind::Textarea,
            "number" => Kind::Number,
            "email" => Kind::Email,
            "password" => Kind::Password,
            "date" => Kind::Date,
            "dropdown" => Kind::Dropdown,
            "checkbox" => Kind::Checkbox,
            "radio" => Kind::Radio,
            "file" => Kind::File,
            "hiddenField" => Kind::Hidden,
            "html" => Kind::Html,
            _ => Kind::Text,
        };
        let options = entry.get("fieldOptions").and_then(|options| options.get("values")).and_then(Value::as_array);
        let name = text("fieldName");
        Field {
            label: text("fieldLabel"),
            name,
            kind,
            required: flag("requiredField"),
            placeholder: text("placeholder"),
            options: options.unwrap_or_default().iter().map(|entry| self::text(entry.get("option"))).collect(),
            several: flag("multiselect") || kind == Kind::Checkbox || flag("multipleFiles"),
            value: text(if kind == Kind::Html { "html" } else { "fieldValue" }),
        }
    }

    /// The field of the item that it fills.
    pub(crate) fn target(&self) -> &Str {
        if self.name.is_empty() { &self.label } else { &self.name }
    }
}

fn text(value: Option<&Value>) -> Str {
    value.filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
}

/// Only the web: a form sends nobody to a script.
fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
