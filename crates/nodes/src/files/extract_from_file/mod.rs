//! Extract from File: the data of files as JSON of items.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Item, Object, Value, to_index};

use super::pdf::{self, PdfOptions};
use super::sheet_options::{self, CsvStyle};
use super::{FileFormat, binary, calendar, text_encoding};
use crate::dot_path;
use crate::{Behaviour, NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.extractFromFile", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    binary::each_item(context, extract)
}

fn extract(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let operation = context.text("operation", index)?;
    let property = context.text("binaryPropertyName", index)?;
    let options = context.parameter("options", index)?;
    let bytes = binary::load(context, &property, index)?;
    if let Some(format) = FileFormat::named(&operation) {
        let records = sheet_options::read(&bytes, format, CsvStyle::Records, &options)?;
        return Ok(records.into_iter().map(|record| Item::new(record).paired(index)).collect());
    }
    let value = match operation.as_str() {
        "pdf" => return pdf_item(context, &bytes, &options, index),
        "binaryToPropery" => Value::from(STANDARD.encode(&bytes)),
        "text" | "xml" => Value::from(decode(&bytes, &options)?),
        "fromIcs" => Value::from(calendar::read(&decode(&bytes, &options)?).map_err(binary::problem)?),
        "fromJson" => parse_json(&decode(&bytes, &options)?)?,
        _ => return Err(binary::problem(ecow::eco_format!("the operation \"{operation}\" is not known"))),
    };
    let key = context.text("destinationKey", index)?;
    let mut item = kept(context, &options, index);
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    dot_path::set(&mut json, &key, value)?;
    item.json = json.into();
    Ok(vec![item.paired(index)])
}

fn pdf_item(
    context: &mut NodeContext<'_>,
    bytes: &[u8],
    options: &Value,
    index: usize,
) -> Result<Vec<Item>, ExecutionError> {
    let text = |key: &str| options.get(key).map(Value::to_js_string).filter(|text| !text.is_empty());
    let wanted = PdfOptions {
        password: text("password"),
        max_pages: options.get("maxPages").and_then(Value::as_f64).and_then(to_index),
        separate_pages: options.get("joinPages") == Some(&Value::Bool(false)),
    };
    let document = pdf::read(bytes, &wanted).map_err(binary::problem)?;
    let mut item = kept(context, options, index);
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    for (key, value) in document.iter() {
        json.insert(key.clone(), value.clone());
    }
    item.json = json.into();
    Ok(vec![item.paired(index)])
}

/// What stays of the input item: nothing unless `keepSource` says so.
fn kept(context: &NodeContext<'_>, options: &Value, index: usize) -> Item {
    let source = context.items().get(index).cloned().unwrap_or_default();
    let keep = options.get("keepSource").and_then(Value::as_str).unwrap_or_default();
    let json = if matches!(keep, "json" | "both") { source.json } else { Object::new().into() };
    let binaries = if matches!(keep, "binary" | "both") { source.binary } else { None };
    Item { binary: binaries, ..Item::new(json) }
}

fn decode(bytes: &[u8], options: &Value) -> Result<String, ExecutionError> {
    let encoding = options.get("encoding").and_then(Value::as_str).filter(|name| !name.is_empty());
    text_encoding::decode(bytes, encoding, options.get("stripBOM") != Some(&Value::Bool(false)))
}

fn parse_json(text: &str) -> Result<Value, ExecutionError> {
    if text.is_empty() {
        return Ok(Object::new().into());
    }
    Value::from_json(text).map_err(|problem| {
        binary::problem("The file content is not valid JSON").describe(ecow::eco_format!("{problem}"))
    })
}
