//! Versions 1 and 2: values in three lists by type.

use millrace_model::{ExecutionError, Item, Object, Value, truthy};

use crate::{NodeContext, NodeResult, Output, Prepared, dot_path};

/// The lists in the order in which they are written.
const LISTS: [&str; 3] = ["boolean", "number", "string"];

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let keep_only = context.prepare("keepOnlySet");
    let options = context.prepare("options");
    let lists = LISTS.map(|kind| (kind, context.prepare(&format!("values.{kind}"))));
    let mut items = Vec::with_capacity(context.items().len());
    for (at, item) in context.items().iter().enumerate() {
        let literal = options.at(context, at)?.get("dotNotation") == Some(&Value::Bool(false));
        let mut made = if keep_only.at(context, at)? == Value::Bool(true) {
            Item::empty().paired(at)
        } else {
            let json = item.json.as_object().cloned().unwrap_or_default();
            Item { binary: item.binary.clone(), ..Item::new(json).paired(at) }
        };
        if let Value::Object(json) = &mut made.json {
            for (kind, list) in &lists {
                write(context, kind, list, literal, at, json)?;
            }
        }
        items.push(made);
    }
    Ok(Output::items(items))
}

fn write(
    context: &mut NodeContext<'_>,
    kind: &str,
    list: &Prepared,
    literal: bool,
    at: usize,
    json: &mut Object,
) -> Result<(), ExecutionError> {
    let list = list.at(context, at)?;
    for entry in list.as_array().unwrap_or_default().iter().filter_map(Value::as_object) {
        let name = entry.get("name").map(Value::to_js_string).unwrap_or_default();
        let value = entry.get("value").cloned().unwrap_or_default();
        let value = match kind {
            "boolean" => truthy(&value).into(),
            "number" if context.version() >= 2.0 => number(value),
            _ => value,
        };
        dot_path::set_as(json, &name, value, literal)?;
    }
    Ok(())
}

/// Text that is a number as that number (version 2).
fn number(value: Value) -> Value {
    let read = value.as_str().filter(|text| !text.trim().is_empty()).map(millrace_model::parse_number);
    read.filter(|number| !number.is_nan()).map_or(value, Value::Number)
}
