//! Convert to File: JSON of items as files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use super::{FileFormat, binary, event, sheet_options, text_encoding};
use crate::dot_path;
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.convertToFile", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let operation = context.text("operation", 0)?;
    match operation.as_str() {
        "iCal" => binary::each_item(context, event::item),
        "toText" => binary::each_item(context, to_text),
        "toBinary" => binary::each_item(context, to_binary),
        "toJson" if context.text("mode", 0)? == "each" => binary::each_item(context, each_to_json),
        "toJson" => once(context, all_to_json),
        _ => once(context, to_sheet),
    }
}

/// One file of all items.
fn once(context: &mut NodeContext<'_>, make: fn(&mut NodeContext<'_>) -> Result<Item, ExecutionError>) -> NodeResult {
    match make(context) {
        Ok(item) => {
            let paired_item = binary::from_all(context.items().len());
            Ok(Output::items([Item { paired_item, ..item }]))
        }
        Err(error) => Ok(Output::items([context.failed_item(error, 0)?])),
    }
}

fn to_sheet(context: &mut NodeContext<'_>) -> Result<Item, ExecutionError> {
    let operation = context.text("operation", 0)?;
    let format = FileFormat::named(&operation)
        .ok_or_else(|| binary::problem(ecow::eco_format!("the operation \"{operation}\" is not known")))?;
    let options = context.parameter("options", 0)?;
    let bytes = sheet_options::write(context.items(), format, &options)?;
    let name = file_name(&options).unwrap_or_else(|| ecow::eco_format!("File.{}", format.extension()));
    file(context, bytes, &name, Some(format.mime_type()), 0)
}

fn all_to_json(context: &mut NodeContext<'_>) -> Result<Item, ExecutionError> {
    json_file(context, &Value::array(context.items().iter().map(|item| item.json.clone())), 0)
}

fn each_to_json(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let json = context.items().get(index).map(|item| item.json.clone()).unwrap_or_default();
    Ok(vec![json_file(context, &json, index)?.paired(index)])
}

fn json_file(context: &mut NodeContext<'_>, json: &Value, index: usize) -> Result<Item, ExecutionError> {
    let options = context.parameter("options", index)?;
    let text = if options.get("format").is_some_and(truthy) {
        serde_json::to_string_pretty(json).unwrap_or_default()
    } else {
        json.to_json()
    };
    let bytes = encode(&text, &options)?;
    let name = file_name(&options).unwrap_or_else(|| "file.json".into());
    file(context, bytes, &name, Some("application/json"), index)
}

fn to_text(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let options = context.parameter("options", index)?;
    let bytes = encode(&source(context, index)?, &options)?;
    let name = file_name(&options).unwrap_or_else(|| "file.txt".into());
    Ok(vec![file(context, bytes, &name, Some("text/plain"), index)?.paired(index)])
}

fn to_binary(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let options = context.parameter("options", index)?;
    let text = source(context, index)?;
    let bytes = if options.get("dataIsBase64") == Some(&Value::Bool(false)) {
        encode(&text, &options)?
    } else {
        let plain: String = text.split(|letter: char| letter.is_ascii_whitespace()).collect();
        let trimmed = plain.trim_end_matches('=');
        base64::engine::general_purpose::STANDARD_NO_PAD.decode(trimmed).or_else(|_| STANDARD.decode(&plain)).map_err(
            |_| {
                binary::problem("the field does not hold base64").describe("Switch off 'Data Is Base64' for plain text")
            },
        )?
    };
    let mime = options.get("mimeType").and_then(Value::as_str).filter(|mime| !mime.is_empty());
    let name = file_name(&options).unwrap_or_else(|| "file".into());
    Ok(vec![file(context, bytes, &name, mime, index)?.paired(index)])
}

/// The text at the field that `sourceProperty` names.
fn source(context: &mut NodeContext<'_>, index: usize) -> Result<Str, ExecutionError> {
    let path = context.text("sourceProperty", index)?;
    let found = context.items().get(index).and_then(|item| dot_path::get(&item.json, &path));
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Object(_) | Value::Array(_))) => Ok(value.to_json().into()),
        Some(value) if !value.is_nullish() => Ok(value.to_js_string()),
        _ => Err(binary::problem(ecow::eco_format!("The value in \"{path}\" is not set [item {index}]"))),
    }
}

fn encode(text: &str, options: &Value) -> Result<Vec<u8>, ExecutionError> {
    let encoding = options.get("encoding").and_then(Value::as_str).unwrap_or("utf8");
    text_encoding::encode(text, encoding, options.get("addBOM").is_some_and(truthy))
}

fn file_name(options: &Value) -> Option<Str> {
    options.get("fileName").filter(|name| !name.is_nullish()).map(Value::to_js_string).filter(|name| !name.is_empty())
}

fn file(
    context: &mut NodeContext<'_>,
    bytes: Vec<u8>,
    name: &str,
    mime: Option<&str>,
    index: usize,
) -> Result<Item, ExecutionError> {
    let property = context.text("binaryPropertyName", index)?;
    let data = context.host.store_binary(bytes.into(), Some(name), mime)?;
    Ok(Item { binary: Some(binary::single(property, data)), ..Item::new(Object::new()) })
}
