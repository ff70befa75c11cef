//! HTML Extract: the older node for what HTML's extraction does.

#[cfg(test)]
mod tests;

use millrace_model::Item;

use super::html::{Reading, extract};
use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.htmlExtract", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::with_capacity(context.items().len());
    for index in 0..context.items().len() {
        match extract(context, index, Reading::Trimmed) {
            Ok(values) => made.extend(values.into_iter().map(|json| Item::new(json).paired(index))),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}
