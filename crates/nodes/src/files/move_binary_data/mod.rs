//! Convert to/from binary data (Move Binary Data): JSON fields become files, files become JSON fields.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use super::{binary, text_encoding};
use crate::{NodeContext, NodeResult, NodeType, dot_path};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.moveBinaryData", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    binary::each_item(context, |context, index| {
        let made = match context.text("mode", index)?.as_str() {
            "jsonToBinary" => to_binary(context, index)?,
            _ => to_json(context, index)?,
        };
        Ok(made.map(|item| item.paired(index)).into_iter().collect())
    })
}

struct Options(Object);

impl Options {
    fn of(context: &mut NodeContext<'_>, index: usize) -> Result<Options, ExecutionError> {
        Ok(Options(context.parameter("options", index)?.as_object().cloned().unwrap_or_default()))
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(truthy)
    }

    fn text(&self, name: &str) -> Option<Str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Str::from)
    }

    fn encoding(&self) -> Str {
        self.text("encoding").unwrap_or_else(|| "utf8".into())
    }
}

/// A file becomes the item's JSON or one field of it; an item without the file is left out.
fn to_json(context: &mut NodeContext<'_>, index: usize) -> Result<Option<Item>, ExecutionError> {
    let options = Options::of(context, index)?;
    let source = context.text("sourceKey", index)?;
    let Some(item) = context.items().get(index) else { return Ok(None) };
    let Some(file) = item.binary.as_ref().and_then(|binaries| binaries.get(&source)) else { return Ok(None) };
    let bytes = context.host.load_binary(file)?;
    let strip = !matches!(options.0.get("stripBOM"), Some(Value::Bool(false)));
    let parsed = |text: &str| {
        Value::from_json(text)
            .map_err(|error| ExecutionError::operation(format!("The file is not valid JSON: {error}")))
    };
    let json = if context.flag("setAllData", index)? {
        parsed(&text_encoding::decode(&bytes, Some(&options.encoding()), strip)?)?
    } else {
        let value = if options.flag("keepAsBase64") {
            Value::from(STANDARD.encode(&bytes))
        } else {
            let text = text_encoding::decode(&bytes, Some(&options.encoding()), strip)?;
            if options.flag("jsonParse") { parsed(&text)? } else { text.into() }
        };
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        dot_path::set(&mut json, &context.text("destinationKey", index)?, value)?;
        json.into()
    };
    let mut binaries = item.binary.clone();
    if !options.flag("keepSource")
        && let Some(binaries) = &mut binaries
    {
        Arc::make_mut(binaries).shift_remove(&source);
    }
    Ok(Some(Item { json, binary: binaries.filter(|binaries| !binaries.is_empty()), ..Item::default() }))
}

/// The item's JSON or one field of it becomes a file; an item without the field is left out.
fn to_binary(context: &mut NodeContext<'_>, index: usize) -> Result<Option<Item>, ExecutionError> {
    let options = Options::of(context, index)?;
    let all = context.flag("convertAllData", index)?;
    let source = if all { Str::new() } else { context.text("sourceKey", index)? };
    let Some(item) = context.items().get(index) else { return Ok(None) };
    let value = if all { Some(&item.json) } else { dot_path::get(&item.json, &source) };
    let Some(value) = value.filter(|value| !value.is_undefined()) else { return Ok(None) };
    let mut kind = options.text("mimeType");
    let is_container = matches!(value, Value::Object(_) | Value::Array(_) | Value::Null);
    let bytes = if options.flag("dataIsBase64") {
        let decoded = STANDARD.decode(value.to_js_string().trim());
        Bytes::from(decoded.map_err(|_| ExecutionError::operation("The data is not base64 text"))?)
    } else {
        let raw = options.flag("useRawData") && !is_container;
        let text = if raw { value.to_js_string().to_string() } else { value.to_json() };
        if !raw {
            kind = kind.or_else(|| Some("application/json".into()));
        }
        text_encoding::encode(&text, &options.encoding(), options.flag("addBOM"))?.into()
    };
    if context.version() <= 1.0 {
        kind = kind.or_else(|| Some("application/json".into()));
    }
    let mut stored = context.host.store_binary(bytes, options.text("fileName").as_deref(), kind.as_deref())?;
    if stored.file_name.is_none() && context.version() > 1.0 {
        let extension = stored.file_extension.as_ref().map(|extension| format!(".{extension}")).unwrap_or_default();
        stored.file_name = Some(format!("file{extension}").into());
    }
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    if !options.flag("keepSource") {
        if all {
            json = Object::new();
        } else {
            dot_path::unset(&mut json, &source);
        }
    }
    let destination = context.text("destinationKey", index)?;
    Ok(Some(Item { json: json.into(), binary: Some(binary::with(item, &destination, stored)), ..Item::default() }))
}
