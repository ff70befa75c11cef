//! Compression: packs files of an item into a ZIP archive or gzip files, and unpacks them within limits.

#[cfg(test)]
mod tests;
mod unpack;

use std::io::{Cursor, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use indexmap::IndexMap;
use millrace_model::{Binaries, BinaryData, ExecutionError, Item, Str};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::binary;
use crate::{Behaviour, NodeContext, NodeResult, NodeType, field_list};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.compression", include_str!("description.json"), Behaviour::Script(execute));

/// Extensions of formats that are compressed already.
const COMPRESSED: [&str; 25] = [
    "7z", "aifc", "bz2", "doc", "docx", "gif", "gz", "heic", "heif", "jpg", "jpeg", "mov", "mp3", "mp4", "pdf", "png",
    "ppt", "pptx", "rar", "webm", "webp", "xls", "xlsx", "zip", "zst",
];

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    binary::each_item(context, |context, index| {
        let binaries = match context.text("operation", index)?.as_str() {
            "compress" if context.text("outputFormat", index)? == "gzip" => gzip(context, index)?,
            "compress" => zip(context, index)?,
            _ => unpack::all(context, index)?,
        };
        let json = context.items().get(index).map(|item| item.json.clone()).unwrap_or_default();
        Ok(vec![Item { binary: Some(binaries), ..Item::new(json) }.paired(index)])
    })
}

/// The files that the node names.
fn chosen<'a>(
    context: &mut NodeContext<'a>,
    index: usize,
) -> Result<Vec<(&'a BinaryData, bytes::Bytes)>, ExecutionError> {
    let names = field_list::split(&context.text("binaryPropertyName", index)?);
    let item = context.items().get(index);
    let file = |name: &Str| {
        let item = item.ok_or_else(|| binary::problem("there is no item"))?;
        let found = binary::find(item, name, index)?;
        Ok((found, context.host.load_binary(found)?))
    };
    names.iter().map(file).collect()
}

fn zip(context: &mut NodeContext<'_>, index: usize) -> Result<Binaries, ExecutionError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |error: &dyn std::fmt::Display| ExecutionError::operation(format!("The archive failed: {error}"));
    for (at, (file, bytes)) in chosen(context, index)?.into_iter().enumerate() {
        let packed = file.file_extension.as_ref().is_some_and(|extension| COMPRESSED.contains(&extension.as_str()));
        let method = if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let name = file.file_name.clone().unwrap_or_else(|| format!("file_{at}").into());
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(name.as_str(), options).map_err(|error| failed(&error))?;
        archive.write_all(&bytes).map_err(|error| failed(&error))?;
    }
    let bytes = archive.finish().map_err(|error| failed(&error))?.into_inner();
    let name = context.text("fileName", index)?;
    let stored = context.host.store_binary(
        bytes.into(),
        Some(&name).filter(|name| !name.is_empty()).map(Str::as_str),
        Some("application/zip"),
    )?;
    Ok(binary::single(context.text("binaryPropertyOutput", index)?, stored))
}

fn gzip(context: &mut NodeContext<'_>, index: usize) -> Result<Binaries, ExecutionError> {
    let newer = context.version() > 1.0;
    let prefix = context.text(if newer { "binaryPropertyOutput" } else { "outputPrefix" }, index)?;
    let suffix = if newer { "gz" } else { "gzip" };
    let mut made = IndexMap::new();
    for (at, (file, bytes)) in chosen(context, index)?.into_iter().enumerate() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| ExecutionError::operation(format!("Packing failed: {error}")))?;
        let name = file.file_name.as_deref().unwrap_or("file");
        let stem = name.split('.').next().unwrap_or(name);
        let stored =
            context.host.store_binary(packed.into(), Some(&format!("{stem}.{suffix}")), Some("application/gzip"))?;
        let property = if newer && at == 0 { prefix.clone() } else { format!("{prefix}{at}").into() };
        made.insert(property, stored);
    }
    Ok(Arc::new(made))
}
