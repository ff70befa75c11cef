//! Conditions of a node as the filter that a table takes.

use millrace_model::{ExecutionError, Object, Str, Value};

use super::columns::{Columns, converted};
use crate::NodeContext;
use crate::field_type::FieldType;

/// The filter of one item.
pub(super) fn read(context: &mut NodeContext<'_>, item: usize, columns: &Columns) -> Result<Object, ExecutionError> {
    let combination = if context.text("matchType", item)? == "allConditions" { "and" } else { "or" };
    let conditions = context.parameter("filters.conditions", item)?;
    let conditions = conditions.as_array().unwrap_or_default();
    let name = |condition: &Value| condition.get("keyName").map(Value::to_js_string).unwrap_or_default();
    let unknown: Vec<Str> = conditions.iter().map(name).filter(|name| columns.kind(name).is_none()).collect();
    if !unknown.is_empty() {
        let names = unknown.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let message = format!("Filter validation failed: Column(s) {names} do not exist in the selected table.");
        return Err(ExecutionError::operation(message).describe("Choose columns of this data table in the conditions"));
    }
    let zone = context.zone();
    let tests = conditions.iter().map(|condition| {
        let name = name(condition);
        let kind = columns.kind(&name).unwrap_or(FieldType::String);
        let given = condition.get("keyValue").cloned().unwrap_or_default();
        let operator = condition.get("condition").map(Value::to_js_string).unwrap_or_else(|| "eq".into());
        let (operator, value): (Str, Value) = match operator.as_str() {
            "isEmpty" => ("eq".into(), Value::Null),
            "isNotEmpty" => ("neq".into(), Value::Null),
            "isTrue" => ("eq".into(), true.into()),
            "isFalse" => ("eq".into(), false.into()),
            "like" | "ilike" => (operator, pattern(&given)),
            _ => (operator, converted(&name, &given, kind, &zone)?),
        };
        Ok(Object::from([("columnName", name.into()), ("condition", operator.into()), ("value", value)]).into())
    });
    let tests: Vec<Value> = tests.collect::<Result<_, ExecutionError>>()?;
    Ok(Object::from([("type", combination.into()), ("filters", tests.into())]))
}

/// A pattern without a wildcard is looked for anywhere.
fn pattern(given: &Value) -> Value {
    let text = if given.is_nullish() { Str::new() } else { given.to_js_string() };
    if text.contains('%') { text.into() } else { ecow::eco_format!("%{text}%").into() }
}
