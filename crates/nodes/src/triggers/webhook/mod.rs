//! Webhook: begins a run on an HTTP request. The server has made the request's items; here they only pass.

use millrace_model::{Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs, Role, lenient};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.webhook", include_str!("description.json"), execute)
        .role(Role::Webhook)
        .ports(ports);

/// One output, or one for each method.
fn ports(_version: f64, parameters: &Object) -> Ports {
    let several = parameters.get("multipleMethods").is_some_and(millrace_model::truthy);
    let methods = parameters.get("httpMethod").and_then(Value::as_array).filter(|_| several);
    let outputs = methods.map_or(1, |methods| methods.len().max(1));
    Ports { inputs: 0, outputs, required: RequiredInputs::Unstated }
}

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if lenient::is_handwritten(context.node()) {
        return Ok(Output::items(context.items().iter().map(lenient::webhook_item)));
    }
    Ok(Output::pass(context))
}
