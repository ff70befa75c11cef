//! JSON that people write with expressions in it: every `{{ … }}` is replaced by its value as JSON would show it, and
//! what is plainly meant is repaired.

use millrace_model::{ExecutionError, Object, Value};

use super::repaired_json;
use crate::{NodeContext, Prepared};

/// A JSON parameter, prepared.
pub(super) struct JsonText {
    form: Form,
    /// How errors name it.
    place: String,
}

enum Form {
    Plain(Prepared),
    /// Text and the expressions in it.
    Template(Vec<Part>),
}

enum Part {
    Text(String),
    Expression(Value),
}

impl JsonText {
    pub(super) fn new(raw: &Value, place: String) -> JsonText {
        let form = match raw.as_str().and_then(|text| text.strip_prefix('=')) {
            Some(text) => Form::Template(parts(text.trim_start_matches('='))),
            None => Form::Plain(Prepared::new(raw.clone())),
        };
        JsonText { form, place }
    }

    /// The object for one item; in n8n's words where an expression gives none.
    pub(super) fn object(&self, context: &mut NodeContext<'_>, at: usize) -> Result<Object, ExecutionError> {
        match self.parsed(context, at)? {
            Value::Object(object) => Ok(object),
            _ => Err(ExecutionError::new("TypeError", "Cannot convert undefined or null to object")),
        }
    }

    /// The object or `null` for one item.
    pub(super) fn parsed(&self, context: &mut NodeContext<'_>, at: usize) -> Result<Value, ExecutionError> {
        let value = match &self.form {
            Form::Plain(value) => value.at(context, at)?,
            Form::Template(parts) => match parts.as_slice() {
                [Part::Expression(only)] => match context.resolve(only, at)? {
                    value if value.is_nullish() => return Ok(Value::Null),
                    value => value,
                },
                parts => fill(parts, context, at)?,
            },
        };
        parse(value, &self.place, at)
    }
}

/// Splits a template at its `{{ … }}`.
fn parts(text: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, behind)) = after.split_once("}}") else { break };
        if !before.is_empty() {
            found.push(Part::Text(before.to_owned()));
        }
        found.push(Part::Expression(format!("={{{{{inner}}}}}").into()));
        rest = behind;
    }
    if !rest.is_empty() {
        found.push(Part::Text(rest.to_owned()));
    }
    found
}

fn fill(parts: &[Part], context: &mut NodeContext<'_>, at: usize) -> Result<Value, ExecutionError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Expression(expression) => match context.resolve(expression, at)? {
                value @ (Value::Array(_) | Value::Object(_)) => text.push_str(&value.to_json()),
                value => text.push_str(&value.to_js_string()),
            },
        }
    }
    Ok(text.into())
}

fn parse(value: Value, place: &str, at: usize) -> Result<Value, ExecutionError> {
    let value = match &value {
        Value::String(text) => match Value::from_json(text) {
            Ok(parsed) => parsed,
            Err(_) => repaired_json::parse(text).ok_or_else(|| {
                let message = format!("The {place} in item {at} contains invalid JSON");
                ExecutionError::operation(message).describe(text.clone())
            })?,
        },
        _ => value,
    };
    match value {
        Value::Object(_) | Value::Null => Ok(value),
        _ => Err(ExecutionError::operation(format!("The {place} in item {at} does not contain a valid JSON object"))),
    }
}
