//! Remove Duplicates: within the input (`fields`), or against what earlier executions have seen (`history`).

mod fields;
mod history;
#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{Object, Value};

use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.removeDuplicates", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Storage])
        .ports(ports);

pub(in crate::lists) use fields::within_input;

/// What was seen before goes to a second output.
fn ports(_version: f64, parameters: &Object) -> Ports {
    let operation = parameters.get("operation").and_then(Value::as_str);
    let outputs = if operation == Some("removeItemsSeenInPreviousExecutions") { 2 } else { 1 };
    Ports { inputs: 1, outputs, required: RequiredInputs::Unstated }
}

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        match context.text("operation", 0)?.as_str() {
            "removeItemsSeenInPreviousExecutions" => history::remove_seen(context).await,
            "clearDeduplicationHistory" => history::clear(context).await,
            _ => match within_input(context) {
                Ok(items) => Ok(Output::items(items)),
                Err(error) if context.version() >= 2.0 => Ok(Output::items([context.failed_item(error, 0)?])),
                Err(error) => Err(error),
            },
        }
    }
    .boxed()
}
