//! Date & Time. Version 2 speaks Luxon, which the sandbox has; version 1 speaks Moment.js (`moment`, `legacy`).

mod current;
mod given;
mod legacy;
mod moment;
#[cfg(test)]
mod tests;

use millrace_model::Item;

use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.dateTime", include_str!("description.json"), Behaviour::Pure(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::with_capacity(context.items().len());
    for (index, item) in context.items().iter().enumerate() {
        let result = if context.version() < 2.0 {
            legacy::convert(context, index, item)
        } else {
            current::convert(context, index, item)
        };
        match result {
            Ok(json) => {
                made.push(Item { json: json.into(), binary: item.binary.clone(), ..Item::default() }.paired(index))
            }
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}
