//! Redis Trigger: begins a run for each message of a Redis server's channels. The server listens.

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.redisTrigger", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
