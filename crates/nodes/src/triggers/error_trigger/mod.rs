//! Error Trigger: begins a run when another workflow failed; its item says what happened where.

#[cfg(test)]
mod tests;

use millrace_model::{Item, Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.errorTrigger", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let by_hand = context.globals.mode == "manual";
    let nothing = matches!(context.items(), [item] if item.json.as_object().is_some_and(Object::is_empty));
    Ok(if by_hand && nothing { Output::items([Item::new(example()).paired(0)]) } else { Output::pass(context) })
}

/// What a run by hand shows: the shape of the data of a real failure.
fn example() -> Object {
    let error = Object::from([("message", "Example Error Message".into()), ("stack", "Stacktrace".into())]);
    let execution = Object::from([
        ("id", 231.into()),
        ("url", "/workflow/1/executions/231".into()),
        ("retryOf", "34".into()),
        ("error", error.into()),
        ("lastNodeExecuted", "Node With Error".into()),
        ("mode", "manual".into()),
    ]);
    let workflow = Object::from([("id", "1".into()), ("name", "Example Workflow".into())]);
    Object::from([("execution", Value::from(execution)), ("workflow", workflow.into())])
}
