//! Execution Data: keeps searchable key-value pairs with the execution; items go on as they are.

#[cfg(test)]
mod tests;

use std::sync::PoisonError;

use millrace_model::{ExecutionError, Str, Value};

use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.executionData", include_str!("description.json"), execute);

/// Limits of n8n: pairs of an execution, letters of a key and of a value.
const MAX_PAIRS: usize = 10;
const MAX_KEY: usize = 50;
const MAX_VALUE: usize = 512;

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::with_capacity(context.items().len());
    for (index, item) in context.items().iter().enumerate() {
        match save(context, index) {
            Ok(()) => made.push(item.clone()),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}

fn save(context: &mut NodeContext<'_>, index: usize) -> Result<(), ExecutionError> {
    let pairs = context.parameter("dataToSave.values", index)?;
    for pair in pairs.as_array().unwrap_or_default() {
        let key = pair.get("key").map(Value::to_js_string).unwrap_or_default();
        let value = pair.get("value").cloned().unwrap_or_default();
        let (key, value) = checked(key, value)?;
        let mut kept = context.globals.custom_data.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_PAIRS || kept.contains_key(&key) {
            kept.insert(key, value);
        }
    }
    Ok(())
}

/// A pair within the limits; longer text is cut.
fn checked(key: Str, value: Value) -> Result<(Str, Str), ExecutionError> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(ExecutionError::operation(format!(
            "Custom data key can only contain characters \"A-Za-z0-9_\" (key \"{key}\")"
        )));
    }
    let text = match &value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => value.to_js_string(),
        other => {
            let kind = if matches!(other, Value::Null | Value::Array(_)) { "object" } else { other.kind() };
            return Err(ExecutionError::operation(format!(
                "Custom data values must be a string, number or boolean (key \"{key}\" is {kind})"
            )));
        }
    };
    let cut = |text: Str, most: usize| Str::from(text.chars().take(most).collect::<String>());
    Ok((cut(key, MAX_KEY), cut(text, MAX_VALUE)))
}
