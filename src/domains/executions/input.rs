//! Where an execution started over the API begins, and with which items. Pure.

use millrace_model::{Item, NodeIndex, Object, Value};
use millrace_nodes::{Role, registry};

use super::error::Error;
use super::programs::Program;

#[derive(Debug)]
pub struct Start {
    pub node: NodeIndex,
    pub items: Vec<Item>,
}

/// Chooses the trigger that bears the event's name, else the workflow's first one, else the node nothing leads to; makes
/// its items of the input.
pub fn start(program: &Program, event: Option<&str>, input: Option<Value>) -> Result<Start, Error> {
    let workflow = program.workflow();
    let named = event.and_then(|name| workflow.find(name)).filter(|index| {
        let node = workflow.node(*index);
        !node.disabled && role(&node.kind) != Role::Regular
    });
    let Some(node) = named.or_else(|| program.compiled.entry()) else {
        return Err(Error::UnknownTrigger(event.unwrap_or_default().to_owned()));
    };
    let event = event.filter(|_| named.is_none());
    let is_webhook = role(&workflow.node(node).kind) == Role::Webhook;
    let inputs = match input {
        None | Some(Value::Null | Value::Undefined) => vec![Value::Object(Object::new())],
        Some(Value::Array(list)) => list.to_vec(),
        Some(one) => vec![one],
    };
    let items = inputs.iter().map(|input| item(input, is_webhook, event)).collect::<Option<Vec<Item>>>();
    Ok(Start { node, items: items.ok_or(Error::BadInput)? })
}

fn role(kind: &str) -> Role {
    registry::find(kind).map_or(Role::Regular, |found| found.role)
}

/// `None`: the input is no object.
fn item(input: &Value, is_webhook: bool, event: Option<&str>) -> Option<Item> {
    let mut item = Item::from_value(input);
    if is_webhook && item.json.get("body").is_none_or(Value::is_undefined) {
        let empty = || Value::Object(Object::new());
        let request = [("headers", empty()), ("params", empty()), ("query", empty()), ("body", item.json)];
        item.json = Value::Object(Object::from(request));
    }
    let json = item.json.as_object_mut()?;
    if let Some(event) = event
        && !json.contains_key("triggerEvent")
    {
        json.insert("triggerEvent", event);
    }
    Some(item)
}
