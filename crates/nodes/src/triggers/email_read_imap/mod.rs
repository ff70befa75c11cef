//! Email Trigger (IMAP): begins runs for the messages that come into a mailbox. The server listens.

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.emailReadImap", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    Ok(Output::pass(context))
}
