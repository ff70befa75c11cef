//! Code: JavaScript of the user, once for all items or once for each.

#[cfg(test)]
mod tests;

use millrace_expression::ScriptKind;
use millrace_model::{ExecutionError, Item, Object};

use super::{compiled, results, script_host};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.code", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let language = context.text("language", 0)?;
    if language.starts_with("python") {
        let message = "Python is not supported in this Code node: please choose JavaScript";
        return Err(ExecutionError::operation(message));
    }
    if context.text("mode", 0)? == "runOnceForEachItem" { for_each_item(context) } else { for_all_items(context) }
}

fn for_all_items(context: &mut NodeContext<'_>) -> NodeResult {
    let code = code(context)?;
    let script = compiled::script(&code, ScriptKind::CodeAllItems);
    let run = script_host::run(context, &script, context.inputs, 0);
    let run = run.and_then(|outcome| Ok((results::all_items(outcome.value)?, outcome.console)));
    match run {
        Ok((items, console)) => Ok(Output { console, ..Output::items(items) }),
        Err(error) if context.continue_on_fail() => Ok(Output::items([failed(&error)])),
        Err(error) => Err(error),
    }
}

fn for_each_item(context: &mut NodeContext<'_>) -> NodeResult {
    let code = code(context)?;
    let script = compiled::script(&code, ScriptKind::CodeEachItem);
    let mut items = Vec::with_capacity(context.items().len());
    let mut console = Vec::new();
    for at in 0..context.items().len() {
        let run = script_host::run(context, &script, context.inputs, at).and_then(|outcome| {
            console.extend(outcome.console);
            results::one_item(outcome.value, at)
        });
        match run {
            Ok(Some(item)) => items.push(Item { binary: item.binary, ..Item::new(item.json).paired(at) }),
            Ok(None) => {}
            Err(error) if context.continue_on_fail() => items.push(failed(&error).paired(at)),
            Err(error) => return Err(error),
        }
    }
    Ok(Output { console, ..Output::items(items) })
}

/// The script as written: braces in it are not templates.
fn code(context: &NodeContext<'_>) -> Result<millrace_model::Str, ExecutionError> {
    let code = context.prepare("jsCode");
    Ok(code.raw().as_str().unwrap_or_default().into())
}

fn failed(error: &ExecutionError) -> Item {
    Item::new(Object::from([("error", error.message.clone().into())]))
}
