//! Version 1: the columns are named as text, their values are the item's fields.

use millrace_model::{ExecutionError, Str, Value};

use super::literal::{column_value, fill, name};
use super::query;
use super::statement::table;
use crate::{NodeContext, field_list};

pub(super) fn statement(
    context: &mut NodeContext<'_>,
    operation: &str,
    index: usize,
) -> Result<String, ExecutionError> {
    match operation {
        "executeQuery" => {
            let names = field_list::split(&context.text("additionalFields.queryParams", index)?);
            let values: Vec<Value> = names.iter().map(|name| field(context, index, name)).collect();
            fill(&query(context, index)?, &values)
        }
        "insert" => {
            let columns = columns(context, index)?;
            let names: Result<Vec<String>, ExecutionError> = columns.iter().map(|column| name(column)).collect();
            let values: Result<Vec<String>, ExecutionError> =
                columns.iter().map(|column| column_value(&field(context, index, column))).collect();
            let (names, values) = (names?.join(", "), values?.join(", "));
            let (table, returned) = (table(context, index)?, returned(context, index)?);
            Ok(format!("INSERT INTO {table} ({names}) VALUES ({values}) RETURNING {returned}"))
        }
        "update" => {
            let key = context.text("updateKey", index)?;
            let mut changes = Vec::new();
            for column in columns(context, index)?.iter().filter(|column| **column != key) {
                changes.push(format!("{} = {}", name(column)?, column_value(&field(context, index, column))?));
            }
            if changes.is_empty() {
                return Err(ExecutionError::operation("There is nothing to update"));
            }
            let found = format!("{} = {}", name(&key)?, column_value(&field(context, index, &key))?);
            let (table, returned) = (table(context, index)?, returned(context, index)?);
            Ok(format!("UPDATE {table} SET {} WHERE {found} RETURNING {returned}", changes.join(", ")))
        }
        other => Err(ExecutionError::operation(format!("The operation \"{other}\" does not exist"))),
    }
}

/// Names of the columns, without the types that may stand behind them (`id:int`).
fn columns(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Str>, ExecutionError> {
    let names = field_list::split(&context.text("columns", index)?);
    Ok(names.iter().map(|name| name.split(':').next().unwrap_or_default().trim().into()).collect())
}

fn field(context: &NodeContext<'_>, index: usize, name: &str) -> Value {
    context.items().get(index).and_then(|item| item.json.get(name)).cloned().unwrap_or(Value::Null)
}

fn returned(context: &mut NodeContext<'_>, index: usize) -> Result<String, ExecutionError> {
    let chosen = field_list::split(&context.text("returnFields", index)?);
    if chosen.is_empty() || chosen.iter().any(|column| column == "*") {
        return Ok("*".to_owned());
    }
    let names: Result<Vec<String>, ExecutionError> = chosen.iter().map(|column| name(column)).collect();
    Ok(names?.join(", "))
}
