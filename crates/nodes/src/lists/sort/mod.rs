//! Sort: by fields, by code, or at random. Keys are read once an item, before anything is compared.

mod code;
mod order;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use millrace_model::{ExecutionError, Item, Value};

use super::aggregate::not_found;
use crate::{NodeContext, NodeResult, NodeType, Output, dot_path};
use order::{Key, Orders};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.sort", include_str!("description.json"), crate::Behaviour::Script(execute));

pub(in crate::lists) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    match context.text("type", 0)?.as_str() {
        "simple" => by_fields(context),
        "random" => Ok(Output::items(shuffled(context))),
        _ => by_code(context),
    }
}

struct SortField {
    name: millrace_model::Str,
    descending: bool,
}

fn by_fields(context: &mut NodeContext<'_>) -> NodeResult {
    let literal = context.flag("options.disableDotNotation", 0)?;
    let chosen = context.parameter("sortFieldsUi.sortField", 0)?;
    let fields: Vec<SortField> = chosen
        .as_array()
        .unwrap_or_default()
        .iter()
        .map(|entry| SortField {
            name: entry.get("fieldName").map(Value::to_js_string).unwrap_or_default(),
            descending: entry.get("order").and_then(Value::as_str) == Some("descending"),
        })
        .collect();
    if fields.is_empty() {
        return Err(ExecutionError::operation("No sorting specified. Please add a field to sort by"));
    }
    let items = context.items();
    for field in &fields {
        let is_there = |item: &Item| {
            let found = dot_path::get_as(&item.json, &field.name, literal);
            found.is_some_and(|value| literal || !value.is_undefined())
        };
        if !items.iter().any(is_there) {
            return Err(not_found(&field.name, literal));
        }
    }
    let keys: Vec<Vec<Key>> = fields
        .iter()
        .map(|field| items.iter().map(|item| Key::of(dot_path::get_as(&item.json, &field.name, literal))).collect())
        .collect();
    let mut places: Vec<usize> = (0..items.len()).collect();
    let orders = Orders { keys: &keys, descending: fields.iter().map(|field| field.descending).collect() };
    orders.sort(&mut places);
    Ok(Output::items(places.into_iter().filter_map(|at| items.get(at).cloned())))
}

/// The items in an order that chance decides (Fisher and Yates).
fn shuffled(context: &NodeContext<'_>) -> Vec<Item> {
    let mut items = context.items().to_vec();
    let mut bytes = vec![0u8; items.len() * 8];
    context.host.random(&mut bytes);
    let mut draws = bytes.chunks_exact(8).filter_map(|chunk| <[u8; 8]>::try_from(chunk).ok()).map(u64::from_le_bytes);
    for last in (1..items.len()).rev() {
        let choices = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let draw = draws.next().unwrap_or(0) % choices;
        items.swap(last, usize::try_from(draw).unwrap_or(0));
    }
    items
}

/// Sorts by the number that the node's code gives for `a` and `b`.
fn by_code(context: &mut NodeContext<'_>) -> NodeResult {
    let code = context.text("code", 0)?;
    let returns = regex::Regex::new(r"\breturn\b").is_ok_and(|pattern| pattern.is_match(&code));
    if !returns {
        return Err(ExecutionError::operation(
            "Sort code doesn't return. Please add a 'return' statement to your code",
        ));
    }
    let items = context.items();
    let places = code::order(context, &code)?;
    Ok(Output::items(places.into_iter().filter_map(|at| items.get(at).cloned())))
}

/// `Less` when the item at `left` comes first.
pub(in crate::lists) fn reversed_if(order: Ordering, reversed: bool) -> Ordering {
    if reversed { order.reverse() } else { order }
}
