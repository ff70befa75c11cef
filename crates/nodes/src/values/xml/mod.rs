//! XML: documents to JSON and back, by the conventions of xml2js.

pub(crate) mod parse;
#[cfg(test)]
mod tests;
mod write;

use millrace_model::{ExecutionError, Item, Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, dot_path};
use parse::Style;

pub(crate) static NODE_TYPE: NodeType = NodeType::pure("n8n-nodes-base.xml", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::with_capacity(context.items().len());
    for (index, item) in context.items().iter().enumerate() {
        match convert(context, index, item) {
            Ok(json) => made.push(Item::new(json).paired(index)),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}

fn convert(context: &mut NodeContext<'_>, index: usize, item: &Item) -> Result<Value, ExecutionError> {
    let property = context.text("dataPropertyName", index)?;
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    if context.text("mode", index)? == "jsonToxml" {
        let xml = write::document(&item.json, &options)?;
        let mut json = Object::new();
        json.insert(property, xml);
        return Ok(json.into());
    }
    let text = dot_path::get(&item.json, &property).filter(|value| !value.is_undefined());
    let text =
        text.ok_or_else(|| ExecutionError::operation(format!("Item has no JSON property called \"{property}\"")))?;
    let parsed = parse::document(&text.to_js_string(), &Style::of_options(&options))?;
    Ok(if matches!(parsed, Value::Null) { Object::new().into() } else { parsed })
}
