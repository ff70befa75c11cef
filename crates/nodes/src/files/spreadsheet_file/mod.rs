//! Spreadsheet File: the older node that reads rows from files and writes rows to one.

use millrace_model::{ExecutionError, Item, Object};

use super::sheet_options::{self, CsvStyle};
use super::{FileFormat, binary};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.spreadsheetFile", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if context.text("operation", 0)? == "toFile" {
        return match write(context) {
            Ok(item) => Ok(Output::items([item])),
            Err(error) => Ok(Output::items([context.failed_item(error, 0)?])),
        };
    }
    binary::each_item(context, read)
}

fn read(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let property = context.text("binaryPropertyName", index)?;
    let options = context.parameter("options", index)?;
    let bytes = binary::load(context, &property, index)?;
    let wanted = if context.version() >= 2.0 { context.text("fileFormat", index)? } else { "autodetect".into() };
    let named = FileFormat::named(&wanted);
    let format = named.or_else(|| FileFormat::sniff(&bytes)).unwrap_or(FileFormat::Csv);
    // Version 2 reads CSV strictly when it is told that the file is CSV, or finds that its type says so.
    let mime = context.items().get(index).and_then(|item| item.binary.as_ref()?.get(&property));
    let says_csv = named == Some(FileFormat::Csv) || mime.is_some_and(|data| data.mime_type == "text/csv");
    let style = if context.version() >= 2.0 && says_csv { CsvStyle::Records } else { CsvStyle::Cells };
    let records = sheet_options::read(&bytes, format, style, &options)?;
    Ok(records.into_iter().map(|record| Item::new(record).paired(index)).collect())
}

fn write(context: &mut NodeContext<'_>) -> Result<Item, ExecutionError> {
    let property = context.text("binaryPropertyName", 0)?;
    let options = context.parameter("options", 0)?;
    let wanted = context.text("fileFormat", 0)?;
    let format = FileFormat::named(&wanted)
        .ok_or_else(|| binary::problem(ecow::eco_format!("the file format \"{wanted}\" is not known")))?;
    let bytes = sheet_options::write(context.items(), format, &options)?;
    let name = options.get("fileName").and_then(millrace_model::Value::as_str).filter(|name| !name.is_empty());
    let name = name.map_or_else(|| format!("spreadsheet.{}", format.extension()), str::to_owned);
    let data = context.host.store_binary(bytes.into(), Some(&name), Some(format.mime_type()))?;
    let paired_item = binary::from_all(context.items().len());
    Ok(Item { binary: Some(binary::single(property, data)), paired_item, ..Item::new(Object::new()) })
}
