//! Form Trigger: begins a run when its form is submitted. The server has made the item; here it only passes.

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.formTrigger", include_str!("description.json"), execute).role(Role::Webhook);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
