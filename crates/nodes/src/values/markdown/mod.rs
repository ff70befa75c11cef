//! Markdown: to HTML as Showdown writes it, and from HTML.

mod from_html;
mod lines;
#[cfg(test)]
mod tests;
mod to_html;

use millrace_model::{ExecutionError, Item, Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, dot_path};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.markdown", include_str!("description.json"), execute);

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

fn convert(context: &mut NodeContext<'_>, index: usize, item: &Item) -> Result<Object, ExecutionError> {
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    let text = if context.text("mode", index)? == "markdownToHtml" {
        to_html::convert(&context.text("markdown", index)?, &options)?
    } else {
        from_html::convert(&context.text("html", index)?, &options)?
    };
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    dot_path::set(&mut json, &context.text("destinationKey", index)?, Value::from(text))?;
    Ok(json)
}
