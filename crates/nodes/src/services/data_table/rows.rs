//! Operations on rows.

use millrace_model::{ExecutionError, Item, Object, Str, Value, to_index, truthy};

use super::columns::Columns;
use super::{ask, filter, table};
use crate::{NodeContext, NodeResult, Output};

/// All operations but `insert`: one for each item.
pub(super) async fn execute(context: &mut NodeContext<'_>, operation: &str) -> NodeResult {
    let mut made = Vec::new();
    let mut known = None;
    for index in 0..context.items().len() {
        match one(context, operation, index, &mut known).await {
            Ok(items) => made.extend(items.into_iter().map(|item| item.paired(index))),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}

/// A table and its columns, as the item before found them.
type Known = Option<(Object, Columns)>;

async fn one(
    context: &mut NodeContext<'_>,
    operation: &str,
    index: usize,
    known: &mut Known,
) -> Result<Vec<Item>, ExecutionError> {
    let (table, columns) = described(context, index, known).await?;
    let filter: Value = filter::read(context, index, columns)?.into();
    match operation {
        "rowExists" | "rowNotExists" => {
            let found = ask(context.host, "get", table, [("filter", filter), ("limit", 1.into())]).await?;
            let exists = found.as_array().is_some_and(|rows| !rows.is_empty());
            let item = context.items().get(index).filter(|_| exists == (operation == "rowExists"));
            Ok(item.cloned().into_iter().collect())
        }
        "get" => {
            let mut arguments = vec![("filter", filter)];
            if !context.flag("returnAll", index)? {
                let limit = context.number("limit", index)?.and_then(to_index).unwrap_or(50);
                arguments.push(("limit", limit.into()));
            }
            if context.flag("orderBy", index)? {
                arguments.push(("orderBy", context.text("orderByColumn", index)?.into()));
                arguments.push(("descending", (context.text("orderByDirection", index)? != "ASC").into()));
            }
            Ok(items(&ask(context.host, "get", table, arguments).await?))
        }
        "deleteRows" => {
            let dry_run = context.flag("options.dryRun", index)?;
            let arguments = [("filter", filter), ("dryRun", dry_run.into())];
            let changed = ask(context.host, "delete", table, arguments).await?;
            Ok(if dry_run { tried(&changed, None) } else { items(changed.get("before").unwrap_or(&Value::Null)) })
        }
        _ => {
            let dry_run = context.flag("options.dryRun", index)?;
            let data = columns.row(&given(context, index)?, &context.zone())?;
            let arguments = [("filter", filter), ("data", data.clone().into()), ("dryRun", dry_run.into())];
            let changed =
                ask(context.host, if operation == "upsert" { "upsert" } else { "update" }, table, arguments).await?;
            let after = changed.get("after").unwrap_or(&Value::Null);
            Ok(if dry_run { tried(&changed, Some(&data)) } else { items(after) })
        }
    }
}

/// The rows of all items go to their table together.
pub(super) async fn insert(context: &mut NodeContext<'_>) -> NodeResult {
    let mut known = None;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for index in 0..context.items().len() {
        let row = match described(context, index, &mut known).await {
            Ok((table, columns)) => given(context, index)
                .and_then(|values| columns.row(&values, &context.zone()))
                .map(|row| (table.clone(), row)),
            Err(error) => Err(error),
        };
        match row {
            Ok((table, row)) => rows.push((index, table, row)),
            Err(error) => failed.push((index, context.failed_item(error, index)?)),
        }
    }
    let in_bulk = context.flag("options.optimizeBulk", 0)?;
    let count = rows.len();
    let mut made = failed;
    // Rows that follow each other into one table.
    let mut rest = rows.as_slice();
    while let Some((_, table, _)) = rest.first() {
        let alike = rest.iter().position(|(_, other, _)| other != table).unwrap_or(rest.len());
        let (batch, others) = rest.split_at(alike);
        rest = others;
        let values = Value::array(batch.iter().map(|(_, _, row)| row.clone().into()));
        let stored = ask(context.host, "insert", table, [("rows", values)]).await?;
        let stored = stored.as_array().unwrap_or_default();
        made.extend(batch.iter().zip(stored).map(|((index, ..), row)| (*index, Item::new(row.clone()).paired(*index))));
    }
    if in_bulk && made.len() == count {
        let told = Object::from([("success", true.into()), ("insertedRows", count.into())]);
        return Ok(Output::items([Item::new(told).paired(0)]));
    }
    made.sort_by_key(|(index, _)| *index);
    Ok(Output::items(made.into_iter().map(|(_, item)| item)))
}

/// The table that an item means, asked for once where all mean the same.
async fn described<'k>(
    context: &mut NodeContext<'_>,
    index: usize,
    known: &'k mut Known,
) -> Result<&'k (Object, Columns), ExecutionError> {
    let wanted = table(context, index)?;
    if known.as_ref().is_none_or(|(table, _)| *table != wanted) {
        let found = ask(context.host, "table", &wanted, []).await?;
        *known = Some((wanted, Columns::of(&found)));
    }
    known.as_ref().ok_or_else(|| ExecutionError::operation("No data table is chosen"))
}

/// The values that an item gives its row.
fn given(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    if context.text("columns.mappingMode", index)? == "autoMapInputData" {
        let item = context.items().get(index).and_then(|item| item.json.as_object());
        return Ok(item.cloned().unwrap_or_default());
    }
    let values = context.parameter("columns.value", index)?;
    Ok(values.as_object().cloned().unwrap_or_default())
}

fn items(rows: &Value) -> Vec<Item> {
    rows.as_array().unwrap_or_default().iter().map(|row| Item::new(row.clone())).collect()
}

/// What would have changed: each row as it is and as it would be. `given`: the values of a row that would be new.
fn tried(changed: &Value, given: Option<&Object>) -> Vec<Item> {
    let rows = |key: &str| changed.get(key).and_then(Value::as_array).unwrap_or_default();
    let (before, after) = (rows("before"), rows("after"));
    let state = |row: &Value, state: &str| {
        let mut row = row.as_object().cloned().unwrap_or_default();
        row.insert("dryRunState", state);
        Item::new(row)
    };
    if let (Some(given), true) = (given, before.is_empty()) {
        let Some(new) = after.first() else { return Vec::new() };
        let (mut nulls, mut would_be) = (Object::new(), Object::new());
        for name in ["id", "createdAt", "updatedAt"].map(Str::from).iter().chain(given.keys()) {
            nulls.insert(name.clone(), Value::Null);
            would_be.insert(name.clone(), new.get(name).cloned().unwrap_or_default());
        }
        would_be.insert("id", 0);
        return vec![state(&nulls.into(), "before"), state(&would_be.into(), "after")];
    }
    let gone = |row: &Value| -> Value {
        let names = row.as_object().map(|row| row.keys().map(|name| (name.clone(), Value::Null)).collect());
        Value::Object(names.unwrap_or_default())
    };
    let pairs = before.iter().enumerate().map(|(at, row)| (row, after.get(at).cloned().unwrap_or_else(|| gone(row))));
    pairs
        .flat_map(|(row, after)| [state(row, "before"), state(&after, "after")])
        .filter(|item| truthy(&item.json))
        .collect()
}
