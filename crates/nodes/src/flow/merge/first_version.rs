//! Version 1: append, by index, by key, each with each, and choosing an input.

use millrace_model::{ExecutionError, Item, Object, PairedItem, Str, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::clash::Clash;
use crate::{NodeContext, NodeResult, Output, dot_path};

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let (first, second) = (context.input(0), context.input(1));
    let items = match context.text("mode", 0)?.as_str() {
        "append" => first.iter().chain(second).cloned().collect(),
        "mergeByIndex" => by_index(&context.text("join", 0)?, first, second),
        "multiplex" => first.iter().flat_map(|left| second.iter().map(move |right| both(left, right, false))).collect(),
        "mergeByKey" => by_key(context, first, second)?,
        mode @ ("keepKeyMatches" | "removeKeyMatches") => {
            let names = names(context)?;
            filtered(&names, first, second, mode == "keepKeyMatches")
        }
        "passThrough" => {
            let input = usize::from(context.text("output", 0)? == "input2");
            context.input(input).to_vec()
        }
        "wait" => {
            let links = first.iter().filter_map(|item| item.paired_item.clone()).collect();
            vec![Item { paired_item: Some(PairedItem::Many(links)), ..Item::empty() }]
        }
        mode => return Err(ExecutionError::operation(format!("The mode \"{mode}\" does not exist"))),
    };
    Ok(Output::items(items))
}

fn by_index(join: &str, first: &[Item], second: &[Item]) -> Vec<Item> {
    if first.is_empty() {
        return if join == "outer" { second.to_vec() } else { Vec::new() };
    }
    if second.is_empty() {
        return if join == "inner" { Vec::new() } else { first.to_vec() };
    }
    let length = match join {
        "inner" => first.len().min(second.len()),
        "outer" => first.len().max(second.len()),
        _ => first.len(),
    };
    let at = |at: usize| match (first.get(at), second.get(at)) {
        (Some(left), Some(right)) => both(left, right, true),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => Item::empty(),
    };
    (0..length).map(at).collect()
}

/// One item of two: the fields of the second win.
fn both(left: &Item, right: &Item, with_binary: bool) -> Item {
    let mut json = left.json.as_object().cloned().unwrap_or_default();
    for (key, value) in right.json.as_object().into_iter().flat_map(Object::iter) {
        json.insert(key.clone(), value.clone());
    }
    let links = [left, right].iter().filter_map(|item| item.paired_item.clone()).collect();
    let binary = if with_binary { Clash::parse(None).unite([left, right].into_iter()).binary } else { None };
    Item { binary, paired_item: Some(PairedItem::Many(links)), ..Item::new(json) }
}

/// Field names of the first and the second input.
fn names(context: &mut NodeContext<'_>) -> Result<(Str, Str), ExecutionError> {
    Ok((context.text("propertyName1", 0)?, context.text("propertyName2", 0)?))
}

fn field<'i>(item: &'i Item, name: &str) -> Option<&'i Value> {
    dot_path::get(&item.json, name).filter(|value| !value.is_undefined())
}

/// Items of the first input whose field has (or has not) a value of the second input's field.
fn filtered((first_name, second_name): &(Str, Str), first: &[Item], second: &[Item], keep: bool) -> Vec<Item> {
    let known: FxHashSet<Str> =
        second.iter().filter_map(|item| field(item, second_name)).map(Value::to_js_string).collect();
    let fits = |item: &&Item| match field(item, first_name) {
        Some(value) => known.contains(&value.to_js_string()) == keep,
        None => !keep,
    };
    first.iter().filter(fits).cloned().collect()
}

/// Adds the fields of the second input's item with the same key.
fn by_key(context: &mut NodeContext<'_>, first: &[Item], second: &[Item]) -> Result<Vec<Item>, ExecutionError> {
    let (first_name, second_name) = names(context)?;
    let overwrite = context.text("overwrite", 0)?;
    let mut by_key: FxHashMap<Str, &Item> = FxHashMap::default();
    for item in second {
        if let Some(key) = field(item, &second_name).filter(|value| millrace_model::truthy(value)) {
            by_key.insert(key.to_js_string(), item);
        }
    }
    let merged = first.iter().map(|item| {
        let key = match field(item, &first_name) {
            Some(key @ (Value::String(_) | Value::Number(_))) => key.to_js_string(),
            _ => return item.clone(),
        };
        let Some(source) = by_key.get(&key) else { return item.clone() };
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        for (name, value) in source.json.as_object().into_iter().flat_map(Object::iter) {
            let present = json.get(name).filter(|value| !value.is_undefined());
            let replaces = match overwrite.as_str() {
                "blank" => present.is_none_or(|value| matches!(value, Value::Null) || value.as_str() == Some("")),
                "undefined" => present.is_none(),
                _ => true,
            };
            if *name != second_name && replaces {
                json.insert(name.clone(), value.clone());
            }
        }
        Item { json: json.into(), ..item.clone() }
    });
    Ok(merged.collect())
}
