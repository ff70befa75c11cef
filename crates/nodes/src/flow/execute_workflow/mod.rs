//! Execute Workflow: runs another workflow with the items, once or for each of them.

mod inputs;
mod source;
#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, PairedItem, PairedRef, Value};

use crate::{Behaviour, Call, CallSource, CallWait, Capability, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.executeWorkflow", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Workflows]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let items = inputs::items(context)?;
        if context.text("mode", 0)? == "each" { for_each(context, items).await } else { once(context, items).await }
    }
    .boxed()
}

async fn once(context: &mut NodeContext<'_>, items: Vec<Item>) -> NodeResult {
    let count = items.len();
    match call(context, 0, items.clone()).await {
        Ok(None) => Ok(Output::items(items)),
        Ok(Some(mut outputs)) => {
            for output in &mut outputs {
                link(output, count);
            }
            Ok(Output::of(outputs))
        }
        Err(error) if context.continue_on_fail() => {
            let links = (0..count).map(|at| PairedItem::One(PairedRef::item(at))).collect();
            Ok(Output::items([Item { paired_item: Some(PairedItem::Many(links)), ..failed(&error) }]))
        }
        Err(error) => Err(error),
    }
}

async fn for_each(context: &mut NodeContext<'_>, items: Vec<Item>) -> NodeResult {
    let mut outputs: Vec<Vec<Item>> = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        match call(context, at, vec![item.clone()]).await {
            Ok(None) => output(&mut outputs, 0).push(item),
            Ok(Some(results)) => {
                for (index, result) in results.into_iter().enumerate() {
                    output(&mut outputs, index).extend(result.into_iter().map(|item| item.paired(at)));
                }
            }
            Err(error) if context.continue_on_fail() => {
                let index = if context.version() >= 1.3 { 0 } else { at };
                output(&mut outputs, index).push(failed(&error).paired(at));
            }
            // What a node of the called workflow says in its own words stays; any other error is told by the item.
            Err(error) if matches!(error.name.as_str(), "NodeOperationError" | "NodeApiError") => return Err(error),
            Err(error) => {
                let message = format!("Error executing workflow with item at index {at}");
                return Err(ExecutionError::operation(message).describe(error.message).at_item(at));
            }
        }
    }
    if outputs.is_empty() {
        outputs.push(Vec::new());
    }
    Ok(Output::of(outputs))
}

/// Calls the workflow that the parameters of an item name; `None` when its result is not waited for.
async fn call(
    context: &mut NodeContext<'_>,
    at: usize,
    items: Vec<Item>,
) -> Result<Option<Vec<Vec<Item>>>, ExecutionError> {
    let source: CallSource = source::of(context, at).await?;
    let waits = context.parameter("options", at)?.get("waitForSubWorkflow") != Some(&Value::Bool(false));
    let wait = if waits { CallWait::ForResult } else { CallWait::No };
    let result = context.host.call_workflow(Call { source, items, wait }).await?;
    Ok(waits.then_some(result))
}

/// Links items that came without a link: one by one where there are as many as went in, else to all.
fn link(output: &mut [Item], count: usize) {
    let same = output.len() == count;
    let all: PairedItem = PairedItem::Many((0..count).map(|at| PairedItem::One(PairedRef::item(at))).collect());
    for (at, item) in output.iter_mut().enumerate().filter(|(_, item)| item.paired_item.is_none()) {
        item.paired_item = Some(if same { PairedItem::One(PairedRef::item(at)) } else { all.clone() });
    }
}

fn output(outputs: &mut Vec<Vec<Item>>, index: usize) -> &mut Vec<Item> {
    if outputs.len() <= index {
        outputs.resize_with(index + 1, Vec::new);
    }
    match outputs.get_mut(index) {
        Some(output) => output,
        None => unreachable!("the list was made long enough just above"),
    }
}

fn failed(error: &ExecutionError) -> Item {
    Item::new(Object::from([("error", error.message.clone().into())]))
}
