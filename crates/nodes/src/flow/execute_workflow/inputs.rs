//! The items that the called workflow gets: those at hand, changed by the node's field mapping.

use std::collections::HashSet;

use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use crate::NodeContext;
use crate::field_type::{FieldType, Rules, Typed, validate};

pub(super) fn items(context: &mut NodeContext<'_>) -> Result<Vec<Item>, ExecutionError> {
    let raw = context.prepare("workflowInputs");
    let schema = raw.raw().get("schema").and_then(Value::as_array).unwrap_or_default().to_vec();
    if context.version() < 1.2 || schema.is_empty() {
        return Ok(context.items().to_vec());
    }
    let removed: HashSet<Str> =
        schema.iter().filter(|field| field.get("removed").is_some_and(truthy)).filter_map(id).collect();
    let convert = raw.raw().get("attemptToConvertTypes").is_some_and(truthy);
    let mut items = Vec::with_capacity(context.items().len());
    for (at, item) in context.items().iter().enumerate() {
        let mapped = raw.at(context, at)?;
        let mapped = mapped.get("value").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        for (name, value) in mapped.iter() {
            let value = if convert { converted(&schema, name, value, at)? } else { value.clone() };
            json.insert(name.clone(), value);
        }
        json.retain(|name, _| !removed.contains(name));
        let extra = Object::from([("index", at.into())]);
        items.push(Item { binary: item.binary.clone(), extra: Some(extra), ..Item::new(json).paired(at) });
    }
    Ok(items)
}

/// The name of a field of the schema.
fn id(field: &Value) -> Option<Str> {
    let name = field.get("id").or_else(|| field.get("displayName"))?;
    Some(name.to_js_string())
}

/// A value as the type that the schema gives its field.
fn converted(schema: &[Value], name: &Str, value: &Value, at: usize) -> Result<Value, ExecutionError> {
    let field = schema.iter().find(|field| id(field).as_ref() == Some(name));
    let kind = field.and_then(|field| field.get("type")?.as_str()).and_then(FieldType::named);
    let Some(kind) = kind else { return Ok(value.clone()) };
    match validate(name, value, kind, &Rules { parse_strings: true, ..Rules::LOOSE }) {
        Ok(Typed::Value(value)) => Ok(value),
        Ok(Typed::DateTime(date)) => Ok(date.to_iso().into()),
        Err(reason) => {
            let message = format!("Invalid input for '{name}' [item {at}]");
            Err(ExecutionError::operation(message).describe(reason).at_item(at))
        }
    }
}
