//! Execute Workflow Trigger: begins a run that another workflow called for.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, Str, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.executeWorkflowTrigger", include_str!("description.json"), execute)
        .role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let source = context.text("inputSource", 0)?;
    if context.version() < 1.1 || source == "passthrough" {
        return Ok(Output::pass(context));
    }
    let names = declared(context, &source)?;
    let items = context.items().iter().enumerate().map(|(index, item)| {
        let value = |name: &Str| item.json.get(name).cloned().unwrap_or(Value::Null);
        let json: Object = names.iter().map(|name| (name.clone(), value(name))).collect();
        let extra = Object::from([("index", index.into())]);
        Item { binary: item.binary.clone(), extra: Some(extra), ..Item::new(json) }
    });
    Ok(Output::items(items))
}

/// Names of the fields that callers may give.
fn declared(context: &mut NodeContext<'_>, source: &str) -> Result<Vec<Str>, ExecutionError> {
    if source == "jsonExample" {
        let text = context.text("jsonExample", 0)?;
        let example = Value::from_json(&text)
            .map_err(|error| ExecutionError::operation("Invalid JSON").describe(error.to_string()))?;
        return match example {
            Value::Object(example) => Ok(example.keys().cloned().collect()),
            _ => Err(ExecutionError::operation("The JSON example must be an object")),
        };
    }
    let fields = context.parameter("workflowInputs.values", 0)?;
    let fields = fields.as_array().unwrap_or_default().iter();
    let mut names: Vec<Str> = Vec::new();
    for name in fields.filter_map(|field| field.get("name")).map(Value::to_js_string) {
        if name.is_empty() {
            return Err(ExecutionError::operation("A field of the workflow's input has no name"));
        }
        if names.contains(&name) {
            let message = format!("Two fields of the workflow's input are called \"{name}\"");
            return Err(ExecutionError::operation(message));
        }
        names.push(name);
    }
    Ok(names)
}
