//! Checks what was entered for a credential against its type, and finds every mistake. Messages name fields, never values.

use serde_json::{Map, Value};

use super::super::external::Template;
use super::{CredentialType, Field, FieldKind};
use crate::common::FieldError;
use crate::common::validate::pointer_token;

/// Most characters of one field; keys and certificates are a fraction of it.
const MAX_TEXT: usize = 65_536;

/// Fields of n8n's that every type takes: on which hosts it may be used.
pub(in crate::domains::credentials) const COMMON: [&str; 2] = ["allowedHttpRequestDomains", "allowedDomains"];

/// Every mistake in the data of a credential, with pointers below `/data`.
pub(in crate::domains::credentials) fn check(kind: &CredentialType, data: &Map<String, Value>) -> Vec<FieldError> {
    let pointer = |name: &str| format!("/data/{}", pointer_token(name));
    let mut found = Vec::new();
    for (name, value) in data {
        let mistake = match kind.field(name) {
            Some(field) => wrong_value(field, value),
            None if COMMON.contains(&name.as_str()) => {
                (!value.is_string()).then_some(("wrong_type", "must be text".to_owned()))
            }
            None if kind.open => (value.is_array() || value.is_object())
                .then_some(("wrong_type", "must be text, a number or a truth value".to_owned())),
            None => Some(("unknown_field", format!("{} has no such field; it has: {}", kind.name, names(kind)))),
        };
        found.extend(mistake.map(|(code, message)| FieldError::new(pointer(name), code, message)));
    }
    for field in kind.fields.iter().filter(|field| field.required && !field.hidden && applies(kind, field, data)) {
        let is_given = match data.get(&field.name) {
            Some(value) => !is_blank(value),
            None => !field.default.is_null(),
        };
        if !is_given {
            found.push(FieldError::new(pointer(&field.name), "missing_field", format!("{} is needed", field.label())));
        }
    }
    found.sort_by(|left, right| left.pointer.cmp(&right.pointer));
    found
}

fn names(kind: &CredentialType) -> String {
    kind.fields.iter().filter(|field| !field.hidden).map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Do the other fields have the values this one depends on?
fn applies(kind: &CredentialType, field: &Field, data: &Map<String, Value>) -> bool {
    field.show.iter().all(|(name, wanted)| {
        let default = kind.field(name).map(|other| &other.default);
        let value = kind.fixed.get(name).or_else(|| data.get(name)).or(default);
        value.is_some_and(|value| wanted.contains(value))
    })
}

fn wrong_value(field: &Field, value: &Value) -> Option<(&'static str, String)> {
    // A field may be cleared, and it may name an external secret whatever it takes.
    if is_blank(value) {
        return None;
    }
    if let Some(template) = value.as_str().and_then(Template::parse) {
        return template.err().map(|message| ("reference", message.to_owned()));
    }
    let wrong_type = |wanted: &str| Some(("wrong_type", format!("must be {wanted}")));
    match (field.kind, value) {
        (FieldKind::String, Value::String(text)) | (FieldKind::Json, Value::String(text)) if text.len() > MAX_TEXT => {
            Some(("length", format!("must be at most {MAX_TEXT} bytes long")))
        }
        (FieldKind::String, Value::String(_) | Value::Number(_)) => None,
        (FieldKind::String, _) => wrong_type("text"),
        (FieldKind::Number, Value::Number(_)) => None,
        (FieldKind::Number, Value::String(text)) if text.trim().parse::<f64>().is_ok() => None,
        (FieldKind::Number, _) => wrong_type("a number"),
        (FieldKind::Boolean, Value::Bool(_)) => None,
        (FieldKind::Boolean, _) => wrong_type("true or false"),
        (FieldKind::Options, Value::String(text)) if field.options.contains(text) => None,
        (FieldKind::Options, _) => Some(("unknown_variant", format!("must be one of: {}", field.options.join(", ")))),
        (FieldKind::Json, Value::Object(_)) => None,
        (FieldKind::Json, Value::String(text)) if serde_json::from_str::<Map<String, Value>>(text).is_ok() => None,
        (FieldKind::Json, _) => wrong_type("a JSON object, or the text of one"),
    }
}
