//! Aggregate: all items become one item with lists.

#[cfg(test)]
mod tests;

mod binaries;

use millrace_model::{ExecutionError, Item, Object, PairedItem, PairedRef, Str, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, dot_path, field_list};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.aggregate", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let json = match context.text("aggregate", 0)?.as_str() {
        "aggregateAllItemData" => whole_items(context)?,
        _ => single_fields(context, "fieldsToAggregate.fieldToAggregate", Missing::LeaveOut)?,
    };
    let mut item = Item { paired_item: Some(all_of(context.items().len())), ..Item::new(json) };
    if context.flag("options.includeBinaries", 0)? {
        item.binary = binaries::of_all(context.items(), context.flag("options.keepOnlyUnique", 0)?);
    }
    Ok(Output::items([item]))
}

/// Links to all items of the input.
pub(in crate::lists) fn all_of(count: usize) -> PairedItem {
    PairedItem::Many((0..count).map(|at| PairedItem::One(PairedRef::item(at))).collect())
}

/// What to do when no item has a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lists) enum Missing {
    LeaveOut,
    Refuse,
}

/// A list for each chosen field.
pub(in crate::lists) fn single_fields(
    context: &mut NodeContext<'_>,
    path: &str,
    missing: Missing,
) -> Result<Object, ExecutionError> {
    let literal = context.flag("options.disableDotNotation", 0)?;
    let merge = context.flag("options.mergeLists", 0)?;
    let keep_missing = context.flag("options.keepMissing", 0)?;
    let chosen = context.parameter(path, 0)?;
    let chosen = chosen.as_array().unwrap_or_default();
    if chosen.is_empty() {
        return Err(ExecutionError::operation("No fields specified").describe("Please add a field to aggregate"));
    }
    let mut json = Object::new();
    let mut outputs: Vec<Str> = Vec::with_capacity(chosen.len());
    for entry in chosen {
        let text = |name: &str| {
            entry.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
        };
        let (field, renamed) = (text("fieldToAggregate"), text("outputFieldName"));
        let wanted =
            if entry.get("renameField").is_some_and(millrace_model::truthy) { renamed.clone() } else { field.clone() };
        if outputs.contains(&wanted) {
            let message = format!("The '{wanted}' output field is used more than once");
            return Err(
                ExecutionError::operation(message).describe("Please make sure each output field name is unique")
            );
        }
        outputs.push(wanted);
        if field.is_empty() {
            continue;
        }
        let items = context.items();
        if missing == Missing::Refuse && !items.iter().any(|item| is_present(&item.json, &field, literal)) {
            return Err(not_found(&field, literal));
        }
        let name = match (renamed.is_empty(), literal) {
            (false, _) => renamed,
            (true, true) => field.clone(),
            (true, false) => field.rsplit('.').next().unwrap_or_default().into(),
        };
        let values = gather(items, &field, literal, merge, keep_missing);
        dot_path::set_as(&mut json, &name, values, literal)?;
    }
    Ok(json)
}

fn gather(items: &[Item], field: &str, literal: bool, merge: bool, keep_missing: bool) -> Vec<Value> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let value = dot_path::get_as(&item.json, field, literal).cloned().unwrap_or_default();
        let value = match value {
            Value::Array(list) if !keep_missing && list.contains(&Value::Null) => {
                Value::array(list.iter().filter(|value| **value != Value::Null).cloned())
            }
            value if value.is_nullish() && !keep_missing => continue,
            value => value,
        };
        match value {
            Value::Array(list) if merge => values.extend(list.iter().cloned()),
            Value::Undefined => values.push(Value::Null),
            value => values.push(value),
        }
    }
    values
}

fn is_present(json: &Value, field: &str, literal: bool) -> bool {
    dot_path::get_as(json, field, literal).is_some_and(|value| !value.is_undefined())
}

pub(in crate::lists) fn not_found(field: &str, literal: bool) -> ExecutionError {
    let error = ExecutionError::operation(format!("Couldn't find the field '{field}' in the input data"));
    if literal && field.contains('.') {
        return error.describe(
            "If you're trying to use a nested field, make sure you turn off 'disable dot notation' in the node options",
        );
    }
    error
}

/// The items themselves, or some of their fields, as one list.
pub(in crate::lists) fn whole_items(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    let destination = context.text("destinationFieldName", 0)?;
    let include = field_list::parse(&context.parameter("fieldsToInclude", 0)?, "Fields To Include")?;
    let exclude = field_list::parse(&context.parameter("fieldsToExclude", 0)?, "Fields To Exclude")?;
    let items = context.items().iter().map(|item| &item.json);
    let values: Vec<Value> = if include.is_empty() && exclude.is_empty() {
        items.cloned().collect()
    } else {
        let kept = items.filter_map(Value::as_object).map(|json| {
            let mut json = json.clone();
            json.retain(|key, _| {
                let named = |names: &[Str]| names.iter().any(|name| name == key);
                (include.is_empty() || named(&include)) && !named(&exclude)
            });
            json
        });
        kept.filter(|json| !json.is_empty()).map(Value::from).collect()
    };
    let mut json = Object::new();
    json.insert(destination, values);
    Ok(json)
}
