//! Fields set by hand: each has a name, a type and a value that is converted to it.

use millrace_model::{ExecutionError, Object, Str, Value};

use super::include::Options;
use super::json_text::JsonText;
use crate::field_type::{FieldType, Rules, Typed, to_text, validate};
use crate::{NodeContext, Prepared};

/// The fields of the parameters, prepared.
pub(super) struct Assignments {
    version: f64,
    form: Form,
}

enum Form {
    List(Vec<Assignment>),
    /// The list itself is an expression.
    Open(Prepared),
}

struct Assignment {
    name: Prepared,
    kind: Str,
    value: Field,
}

enum Field {
    Value(Prepared),
    /// JSON text of an object with expressions in it (before version 3.3).
    Object(JsonText),
}

impl Assignments {
    pub(super) fn new(context: &NodeContext<'_>) -> Assignments {
        let version = context.version();
        let path = if version < 3.3 { "fields.values" } else { "assignments.assignments" };
        let raw = context.prepare(path);
        let form = match raw.raw().as_array() {
            Some(list) => Form::List(list.iter().filter_map(|entry| Assignment::new(entry, version)).collect()),
            None => Form::Open(context.prepare(if version < 3.3 { "fields" } else { "assignments" })),
        };
        Assignments { version, form }
    }

    /// Writes the fields of one item.
    pub(super) fn write(
        &self,
        context: &mut NodeContext<'_>,
        options: &Options,
        at: usize,
        json: &mut Object,
    ) -> Result<(), ExecutionError> {
        let resolved;
        let list = match &self.form {
            Form::List(list) => list,
            Form::Open(value) => {
                let value = value.at(context, at)?;
                let key = if self.version < 3.3 { "values" } else { "assignments" };
                let list = value.get(key).and_then(Value::as_array).unwrap_or_default();
                resolved = list.iter().filter_map(|entry| Assignment::new(entry, self.version)).collect::<Vec<_>>();
                &resolved
            }
        };
        // All fields are known before the first is written: of two with one name the last value counts.
        if let [only] = list.as_slice() {
            let (name, value) = only.resolve(context, options, self.version, at)?;
            return options.write(json, &name, value);
        }
        let mut fields = Object::with_capacity(list.len());
        for assignment in list {
            let (name, value) = assignment.resolve(context, options, self.version, at)?;
            fields.insert(name, value);
        }
        for (name, value) in fields.iter() {
            options.write(json, name, value.clone())?;
        }
        Ok(())
    }
}

impl Assignment {
    fn new(entry: &Value, version: f64) -> Option<Assignment> {
        let entry = entry.as_object()?;
        let at = |key: &str| entry.get(key).cloned().unwrap_or_default();
        let kind = entry.get("type").and_then(Value::as_str).unwrap_or("string");
        let value = if version < 3.3 {
            let raw = at(kind);
            match &raw {
                Value::String(text) if kind == "objectValue" && text.starts_with('=') => {
                    let name = at("name").to_js_string();
                    Field::Object(JsonText::new(&raw, format!("entry \"{name}\" inside 'Fields to Set'")))
                }
                _ => Field::Value(Prepared::new(raw)),
            }
        } else {
            Field::Value(Prepared::new(at("value")))
        };
        let kind = kind.strip_suffix("Value").unwrap_or(kind).into();
        Some(Assignment { name: Prepared::new(at("name")), kind, value })
    }

    fn resolve(
        &self,
        context: &mut NodeContext<'_>,
        options: &Options,
        version: f64,
        at: usize,
    ) -> Result<(Str, Value), ExecutionError> {
        let name = self.name.text(context, at)?;
        let value = match &self.value {
            Field::Value(value) => value.at(context, at)?,
            Field::Object(text) => text.parsed(context, at)?,
        };
        let value = convert(&name, &self.kind, value, version, options.ignore_conversion_errors, at)?;
        Ok((name, value))
    }
}

/// A value as the field's type; `null` where there is none.
fn convert(
    name: &str,
    kind: &str,
    value: Value,
    version: f64,
    lenient: bool,
    at: usize,
) -> Result<Value, ExecutionError> {
    if value.is_nullish() && (version >= 3.2 || (version > 3.0 && kind == "string")) {
        return Ok(Value::Null);
    }
    let value = if kind == "string" { to_text(&value).into() } else { value };
    let Some(kind) = FieldType::named(kind) else { return Ok(defined(value)) };
    match validate(name, &value, kind, &Rules::LOOSE) {
        Ok(Typed::Value(value)) => Ok(defined(value)),
        Ok(Typed::DateTime(date)) => Ok(date.to_iso().into()),
        Err(_) if lenient => Ok(defined(value)),
        Err(message) => {
            let description = format!(
                "To fix the error try to change the type for the field \"{name}\" or activate the option “Ignore Type \
                 Conversion Errors” to apply a less strict type validation"
            );
            Err(ExecutionError::operation(format!("{message} [item {at}]")).describe(description))
        }
    }
}

fn defined(value: Value) -> Value {
    if value.is_undefined() { Value::Null } else { value }
}
