//! The statements of the operations on a table. Names are quoted, operators come from a list, values are literals.

use millrace_model::{ExecutionError, Object, Str, Value};

use super::literal::{column_value, name, value};
use crate::{NodeContext, field_list};

/// Text of a parameter that may be a resource locator (`{__rl, mode, value}`).
pub(super) fn located(context: &mut NodeContext<'_>, path: &str, item: usize) -> Result<Str, ExecutionError> {
    let found = context.parameter(path, item)?;
    let found = found.get("value").cloned().unwrap_or(found);
    Ok(if found.is_nullish() { Str::new() } else { found.to_js_string() })
}

/// `"schema"."table"`.
pub(super) fn table(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let (schema, table) = (located(context, "schema", item)?, located(context, "table", item)?);
    let table = name(&table)?;
    Ok(if schema.is_empty() { table } else { format!("{}.{table}", name(&schema)?) })
}

pub(super) fn select(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let columns = columns(context, item)?;
    let mut text = format!("SELECT {columns} FROM {}{}", table(context, item)?, conditions(context, item)?);
    let sort = context.parameter("sort.values", item)?;
    let mut order = Vec::new();
    for rule in sort.as_array().unwrap_or_default() {
        let down = rule.get("direction").and_then(Value::as_str) == Some("DESC");
        order.push(format!("{} {}", field(rule, "column")?, if down { "DESC" } else { "ASC" }));
    }
    if !order.is_empty() {
        text.push_str(&format!(" ORDER BY {}", order.join(", ")));
    }
    if !context.flag("returnAll", item)? {
        let limit = context.number("limit", item)?.and_then(millrace_model::to_index).unwrap_or(50);
        text.push_str(&format!(" LIMIT {limit}"));
    }
    Ok(text)
}

pub(super) fn delete(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let table = table(context, item)?;
    let cascade = if context.flag("options.cascade", item)? { " CASCADE" } else { "" };
    Ok(match context.text("deleteCommand", item)?.as_str() {
        "drop" => format!("DROP TABLE IF EXISTS {table}{cascade}"),
        "delete" => format!("DELETE FROM {table}{}", conditions(context, item)?),
        _ => {
            let restart = if context.flag("restartSequences", item)? { " RESTART IDENTITY" } else { "" };
            format!("TRUNCATE TABLE {table}{restart}{cascade}")
        }
    })
}

pub(super) fn insert(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let fields = fields(context, item)?;
    let quiet = if context.flag("options.skipOnConflict", item)? { " ON CONFLICT DO NOTHING" } else { "" };
    let head = inserted(context, item, &fields)?;
    Ok(format!("{head}{quiet} RETURNING {}", columns(context, item)?))
}

pub(super) fn upsert(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let (fields, keys) = (fields(context, item)?, keys(context, item)?);
    let fields = with_key_values(context, item, fields, &keys)?;
    let head = inserted(context, item, &fields)?;
    let names: Result<Vec<String>, ExecutionError> = keys.iter().map(|key| name(key)).collect();
    let mut changes = Vec::new();
    for column in fields.keys().filter(|column| !keys.contains(column)) {
        let column = name(column)?;
        changes.push(format!("{column} = EXCLUDED.{column}"));
    }
    let action =
        if changes.is_empty() { "DO NOTHING".to_owned() } else { format!("DO UPDATE SET {}", changes.join(", ")) };
    Ok(format!("{head} ON CONFLICT ({}) {action} RETURNING {}", names?.join(", "), columns(context, item)?))
}

pub(super) fn update(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let (fields, keys) = (fields(context, item)?, keys(context, item)?);
    let fields = with_key_values(context, item, fields, &keys)?;
    let pair = |column: &Str, value: &Value| Ok(format!("{} = {}", name(column)?, column_value(value)?));
    let (mut changes, mut found): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (column, value) in fields.iter() {
        let list = if keys.contains(column) { &mut found } else { &mut changes };
        list.push(pair(column, value)?);
    }
    if changes.is_empty() {
        let reason = "Besides the column to match on, at least one column needs a value";
        return Err(ExecutionError::operation("There is nothing to update").describe(reason));
    }
    let (changes, found) = (changes.join(", "), found.join(" AND "));
    let (table, columns) = (table(context, item)?, columns(context, item)?);
    Ok(format!("UPDATE {table} SET {changes} WHERE {found} RETURNING {columns}"))
}

fn inserted(context: &mut NodeContext<'_>, item: usize, fields: &Object) -> Result<String, ExecutionError> {
    let table = table(context, item)?;
    if fields.is_empty() {
        return Ok(format!("INSERT INTO {table} DEFAULT VALUES"));
    }
    let names: Result<Vec<String>, ExecutionError> = fields.keys().map(|column| name(column)).collect();
    let values: Result<Vec<String>, ExecutionError> = fields.values().map(column_value).collect();
    Ok(format!("INSERT INTO {table} ({}) VALUES ({})", names?.join(", "), values?.join(", ")))
}

/// Columns and their values: the item's fields, or those of the node.
fn fields(context: &mut NodeContext<'_>, item: usize) -> Result<Object, ExecutionError> {
    let mapped = context.version() >= 2.2;
    let mode = context.text(if mapped { "columns.mappingMode" } else { "dataMode" }, item)?;
    let mut fields = if mode == "autoMapInputData" {
        context.items().get(item).and_then(|item| item.json.as_object()).cloned().unwrap_or_default()
    } else if mapped {
        context.parameter("columns.value", item)?.as_object().cloned().unwrap_or_default()
    } else {
        let given = context.parameter("valuesToSend.values", item)?;
        let mut fields = Object::new();
        for entry in given.as_array().unwrap_or_default() {
            let column = entry.get("column").map(Value::to_js_string).unwrap_or_default();
            fields.insert(column, entry.get("value").cloned().unwrap_or_default());
        }
        fields
    };
    if context.flag("options.replaceEmptyStrings", item)? {
        for (_, value) in fields.values_mut() {
            if value.as_str() == Some("") {
                *value = Value::Null;
            }
        }
    }
    Ok(fields)
}

/// Columns whose values say which row is meant.
fn keys(context: &mut NodeContext<'_>, item: usize) -> Result<Vec<Str>, ExecutionError> {
    let keys = if context.version() >= 2.2 {
        let keys = context.parameter("columns.matchingColumns", item)?;
        keys.as_array().unwrap_or_default().iter().map(Value::to_js_string).collect()
    } else {
        let key = located(context, "columnToMatchOn", item)?;
        if key.is_empty() { Vec::new() } else { vec![key] }
    };
    if keys.is_empty() {
        let reason = "Choose the column whose value says which row is meant";
        return Err(ExecutionError::operation("There is no column to match on").describe(reason));
    }
    Ok(keys)
}

/// The fields with the value of the column to match on, where the node has it apart; every such column needs a value.
fn with_key_values(
    context: &mut NodeContext<'_>,
    item: usize,
    mut fields: Object,
    keys: &[Str],
) -> Result<Object, ExecutionError> {
    for key in keys {
        if !fields.contains_key(key) {
            let apart = context.parameter("valueToMatchOn", item)?;
            if apart.is_nullish() || apart.as_str() == Some("") {
                let message = format!("The column \"{key}\" to match on has no value");
                return Err(ExecutionError::operation(message));
            }
            fields.insert(key.clone(), apart);
        }
    }
    Ok(fields)
}

/// Columns of the result.
fn columns(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    let chosen = field_list::parse(&context.parameter("options.outputColumns", item)?, "Output Columns")?;
    if chosen.is_empty() || chosen.iter().any(|column| column == "*") {
        return Ok("*".to_owned());
    }
    let names: Result<Vec<String>, ExecutionError> = chosen.iter().map(|column| name(column)).collect();
    Ok(names?.join(", "))
}

/// ` WHERE …` of the rows that are meant; empty: all.
fn conditions(context: &mut NodeContext<'_>, item: usize) -> Result<String, ExecutionError> {
    const OPERATORS: [&str; 7] = ["=", "!=", "LIKE", ">", "<", ">=", "<="];
    let rules = context.parameter("where.values", item)?;
    let mut parts = Vec::new();
    for rule in rules.as_array().unwrap_or_default() {
        let column = field(rule, "column")?;
        let operator = rule.get("condition").map(Value::to_js_string).unwrap_or_else(|| "equal".into());
        let operator = if operator == "equal" { "=" } else { operator.as_str() };
        parts.push(match operator {
            "IS NULL" | "IS NOT NULL" => format!("{column} {operator}"),
            _ if OPERATORS.contains(&operator) => {
                format!("{column} {operator} {}", value(rule.get("value").unwrap_or(&Value::Null))?)
            }
            other => return Err(ExecutionError::operation(format!("The condition \"{other}\" does not exist"))),
        });
    }
    let any = context.text("combineConditions", item)? == "OR";
    Ok(if parts.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", parts.join(if any { " OR " } else { " AND " }))
    })
}

fn field(rule: &Value, key: &str) -> Result<String, ExecutionError> {
    name(&rule.get(key).map(Value::to_js_string).unwrap_or_default())
}
