//! Edit Fields (Set): sets fields of each item, by hand or as JSON.

mod assign;
mod include;
mod json_text;
mod lists;
mod repaired_json;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, Value, truthy};

use crate::{NodeContext, NodeResult, NodeType, Output};
use assign::Assignments;
use include::{Frame, Options};

pub(crate) static NODE_TYPE: NodeType = NodeType::pure("n8n-nodes-base.set", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if context.version() < 3.0 {
        return lists::execute(context);
    }
    let source = Source::new(context);
    let frame = Frame::new(context);
    let copies = copies(context)?;
    let mut items = Vec::with_capacity(context.items().len());
    for (at, item) in context.items().iter().enumerate() {
        let made = frame.options(context, at).and_then(|options| source.item(context, &frame, &options, (at, item)));
        let made = match made {
            Ok(made) => made,
            Err(error) if context.continue_on_fail() => {
                Item::new(Object::from([("error", error.message.into())])).paired(at)
            }
            Err(error) => return Err(error.at_item(at)),
        };
        items.extend(std::iter::repeat_n(made.clone(), copies));
        items.push(made);
    }
    Ok(Output::items(items))
}

/// Where the new fields come from.
enum Source {
    Fields(Assignments),
    Json(json_text::JsonText),
}

impl Source {
    fn new(context: &NodeContext<'_>) -> Source {
        if context.prepare("mode").raw().as_str() == Some("raw") {
            let place = "'JSON Output'".to_owned();
            return Source::Json(json_text::JsonText::new(context.prepare("jsonOutput").raw(), place));
        }
        Source::Fields(Assignments::new(context))
    }

    fn item(
        &self,
        context: &mut NodeContext<'_>,
        frame: &Frame,
        options: &Options,
        (at, item): (usize, &Item),
    ) -> Result<Item, ExecutionError> {
        let mut made = frame.begin(context, options, (at, item))?;
        let Value::Object(json) = &mut made.json else { return Ok(made) };
        match self {
            Source::Fields(assignments) => assignments.write(context, options, at, json)?,
            Source::Json(text) => {
                for (name, value) in text.object(context, at)?.iter() {
                    options.write(json, name, value.clone())?;
                }
            }
        }
        Ok(made)
    }
}

/// How many copies of each item are made besides it (only in runs by hand).
fn copies(context: &mut NodeContext<'_>) -> Result<usize, ExecutionError> {
    const MOST: usize = 150;
    if context.globals.mode != "manual" || !truthy(&context.parameter("duplicateItem", 0)?) {
        return Ok(0);
    }
    let count = context.number("duplicateCount", 0)?.and_then(millrace_model::to_index);
    Ok(count.unwrap_or(0).min(MOST))
}
