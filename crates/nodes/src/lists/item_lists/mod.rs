//! Item Lists: the node that Aggregate, Limit, Remove Duplicates, Sort, Split Out and Summarize came from. Shares their
//! behaviour; only what older versions did differently is here.

mod split;
#[cfg(test)]
mod tests;

use millrace_model::{Item, PairedItem, PairedRef};

use super::aggregate::{Missing, all_of, single_fields, whole_items};
use super::{limit, remove_duplicates, sort, split_out, summarize};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.itemLists", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let version = context.version();
    match context.text("operation", 0)?.as_str() {
        "limit" => limit::execute(context),
        "sort" => sort::execute(context),
        "removeDuplicates" => remove_duplicates::within_input(context).map(Output::items),
        "summarize" => {
            let tolerant = version >= 2.1 || context.flag("options.continueIfFieldNotFound", 0)?;
            summarize::summarize(context, tolerant, version < 3.1, true)
        }
        "aggregateItems" | "concatenateItems" => aggregate(context),
        _ if version >= 2.2 => split_out::execute(context),
        _ => split::execute(context),
    }
}

fn aggregate(context: &mut NodeContext<'_>) -> NodeResult {
    let missing = if context.version() < 2.1 { Missing::Refuse } else { Missing::LeaveOut };
    let json = match context.text("aggregate", 0)?.as_str() {
        "aggregateAllItemData" => whole_items(context)?,
        _ => single_fields(context, "fieldsToAggregate.fieldToAggregate", missing)?,
    };
    let count = if context.version() < 2.0 { 1 } else { context.items().len() };
    let links = if count == 1 { PairedItem::One(PairedRef::item(0)) } else { all_of(count) };
    let item = Item { paired_item: Some(links), ..Item::new(json) };
    Ok(Output::items([item]))
}
