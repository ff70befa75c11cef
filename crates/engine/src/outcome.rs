//! What becomes of a node's outputs before they are recorded: the error output, always-output, errors of items.

use std::sync::Arc;

use millrace_model::{ErrorPolicy, ExecutionError, Item, Items, Node, Object, Outputs, Value, truthy};

use crate::{NodeFacts, NodeTask, pairing};

/// Outputs as they are recorded. `None`: the node had nothing to do.
pub(crate) fn of_success(node: &Node, facts: &NodeFacts, task: &NodeTask, mut outputs: Outputs) -> Option<Outputs> {
    let has_run = !outputs.is_empty();
    if has_run && node.on_error == ErrorPolicy::ContinueError && !node.disabled {
        split_errors(&mut outputs, facts.outputs, &task.inputs);
    }
    pairing::fill(&mut outputs, &task.inputs);
    if node.always_output_data && outputs.first().and_then(Option::as_ref).is_none_or(|items| items.is_empty()) {
        let item = Item { paired_item: Some(pairing::all_inputs(&task.inputs)), ..Item::empty() };
        let items = Some(Arc::new(vec![item]));
        match outputs.first_mut() {
            Some(first) => *first = items,
            None => outputs.push(items),
        }
    }
    if outputs.is_empty() {
        return None;
    }
    outputs.iter_mut().flatten().for_each(show_errors);
    Some(outputs)
}

/// Outputs of a node that failed as a whole and is told to go on: the items of its first input, as they came, on the
/// regular output; or with the error on the error output.
pub(crate) fn of_failure(node: &Node, facts: &NodeFacts, task: &NodeTask, error: &ExecutionError) -> Outputs {
    let input = task.inputs.first().cloned().flatten().unwrap_or_default();
    if node.on_error != ErrorPolicy::ContinueError {
        return vec![Some(input)];
    }
    let failed = |item: &Item| {
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        json.insert("error", error.message.clone());
        Item { json: Value::Object(json), ..item.clone() }
    };
    let mut outputs: Outputs = vec![Some(Items::default()); facts.outputs];
    outputs.push(Some(Arc::new(input.iter().map(failed).collect())));
    outputs
}

/// Did the node hand on an error in place of its first item? (Then it is tried again, where tries are left.)
pub(crate) fn begins_with_error(outputs: &Outputs) -> bool {
    let first = outputs.first().and_then(Option::as_ref).and_then(|items| items.first());
    first.and_then(|item| item.json.get("error")).is_some_and(|error| !error.is_undefined())
}

/// Moves the items that carry an error to the extra output behind the regular ones, with the fields of the input item
/// they came from.
fn split_errors(outputs: &mut Outputs, regular: usize, inputs: &[Option<Items>]) {
    let mut failed = Vec::new();
    for output in outputs.iter_mut().take(regular) {
        let Some(items) = output else {
            *output = Some(Items::default());
            continue;
        };
        if !items.iter().any(carries_error) {
            continue;
        }
        let (errors, good): (Vec<_>, Vec<_>) = items.iter().cloned().partition(carries_error);
        failed.extend(errors.into_iter().map(|item| with_input_fields(item, inputs)));
        *items = Arc::new(good);
    }
    outputs.truncate(regular);
    outputs.resize_with(regular, || Some(Items::default()));
    outputs.push(Some(Arc::new(failed)));
}

/// An item counts as failed when it has an error beside its JSON, or no more than an error (and a message) in it.
fn carries_error(item: &Item) -> bool {
    if item.error.as_ref().is_some_and(truthy) {
        return true;
    }
    let Some(json) = item.json.as_object() else { return false };
    json.get("error").is_some_and(truthy)
        && match json.len() {
            1 => true,
            2 => json.get("message").is_some_and(truthy),
            _ => false,
        }
}

fn with_input_fields(mut item: Item, inputs: &[Option<Items>]) -> Item {
    item.error = None;
    let Some(link) = item.paired_item.as_ref().and_then(|link| link.refs().into_iter().next()) else { return item };
    let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
    let origin = inputs.get(place(link.input.unwrap_or(0))).and_then(Option::as_ref);
    let origin = origin.and_then(|items| items.get(place(link.item))).and_then(|item| item.json.as_object());
    if let (Some(origin), Some(own)) = (origin, item.json.as_object()) {
        let mut json = origin.clone();
        own.iter().for_each(|(key, value)| {
            json.insert(key.clone(), value.clone());
        });
        item.json = Value::Object(json);
    }
    item
}

/// An item with an error beside its JSON shows nothing but the message of that error.
fn show_errors(items: &mut Items) {
    if items.iter().all(|item| item.error.is_none()) {
        return;
    }
    for item in Arc::make_mut(items) {
        if let Some(error) = &item.error {
            let message = error.get("message").cloned().unwrap_or_else(|| error.clone());
            item.json = Value::Object(Object::from([("error", message)]));
        }
    }
}
