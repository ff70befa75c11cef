//! Limit: keeps the first or last so many items.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use millrace_model::to_index;

use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.limit", include_str!("description.json"), execute);

pub(in crate::lists) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let items = context.items();
    let most = context.number("maxItems", 0)?.unwrap_or(1.0);
    let most = to_index(most.floor()).unwrap_or(0);
    if most >= items.len() {
        return Ok(Output::pass(context));
    }
    let kept = match context.text("keep", 0)?.as_str() {
        "lastItems" => items.get(items.len() - most..),
        _ => items.get(..most),
    };
    Ok(Output { outputs: vec![Some(Arc::new(kept.unwrap_or_default().to_vec()))], ..Output::default() })
}
