//! HTML: fills templates, extracts values by CSS selectors, makes tables of items.

pub(crate) mod document;
mod extract;
mod selection;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod text_builder;

pub(super) use extract::{Reading, extract};

use millrace_model::{ExecutionError, Item, Object, Str, Value};

use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.html", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if context.text("operation", 0)? == "convertToHtmlTable" && !context.items().is_empty() {
        return table::of_items(context);
    }
    let mut made = Vec::with_capacity(context.items().len());
    for index in 0..context.items().len() {
        let result = match context.text("operation", index)?.as_str() {
            "extractHtmlContent" => {
                let reading = if context.version() >= 1.2 { Reading::Formatted } else { Reading::Plain };
                extract(context, index, reading)
            }
            _ => filled(context, index).map(|html| vec![Object::from([("html", html.into())])]),
        };
        match result {
            Ok(values) => made.extend(values.into_iter().map(|json| Item::new(json).paired(index))),
            Err(error) => made.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(made))
}

/// The template with its `{{ }}` filled in, whether or not it is marked as an expression.
fn filled(context: &mut NodeContext<'_>, index: usize) -> Result<Str, ExecutionError> {
    let template = context.text("html", index)?;
    let mut html = Str::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((code, behind)) = after.split_once("}}") else { break };
        html.push_str(before);
        html.push_str(&context.resolve(&Value::from(format!("={{{{{code}}}}}")), index)?.to_js_string());
        rest = behind;
    }
    html.push_str(rest);
    Ok(html)
}
