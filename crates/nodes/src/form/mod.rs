//! Forms as pure functions: the page that a Form Trigger's parameters ask for, and the item that a submission makes. Who
//! listens and answers is the server.

mod page;
mod shown;
mod submission;
#[cfg(test)]
mod tests;

use millrace_model::{Object, Str, Value, parse_number, to_index, truthy};

pub use page::{Page, TICKET, completion_page, ending_page, form_page, patience_page};
pub use shown::{Ending, File, Shown};
pub(crate) use shown::{shown_ending, shown_form, shown_page};
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
    /// How many, at least and at most.
    pub choices: Option<(usize, usize)>,
    /// Extensions of files that are taken, in lower case with their dot; empty: all.
    pub accepts: Vec<Str>,
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

impl Kind {
    /// Is it what somebody types or chooses, rather than what the author or a file gives?
    fn is_typed(self) -> bool {
        !matches!(self, Kind::Hidden | Kind::Html | Kind::File)
    }
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
        let accepts = text("acceptFileTypes").to_lowercase();
        let accepts =
            accepts.split(',').map(|part| part.trim().trim_start_matches('.')).filter(|part| !part.is_empty());
        let first_value = match kind {
            Kind::Html => "html",
            Kind::Hidden => "fieldValue",
            _ => "defaultValue",
        };
        Field {
            label: text("fieldLabel"),
            name: text("fieldName"),
            kind,
            required: flag("requiredField"),
            placeholder: text("placeholder"),
            options: options.unwrap_or_default().iter().map(|entry| self::text(entry.get("option"))).collect(),
            several: flag("multiselect") || kind == Kind::Checkbox || flag("multipleFiles"),
            choices: choices(entry),
            accepts: accepts.map(|part| ecow::eco_format!(".{part}")).collect(),
            value: text(first_value),
        }
    }

    /// Is this option chosen at first?
    pub(crate) fn begins_with(&self, option: &str) -> bool {
        if self.kind == Kind::Checkbox {
            return self.value.split(',').any(|chosen| chosen.trim() == option);
        }
        !option.is_empty() && self.value == option
    }

    /// The field of the item that it fills.
    pub(crate) fn target(&self) -> &Str {
        if self.name.is_empty() { &self.label } else { &self.name }
    }
}

/// How many options may be chosen, where that is limited.
fn choices(entry: &Value) -> Option<(usize, usize)> {
    let count = |key: &str| match entry.get(key)? {
        Value::Number(number) => to_index(*number),
        other => to_index(parse_number(&other.to_js_string())),
    };
    match text(entry.get("limitSelection")).as_str() {
        "exact" => count("numberOfSelections").map(|count| (count, count)),
        "range" => Some((count("minSelections").unwrap_or(0), count("maxSelections").unwrap_or(usize::MAX))),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Str {
    value.filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
}

/// Only the web: a form sends nobody to a script.
fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
