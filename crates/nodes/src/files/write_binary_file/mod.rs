//! Write Binary File: the binary of each item to disk.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Value};

use super::binary;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.writeBinaryFile", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Files]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut items = Vec::new();
        for index in 0..context.items().len() {
            match write(context, index).await {
                Ok(item) => items.push(item),
                Err(error) => items.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(items))
    })
}

/// Writes the binary that `dataPropertyName` names to `fileName`; the item goes on with its `fileName`.
pub(super) async fn write(context: &mut NodeContext<'_>, index: usize) -> Result<Item, ExecutionError> {
    let path = context.text("fileName", index)?;
    let property = context.text("dataPropertyName", index)?;
    let append = context.flag("options.append", index)?;
    let bytes = binary::load(context, &property, index)?;
    context.host.write_file(&path, bytes, append).await?;
    let item = context.items().get(index).cloned().unwrap_or_default();
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    json.insert("fileName", Value::from(path));
    Ok(Item { binary: item.binary, ..Item::new(json) }.paired(index))
}
