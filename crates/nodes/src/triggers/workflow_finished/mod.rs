//! Workflow Finished: begins a run when another workflow's run is over. The server knows when.

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("millrace.workflowFinished", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
