//! Function: the predecessor of Code that ran once for all items.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use millrace_expression::ScriptKind;
use millrace_model::{ExecutionError, Item, Items, Object, Value};

use super::{compiled, results, script_host};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.function", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let code = context.prepare("functionCode").raw().as_str().unwrap_or_default().into();
    let script = compiled::script(&code, ScriptKind::Function);
    let inputs = numbered(context);
    let run = script_host::run(context, &script, &inputs, 0).map_err(with_line);
    let run = run.and_then(|outcome| Ok((checked(outcome.value)?, outcome.console)));
    match run {
        Ok((items, console)) => Ok(Output { console, ..Output::items(items) }),
        Err(error) if context.continue_on_fail() => {
            Ok(Output::items([Item::new(Object::from([("error", error.message.into())]))]))
        }
        Err(error) => Err(error),
    }
}

/// The input with its place written on every item, as scripts for this node know it.
fn numbered(context: &NodeContext<'_>) -> Vec<Option<Items>> {
    let number = |(at, item): (usize, &Item)| {
        let mut extra = item.extra.clone().unwrap_or_default();
        extra.insert("index", at);
        Item { extra: Some(extra), ..item.clone() }
    };
    let items = context.items().iter().enumerate().map(number).collect();
    let mut inputs = context.inputs.to_vec();
    if let Some(first) = inputs.first_mut() {
        *first = Some(Arc::new(items));
    }
    inputs
}

fn checked(result: Value) -> Result<Vec<Item>, ExecutionError> {
    if result.is_undefined() {
        return Err(ExecutionError::operation("No data got returned. Always return an Array of items!"));
    }
    // A lone object counts as made from the first item.
    let alone = matches!(result, Value::Object(_));
    let items = match result {
        Value::Array(_) | Value::Object(_) => results::normalized(result)?,
        _ => return Err(ExecutionError::operation("Always an Array of items has to be returned!")),
    };
    for item in &items {
        match item.get("json") {
            None | Some(Value::Undefined) => {
                let message = "All returned items have to contain a property named \"json\"!";
                return Err(ExecutionError::operation(message));
            }
            Some(Value::Object(_)) => {}
            Some(_) => return Err(ExecutionError::operation("The json-property has to be an object!")),
        }
        if !matches!(item.get("binary"), None | Some(Value::Undefined | Value::Object(_))) {
            return Err(ExecutionError::operation("The binary-property has to be an object!"));
        }
    }
    let linked = |item: Item| if alone && item.paired_item.is_none() { item.paired(0) } else { item };
    Ok(items.iter().map(Item::from_value).map(linked).collect())
}

/// The line as this node writes it: ` [Line 3]`.
fn with_line(mut error: ExecutionError) -> ExecutionError {
    if let Some(line) = error.line_number {
        let own = format!(" [line {line}]");
        let message = error.message.strip_suffix(own.as_str()).unwrap_or(&error.message);
        error.message = format!("{message} [Line {line}]").into();
    }
    error
}
