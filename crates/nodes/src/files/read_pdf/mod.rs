//! Read PDF: text and facts of the PDF in each item.

use millrace_model::{ExecutionError, Item};

use super::binary;
use super::pdf::{self, PdfOptions};
use crate::{Behaviour, NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.readPDF", include_str!("description.json"), Behaviour::Script(execute));

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    binary::each_item(context, read)
}

fn read(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let property = context.text("binaryPropertyName", index)?;
    let encrypted = context.flag("encrypted", index)?;
    let password = if encrypted { Some(context.text("password", index)?) } else { None };
    let bytes = binary::load(context, &property, index)?;
    let options = PdfOptions { password, ..PdfOptions::default() };
    let json = pdf::read(&bytes, &options).map_err(binary::problem)?;
    let binaries = context.items().get(index).and_then(|item| item.binary.clone());
    Ok(vec![Item { binary: binaries, ..Item::new(json) }.paired(index)])
}
