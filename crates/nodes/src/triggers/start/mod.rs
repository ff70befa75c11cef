//! Start: the beginning of workflows made before there were triggers for runs by hand.

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.start", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
