//! Read Binary File: one file from disk for each item.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item};

use super::binary;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.readBinaryFile", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Files]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut items = Vec::new();
        for index in 0..context.items().len() {
            match read(context, index).await {
                Ok(item) => items.push(item),
                Err(error) => items.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(items))
    })
}

async fn read(context: &mut NodeContext<'_>, index: usize) -> Result<Item, ExecutionError> {
    let path = context.text("filePath", index)?;
    let property = context.text("dataPropertyName", index)?;
    let bytes = context.host.read_file(&path).await?;
    let data = context.host.store_binary(bytes, Some(&path), None)?;
    let item = context.items().get(index).cloned().unwrap_or_default();
    let binaries = binary::with(&item, &property, data);
    Ok(Item { binary: Some(binaries), ..Item::new(item.json) }.paired(index))
}
