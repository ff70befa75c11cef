//! Operations on whole tables.

use millrace_model::{ExecutionError, Item, Object, Str, Value, to_index};

use super::{ask, table};
use crate::{NodeContext, NodeResult, Output};

pub(super) async fn execute(context: &mut NodeContext<'_>, operation: &str) -> NodeResult {
    let mut made = Vec::new();
    for index in 0..context.items().len() {
        let done = match operation {
            "create" => create(context, index).await.map(|table| vec![table]),
            "delete" => delete(context, index).await.map(|told| vec![told]),
            "update" => rename(context, index).await.map(|told| vec![told]),
            _ => list(context, index).await,
        };
        match done {
            Ok(values) => made.extend(values.into_iter().map(|json| Item::new(json).paired(index))),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}

async fn create(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let name = context.text("tableName", index)?;
    let columns = context.parameter("columns.column", index)?;
    let columns = if columns.is_nullish() { Value::Array(Default::default()) } else { columns };
    let nothing = Object::new();
    if context.flag("options.createIfNotExists", index)? {
        let all = ask(context.host, "listTables", &nothing, []).await?;
        let is_it = |table: &&Value| table.get("name").and_then(Value::as_str) == Some(name.as_str());
        if let Some(found) = all.as_array().unwrap_or_default().iter().find(is_it) {
            return Ok(found.clone());
        }
    }
    ask(context.host, "createTable", &nothing, [("name", name.into()), ("columns", columns)]).await
}

async fn delete(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let table = table(context, index)?;
    ask(context.host, "deleteTable", &table, []).await?;
    let given = table.get("id").or_else(|| table.get("name")).cloned().unwrap_or_default();
    Ok(Object::from([("success", true.into()), ("deletedTableId", given)]).into())
}

async fn rename(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let (table, name) = (table(context, index)?, context.text("newName", index)?);
    ask(context.host, "renameTable", &table, [("name", name.clone().into())]).await?;
    Ok(Object::from([("success", true.into()), ("name", name.into())]).into())
}

async fn list(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let all = ask(context.host, "listTables", &Object::new(), []).await?;
    let mut tables = all.as_array().unwrap_or_default().to_vec();
    let wanted = context.text("options.filterName", index)?.to_lowercase();
    let text = |table: &Value, key: &str| table.get(key).map(Value::to_js_string).unwrap_or_default();
    tables.retain(|table| text(table, "name").to_lowercase().contains(wanted.as_str()));
    let field = context.text("options.sortField", index)?;
    let field = if field.is_empty() { Str::from("name") } else { field };
    tables.sort_by_key(|table| text(table, &field).to_lowercase());
    if context.text("options.sortDirection", index)? == "desc" {
        tables.reverse();
    }
    if !context.flag("returnAll", index)? {
        tables.truncate(context.number("limit", index)?.and_then(to_index).unwrap_or(50));
    }
    Ok(tables)
}
