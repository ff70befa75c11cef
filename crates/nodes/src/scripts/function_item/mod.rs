//! Function Item: the predecessor of Code that ran once for each item.

#[cfg(test)]
mod tests;

use millrace_expression::ScriptKind;
use millrace_model::{Binaries, ExecutionError, Item, Object, Value};

use super::{compiled, script_host};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.functionItem", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let code = context.prepare("functionCode").raw().as_str().unwrap_or_default().into();
    let script = compiled::script(&code, ScriptKind::FunctionItem);
    let mut items = Vec::with_capacity(context.items().len());
    let mut console = Vec::new();
    for (at, item) in context.items().iter().enumerate() {
        let run = script_host::run(context, &script, context.inputs, at).map_err(|error| with_place(error, at));
        let made = run.and_then(|outcome| {
            console.extend(outcome.console);
            let binary = match &outcome.binary {
                Some(set) => binaries(set),
                None => item.binary.clone(),
            };
            Ok(Item { binary, ..Item::new(checked(outcome.value)?).paired(at) })
        });
        items.push(match made {
            Ok(made) => made,
            Err(error) if context.continue_on_fail() => {
                Item::new(Object::from([("error", error.message.into())])).paired(at)
            }
            Err(error) => return Err(error.at_item(at)),
        });
    }
    Ok(Output { console, ..Output::items(items) })
}

fn checked(result: Value) -> Result<Value, ExecutionError> {
    match result {
        Value::Undefined => Err(ExecutionError::operation("No data got returned. Always return an object!")),
        Value::Object(_) => Ok(result),
        _ => Err(ExecutionError::operation("The returned value has to be an object!")),
    }
}

/// The binaries that a script set.
fn binaries(value: &Value) -> Option<Binaries> {
    let item = Item::from_value(&Object::from([("json", Object::new().into()), ("binary", value.clone())]).into());
    item.binary
}

/// The line and item as this node writes them: ` [Line 3 | Item Index: 0]`.
fn with_place(mut error: ExecutionError, at: usize) -> ExecutionError {
    if let Some(line) = error.line_number {
        let own = format!(" [line {line}]");
        let message = error.message.strip_suffix(own.as_str()).unwrap_or(&error.message);
        error.message = format!("{message} [Line {line} | Item Index: {at}]").into();
    }
    error
}
