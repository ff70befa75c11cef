//! Splitting a list as versions before 3 do: one field, which must be a list; fields to keep are named one by one.

use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::super::aggregate::not_found;
use super::super::split_out::spread;
use crate::{NodeContext, NodeResult, Output, dot_path};

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::new();
    for (index, item) in context.items().iter().enumerate() {
        split(context, index, item, &mut made)?;
    }
    Ok(Output::items(made))
}

fn split(context: &mut NodeContext<'_>, index: usize, item: &Item, made: &mut Vec<Item>) -> Result<(), ExecutionError> {
    let field = context.text("fieldToSplitOut", index)?;
    let literal = context.flag("options.disableDotNotation", index)?;
    let destination = context.text("options.destinationFieldName", index)?;
    let include = context.text("include", index)?;
    let list = match dot_path::get_as(&item.json, &field, literal) {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::Object(fields)) if context.version() >= 2.0 => {
            std::sync::Arc::new(fields.values().cloned().collect())
        }
        None | Some(Value::Undefined) if context.version() >= 2.1 => return Ok(()),
        None | Some(Value::Undefined) => return Err(not_found(&field, literal)),
        Some(_) => {
            let kinds = if context.version() < 2.0 { "an array" } else { "an array or object" };
            return Err(ExecutionError::operation(format!("The provided field '{field}' is not {kinds}")));
        }
    };
    let others = others(context, index, item, &field, literal, &include)?;
    let spreads = include != "allOtherFields" && include != "selectedOtherFields" && destination.is_empty();
    for element in list.iter() {
        let mut json = others.clone();
        match element {
            Value::Object(fields) if spreads => fields.iter().for_each(|(key, value)| {
                json.insert(key.clone(), value.clone());
            }),
            Value::Array(values) if spreads => json = spread(values),
            Value::Null if spreads => {}
            element => {
                let name = if destination.is_empty() { &field } else { &destination };
                json.insert(name.clone(), element.clone());
            }
        }
        if context.version() >= 2.0 && include == "selectedOtherFields" {
            // The element before what it is put beside.
            let name = if destination.is_empty() { &field } else { &destination };
            json = std::iter::once((name.clone(), element.clone()))
                .chain(others.iter().map(|(key, value)| (key.clone(), value.clone())))
                .collect();
        }
        made.push(Item::new(json).paired(index));
    }
    Ok(())
}

fn others(
    context: &mut NodeContext<'_>,
    index: usize,
    item: &Item,
    field: &str,
    literal: bool,
    include: &str,
) -> Result<Object, ExecutionError> {
    match include {
        "allOtherFields" => {
            let mut others = item.json.as_object().cloned().unwrap_or_default();
            dot_path::unset(&mut others, field);
            Ok(others)
        }
        "selectedOtherFields" => {
            let chosen = context.parameter("fieldsToInclude.fields", index)?;
            let chosen = chosen.as_array().unwrap_or_default().iter();
            let names: Vec<Str> = chosen.filter_map(|entry| entry.get("fieldName")).map(Value::to_js_string).collect();
            if names.is_empty() {
                return Err(ExecutionError::operation("No fields specified").describe("Please add a field to include"));
            }
            let names = names.into_iter().filter(|name| name != field);
            let value = |name: &Str| dot_path::get_as(&item.json, name, literal).cloned().unwrap_or_default();
            Ok(names.map(|name| (name.clone(), value(&name))).collect())
        }
        _ => Ok(Object::new()),
    }
}
