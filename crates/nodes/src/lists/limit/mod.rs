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
    let length = f64::from(u32::try_from(items.len()).unwrap_or(u32::MAX));
    if most >= length {
        return Ok(Output::pass(context));
    }
    // As JavaScript's `slice` takes its bounds: cut to whole numbers, negative ones from the end.
    let place = |bound: f64| to_index(if bound < 0.0 { (bound.trunc() + length).max(0.0) } else { bound.trunc() });
    let kept = match context.text("keep", 0)?.as_str() {
        "lastItems" => place(length - most).and_then(|first| items.get(first..)),
        _ => place(most).and_then(|end| items.get(..end)),
    };
    Ok(Output { outputs: vec![Some(Arc::new(kept.unwrap_or_default().to_vec()))], ..Output::default() })
}
