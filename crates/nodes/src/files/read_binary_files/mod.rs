//! Read Binary Files: all files that match a pattern, an item each.

use futures_util::future::BoxFuture;
use millrace_model::{Item, Object};

use super::binary;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.readBinaryFiles", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Files]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let pattern = context.text("fileSelector", 0)?;
        let property = context.text("dataPropertyName", 0)?;
        let paired = binary::from_all(context.items().len());
        let mut items = Vec::new();
        for file in context.host.find_files(&pattern).await? {
            let bytes = context.host.read_file(&file.path).await?;
            let data = context.host.store_binary(bytes, Some(&file.path), None)?;
            let binaries = Some(binary::single(property.clone(), data));
            items.push(Item { binary: binaries, paired_item: paired.clone(), ..Item::new(Object::new()) });
        }
        Ok(Output::items(items))
    })
}
