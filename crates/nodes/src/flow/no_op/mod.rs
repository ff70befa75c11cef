//! No Operation: hands its items on.

use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.noOp", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
