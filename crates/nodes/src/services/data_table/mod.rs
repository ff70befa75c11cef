//! Data Table: rows that the workflows of a tenant keep and share. Where they lie is the host's (`dataTable.…`); what is
//! read into parameters, and what comes out, is n8n's.

mod columns;
mod filter;
mod rows;
mod tables;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Object, Str, Value};

use crate::{Behaviour, Capability, NodeContext, NodeHost, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.dataTable", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Storage]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let operation = context.text("operation", 0)?;
        match context.text("resource", 0)?.as_str() {
            "table" => tables::execute(context, &operation).await,
            _ if operation == "insert" => rows::insert(context).await,
            _ => rows::execute(context, &operation).await,
        }
    })
}

/// Asks the host to do something with a table.
async fn ask(
    host: &dyn NodeHost,
    what: &str,
    table: &Object,
    arguments: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Value, ExecutionError> {
    let mut all: Object = arguments.into_iter().map(|(name, value)| (Str::from(name), value)).collect();
    all.insert("table", table.clone());
    host.service(&format!("dataTable.{what}"), all.into()).await
}

/// The table that a node means: by id, or by its name. A list's choice of another server is known by its name.
fn table(context: &mut NodeContext<'_>, item: usize) -> Result<Object, ExecutionError> {
    let locator = context.parameter("dataTableId", item)?;
    let text = |key: &str| locator.get(key).filter(|value| !value.is_nullish()).map(Value::to_js_string);
    let chosen = text("value").or_else(|| locator.as_str().map(Str::from)).unwrap_or_default();
    if chosen.is_empty() {
        return Err(ExecutionError::operation("No data table is chosen").describe("Choose one, or give its name"));
    }
    if text("mode").as_deref() == Some("name") {
        return Ok(Object::from([("name", chosen.into())]));
    }
    let mut table = Object::from([("id", chosen.into())]);
    if let Some(name) = text("cachedResultName") {
        table.insert("name", name);
    }
    Ok(table)
}
