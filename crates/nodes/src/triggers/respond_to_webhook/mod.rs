//! Respond to Webhook: answers the request that began the run, while the run goes on; or sends a part of its answer, where
//! the request is answered in parts.

mod body;
#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, PairedItem, PairedRef, Str, Value, to_index};
use std::sync::Arc;

use crate::webhook::headers;
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs, WebhookResponse};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.respondToWebhook", include_str!("description.json"), Behaviour::Effect(execute))
        .ports(ports);

/// From version 1.3 on a second output tells the answer; from 1.4 on only if the node is told so.
fn ports(version: f64, parameters: &Object) -> Ports {
    Ports {
        inputs: 1,
        outputs: if tells_answer(version, parameters) { 2 } else { 1 },
        required: RequiredInputs::Unstated,
    }
}

fn tells_answer(version: f64, parameters: &Object) -> bool {
    version == 1.3 || (version >= 1.4 && parameters.get("enableResponseOutput").is_some_and(millrace_model::truthy))
}

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        match respond(context).await {
            Ok(told) => {
                let mut output = Output::pass(context);
                if tells_answer(context.version(), context.parameters) {
                    output.outputs.push(Some(Arc::new(vec![told])));
                }
                Ok(output)
            }
            Err(error) if context.continue_on_fail() => {
                let links = (0..context.items().len()).map(|at| PairedItem::One(PairedRef::item(at)));
                let item = Item::new(Object::from([("error", error.message.into())]));
                Ok(Output::items([Item { paired_item: Some(PairedItem::Many(links.collect())), ..item }]))
            }
            Err(error) => Err(error),
        }
    }
    .boxed()
}

/// Sends the answer and tells it as an item.
async fn respond(context: &mut NodeContext<'_>) -> Result<Item, ExecutionError> {
    if context.version() >= 1.1 && !has_webhook(context) {
        let advice = "Insert a Webhook node to your workflow and set the “Respond” parameter to “Using Respond to Webhook Node” option";
        return Err(ExecutionError::operation("No Webhook node found in the workflow").describe(advice));
    }
    let options = context.parameter("options", 0)?;
    let mut headers: Vec<(Str, Str)> = headers(options.get("responseHeaders"));
    let code = options.get("responseCode").and_then(Value::as_f64).and_then(to_index);
    let mut status = code.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..1000).contains(code));
    let kind = context.text("respondWith", 0)?;
    if kind == "redirect" {
        headers.push(("location".into(), context.text("redirectURL", 0)?));
        status = status.or(Some(307));
    }
    let made = body::of(context, &kind, &options, &mut headers).await?;
    let status = status.unwrap_or(200);
    let told = told(&made.told, &headers, status);
    if !context.host.streams() {
        context.host.respond(WebhookResponse { status, headers, body: made.bytes });
    } else if context.version() >= 1.5 && options.get("enableStreaming").is_none_or(millrace_model::truthy) {
        stream(context, &kind, &made.told).await?;
    }
    Ok(told)
}

/// Sends what has a text; status, headers and everything else have no place among parts.
async fn stream(context: &mut NodeContext<'_>, kind: &str, body: &Value) -> Result<(), ExecutionError> {
    match kind {
        "noData" | "redirect" | "binary" => Ok(()),
        "allIncomingItems" => {
            for (at, item) in context.items().iter().enumerate() {
                context.send_whole(at, content(&item.json)).await?;
            }
            Ok(())
        }
        "firstIncomingItem" => {
            let first = context.items().first();
            context.send_whole(0, first.and_then(|item| content(&item.json))).await
        }
        _ => context.send_whole(0, content(body)).await,
    }
}

/// Text as it is, everything else as JSON.
fn content(value: &Value) -> Option<Str> {
    match value {
        Value::Undefined => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_json().into()),
    }
}

fn told(body: &Value, headers: &[(Str, Str)], status: u16) -> Item {
    let headers: Object = headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let response = Object::from([("body", body.clone()), ("headers", headers.into()), ("statusCode", status.into())]);
    Item::new(Object::from([("response", response.into())])).paired(0)
}

/// Is there, somewhere before this node, one that can begin a run on a request?
fn has_webhook(context: &NodeContext<'_>) -> bool {
    const KINDS: [&str; 4] = ["webhook", "formTrigger", "chatTrigger", "wait"];
    let (mut waiting, mut seen) = (vec![context.index], vec![false; context.workflow.nodes.len()]);
    while let Some(index) = waiting.pop() {
        for (source, _) in context.workflow.connections.inputs(index).iter().flatten() {
            let node = context.workflow.node(*source);
            if !node.disabled && KINDS.contains(&node.short_kind()) {
                return true;
            }
            if let Some(mark) = seen.get_mut(source.0)
                && !std::mem::replace(mark, true)
            {
                waiting.push(*source);
            }
        }
    }
    false
}
