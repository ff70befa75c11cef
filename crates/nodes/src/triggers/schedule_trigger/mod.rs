//! Schedule Trigger: begins runs at set times; its item says when.

#[cfg(test)]
mod tests;

use millrace_model::{Item, Object};

use crate::schedule::moment;
use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.scheduleTrigger", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let nothing = matches!(context.items(), [item] if item.json.as_object().is_some_and(Object::is_empty));
    if !nothing {
        return Ok(Output::pass(context));
    }
    let json = moment(context.globals.clock.now_ms(), &context.zone());
    Ok(Output::items([Item::new(json).paired(0)]))
}
