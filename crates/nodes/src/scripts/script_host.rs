//! What scripts may ask of their node: `this.helpers` and the static data of the workflow.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use millrace_expression::{Script, ScriptHost, ScriptOutcome};
use millrace_model::{BinaryData, ExecutionError, Items, Node, Object, Value, to_index};

use super::http;
use crate::{NodeContext, NodeHost};

/// Runs a script for one item; what it changed in the static data is kept.
pub(super) fn run(
    context: &mut NodeContext<'_>,
    script: &Script,
    inputs: &[Option<Items>],
    item: usize,
) -> Result<ScriptOutcome, ExecutionError> {
    let mut scope = context.scope(item);
    scope.inputs = inputs;
    let mut helpers = Helpers {
        host: context.host,
        node: context.workflow.node(context.index),
        items: inputs.first().and_then(Option::as_ref),
        static_data: context.static_data,
    };
    let outcome = context.sandbox.run_script(script, &scope, &mut helpers)?;
    for (key, value) in outcome.static_data.iter() {
        context.static_data.insert(key.clone(), value.clone());
    }
    Ok(outcome)
}

struct Helpers<'a> {
    host: &'a dyn NodeHost,
    node: &'a Node,
    items: Option<&'a Items>,
    static_data: &'a Object,
}

impl ScriptHost for Helpers<'_> {
    fn call(&mut self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        let argument = |at: usize| arguments.as_array().and_then(|values| values.get(at)).unwrap_or(&Value::Undefined);
        match name {
            "httpRequest" | "request" => http::send(self.host, argument(0), name == "request"),
            "httpRequestWithAuthentication" | "requestWithAuthentication" => {
                let kind = argument(0).to_js_string();
                http::send_with(self.host, self.node, &kind, argument(1), name.starts_with("request"))
            }
            "prepareBinaryData" => self.prepare_binary(argument(0), argument(1), argument(2)),
            "getBinaryDataBuffer" => self.binary(argument(0), argument(1)),
            "setBinaryDataBuffer" => self.replace_binary(argument(0), argument(1)),
            other => Err(ExecutionError::operation(format!("The helper \"{other}\" is not available here"))),
        }
    }

    fn static_data(&self) -> Object {
        self.static_data.clone()
    }
}

impl Helpers<'_> {
    fn prepare_binary(&self, content: &Value, name: &Value, kind: &Value) -> Result<Value, ExecutionError> {
        self.host.store_binary(decoded(content)?, name.as_str(), kind.as_str()).map(|binary| document(&binary))
    }

    fn binary(&self, index: &Value, name: &Value) -> Result<Value, ExecutionError> {
        let index = index.as_f64().and_then(to_index).unwrap_or(0);
        let name = name.to_js_string();
        let item = self.items.and_then(|items| items.get(index));
        let binary = item.and_then(|item| item.binary.as_ref()?.get(name.as_str()));
        let binary = binary.ok_or_else(|| {
            let message = format!("The item has no binary field '{name}' [item {index}]");
            ExecutionError::operation(message).at_item(index)
        })?;
        Ok(STANDARD.encode(self.host.load_binary(binary)?).into())
    }

    fn replace_binary(&self, description: &Value, content: &Value) -> Result<Value, ExecutionError> {
        let text = |key: &str| description.get(key).and_then(Value::as_str);
        self.host.store_binary(decoded(content)?, text("fileName"), text("mimeType")).map(|binary| document(&binary))
    }
}

fn decoded(content: &Value) -> Result<Bytes, ExecutionError> {
    let text = content.as_str().unwrap_or_default();
    let bytes = STANDARD.decode(text).map_err(|_| ExecutionError::operation("The binary data is not valid base64"))?;
    Ok(bytes.into())
}

/// A binary as scripts see it.
fn document(binary: &BinaryData) -> Value {
    serde_json::to_value(binary).map(Value::from).unwrap_or_default()
}
