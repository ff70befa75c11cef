//! Binaries of items: found by property name, put beside JSON.

use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use millrace_model::{Binaries, BinaryData, ExecutionError, Item, PairedItem, PairedRef, Str};

use crate::{NodeContext, NodeResult, Output};

/// The binary of an item; n8n's words where there is none.
pub(crate) fn find<'i>(item: &'i Item, property: &str, index: usize) -> Result<&'i BinaryData, ExecutionError> {
    let found = item.binary.as_ref().and_then(|binaries| binaries.get(property));
    let has_others = item.binary.as_ref().is_some_and(|binaries| !binaries.is_empty());
    found.ok_or_else(|| {
        if has_others {
            let message = ecow::eco_format!("The item has no binary field '{property}' [item {index}]");
            return ExecutionError::operation(message)
                .describe(
                    "Check that the parameter where you specified the input binary field name is correct, and that it \
                     matches a field in the binary input",
                )
                .at_item(index);
        }
        let message = ecow::eco_format!(
            "This operation expects the node's input data to contain a binary file '{property}', but none was found [item {index}]"
        );
        ExecutionError::operation(message).describe("Make sure that the previous node outputs a binary file").at_item(index)
    })
}

/// The bytes of an item's binary.
pub(crate) fn load(context: &NodeContext<'_>, property: &str, index: usize) -> Result<Bytes, ExecutionError> {
    let empty = Item::default();
    let item = context.items().get(index).unwrap_or(&empty);
    context.host.load_binary(find(item, property, index)?)
}

/// One binary under a property name.
pub(super) fn single(property: impl Into<Str>, data: BinaryData) -> Binaries {
    Arc::new(IndexMap::from_iter([(property.into(), data)]))
}

/// The binaries of an item with one more.
pub(super) fn with(item: &Item, property: &str, data: BinaryData) -> Binaries {
    let mut binaries = item.binary.clone().unwrap_or_default();
    Arc::make_mut(&mut binaries).insert(property.into(), data);
    binaries
}

/// Made from all items of the input.
pub(super) fn from_all(count: usize) -> Option<PairedItem> {
    Some(PairedItem::Many((0..count).map(|index| PairedItem::One(PairedRef::item(index))).collect()))
}

/// Runs `make` for each item; where the node goes on after errors, a failed item gives `{"error": message}`.
pub(super) fn each_item(
    context: &mut NodeContext<'_>,
    mut make: impl FnMut(&mut NodeContext<'_>, usize) -> Result<Vec<Item>, ExecutionError>,
) -> NodeResult {
    let mut items = Vec::new();
    for index in 0..context.items().len() {
        match make(context, index) {
            Ok(made) => items.extend(made),
            Err(error) => items.push(context.failed_item(error, index)?),
        }
    }
    Ok(Output::items(items))
}

/// A sentence of a format's reader or writer as the node's error.
pub(super) fn problem(sentence: impl Into<Str>) -> ExecutionError {
    ExecutionError::operation(sentence)
}
