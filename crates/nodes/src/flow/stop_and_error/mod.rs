//! Stop and Error: ends the run with an error of the user's making.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Value};

use crate::{NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.stopAndError", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if context.text("errorType", 0)? != "errorObject" {
        let message = context.text("errorMessage", 0)?;
        return Err(ExecutionError::operation(message));
    }
    let object = match context.parameter("errorObject", 0)? {
        Value::String(text) => Value::from_json(&text).map_err(|error| {
            ExecutionError::operation("The error object is not valid JSON").describe(error.to_string())
        })?,
        other => other,
    };
    Err(from_object(&object))
}

/// The error that an object describes: its `message`, else `description`, else `error`, else the whole object.
fn from_object(object: &Value) -> ExecutionError {
    let field = |key: &str| object.get(key).filter(|value| !value.is_nullish());
    let text = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => value.to_json().into(),
        other => other.to_js_string(),
    };
    let message = ["message", "description", "error"].iter().find_map(|key| field(key)).map(text);
    let mut error = ExecutionError::operation(message.unwrap_or_else(|| format!("Error: {}", object.to_json()).into()));
    error.description = field("description").map(text);
    if let Some(kind) = field("type") {
        error = error.with_context("type", kind.clone());
    }
    error
}
