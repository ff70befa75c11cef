//! Postgres: statements of one's own, and rows selected, inserted, updated, upserted and deleted.

mod first_version;
mod literal;
mod statement;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Value};

use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output, Prepared};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.postgres", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut items = Vec::new();
        let mut statements = Vec::new();
        for index in 0..context.items().len() {
            match statement(context, index) {
                Ok(text) => statements.push((index, text)),
                Err(error) => items.push(context.failed_item(error, index)?),
            }
        }
        if statements.is_empty() {
            return Ok(Output::items(items));
        }
        let connection = context.host.credential(context.node(), "postgres").await?;
        let mode = match context.text("options.queryBatching", 0)?.as_str() {
            "transaction" => "transaction",
            "independently" => "independently",
            _ if context.continue_on_fail() => "independently",
            _ => "single",
        };
        let texts = statements.iter().map(|(_, text)| Value::from(text.as_str()));
        let arguments = Object::from([
            ("connection", Value::from(connection)),
            ("statements", Value::array(texts)),
            ("mode", mode.into()),
            ("largeNumbers", context.text("options.largeNumbersOutput", 0)?.into()),
        ]);
        let results = match context.host.service("postgres.query", arguments.into()).await {
            Ok(results) => results,
            Err(error) => {
                let first = statements.first().map_or(0, |(index, _)| *index);
                items.push(context.failed_item(error, first)?);
                return Ok(Output::items(items));
            }
        };
        for ((index, _), result) in statements.iter().zip(results.as_array().unwrap_or_default()) {
            items.extend(answered(context, result, *index)?);
        }
        Ok(Output::items(items))
    })
}

/// The items of one statement's result; `{"success": true}` where it has no rows.
fn answered(context: &NodeContext<'_>, result: &Value, index: usize) -> Result<Vec<Item>, ExecutionError> {
    if let Some(error) = result.get("error") {
        let text = |name: &str| error.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string);
        let mut failure = ExecutionError::operation(text("message").unwrap_or_default());
        if let Some(description) = text("description") {
            failure = failure.describe(description);
        }
        return Ok(vec![context.failed_item(failure, index)?]);
    }
    let rows = result.get("rows").and_then(Value::as_array).unwrap_or_default();
    let selects = context.parameters.get("operation").and_then(Value::as_str) == Some("select");
    if rows.is_empty() && !selects {
        return Ok(vec![Item::new(Object::from([("success", true.into())])).paired(index)]);
    }
    Ok(rows.iter().map(|row| Item::new(row.clone()).paired(index)).collect())
}

fn statement(context: &mut NodeContext<'_>, index: usize) -> Result<String, ExecutionError> {
    let operation = context.text("operation", index)?;
    if context.version() < 2.0 {
        return first_version::statement(context, &operation, index);
    }
    match operation.as_str() {
        "deleteTable" => statement::delete(context, index),
        "executeQuery" => {
            let values = replacements(context, index)?;
            literal::fill(&query(context, index)?, &values)
        }
        "insert" => statement::insert(context, index),
        "select" => statement::select(context, index),
        "update" => statement::update(context, index),
        "upsert" => statement::upsert(context, index),
        other => Err(ExecutionError::operation(format!("The operation \"{other}\" does not exist"))),
    }
}

/// The query, its `{{ … }}` resolved. Values belong into the parameters of the query: here they are text of it.
fn query(context: &mut NodeContext<'_>, index: usize) -> Result<String, ExecutionError> {
    let written = context.prepare("query").raw().to_js_string();
    let template = if written.starts_with('=') { written.to_string() } else { format!("={written}") };
    let query = context.resolve(&template.into(), index)?.to_js_string();
    if query.trim().is_empty() {
        return Err(ExecutionError::operation("The query is empty"));
    }
    Ok(query.into())
}

/// Values for `$1`, `$2`, …: a list, or text with commas between; each `{{ … }}` keeps its type and its commas.
fn replacements(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let prepared: Prepared = context.prepare("options.queryReplacement");
    let Some(written) = prepared.raw().as_str().map(str::to_owned) else {
        let given = prepared.at(context, index)?;
        return Ok(given.as_array().map(<[Value]>::to_vec).unwrap_or_default());
    };
    if written.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    let parts = split(written.trim_start_matches('='));
    let alone = parts.len() == 1;
    for part in parts {
        let part = part.trim();
        let value = if part.contains("{{") { context.resolve(&format!("={part}").into(), index)? } else { part.into() };
        match value {
            Value::Array(all) if alone => values.extend(all.iter().cloned()),
            value => values.push(value),
        }
    }
    Ok(values)
}

/// Parts between commas outside of `{{ }}`.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'{', Some(b'{')) => depth += 1,
            (b'}', Some(b'}')) => depth = depth.saturating_sub(1),
            (b',', _) if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}
