//! Read/Write Files from Disk.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::{binary, write_binary_file};
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.readWriteFile", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Files]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut items = Vec::new();
        for index in 0..context.items().len() {
            let write = context.text("operation", index)? == "write";
            let done = if write {
                write_binary_file::write(context, index).await.map(|item| vec![item])
            } else {
                read(context, index).await
            };
            match done {
                Ok(made) => items.extend(made),
                Err(error) => items.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(items))
    })
}

/// An item for each file that matches; its JSON describes the file.
async fn read(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let pattern = context.text("fileSelector", index)?;
    let options = context.parameter("options", index)?;
    let option = |name: &str| options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let files = context.host.find_files(&pattern).await?;
    if files.is_empty() && context.version() >= 1.1 {
        return Err(binary::problem("No file(s) found").describe("Check that the path is correct and may be read"));
    }
    let mut items = Vec::new();
    for file in files {
        let bytes = context.host.read_file(&file.path).await?;
        let mut data = context.host.store_binary(bytes, Some(&file.path), option("mimeType"))?;
        data.file_name = option("fileName").map(Str::from).or(data.file_name);
        data.file_extension = option("fileExtension").map(Str::from).or(data.file_extension);
        let json = Object::from([
            ("mimeType", Value::from(data.mime_type.clone())),
            ("fileType", data.file_type.clone().into()),
            ("fileName", data.file_name.clone().into()),
            ("fileExtension", data.file_extension.clone().into()),
            ("fileSize", data.file_size.clone().into()),
        ]);
        let binaries = binary::single(option("dataPropertyName").unwrap_or("data"), data);
        items.push(Item { binary: Some(binaries), ..Item::new(json) }.paired(index));
    }
    Ok(items)
}
