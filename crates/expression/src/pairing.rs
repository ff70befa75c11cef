//! Which item of an earlier node the current item was made from: walks back through the recorded runs along `pairedItem`.

use millrace_model::{ExecutionError, Items, NodeIndex, PairedRef, Source, Value, Workflow, to_index};
use rustc_hash::FxHashSet;

use crate::frame::Frame;
use crate::{Scope, errors};

/// Most items looked at in one search; a chain of nodes that pair every item with every other one is cut off here.
const MAX_STEPS: usize = 100_000;

/// The item of `target` that item `index` of the current node's first input was made from, as (items, index).
pub(crate) fn paired(
    frame: &Frame<'_>,
    target: NodeIndex,
    index: usize,
    method: &str,
) -> Result<Option<(Items, usize)>, ExecutionError> {
    let scope = frame.scope;
    let name = scope.workflow.node(target).name.as_str();
    if !is_ancestor(scope.workflow, target, scope.node) {
        return Err(errors::no_path_back(name));
    }
    if scope.run_data.of(target).is_empty() {
        return match scope.workflow.pin_data.get(name).filter(|_| frame.is_manual()) {
            Some(items) => Ok((index < items.len()).then(|| (items.clone(), index))),
            None => Err(errors::not_executed(name)),
        };
    }
    let Some(Some(source)) = scope.source.first() else {
        return Err(errors::no_path_back(name));
    };
    search(scope, target, *source, index, method).map(Some)
}

/// The same from a given output and pairing (`$getPairedItem`).
pub(crate) fn paired_from(
    scope: &Scope<'_>,
    target: NodeIndex,
    source: Source,
    index: usize,
) -> Result<(Items, usize), ExecutionError> {
    search(scope, target, source, index, "item")
}

type Place = (Source, usize);

fn search(
    scope: &Scope<'_>,
    target: NodeIndex,
    source: Source,
    index: usize,
    method: &str,
) -> Result<(Items, usize), ExecutionError> {
    let mut open: Vec<Place> = vec![(source, index)];
    let mut seen: FxHashSet<(usize, usize, usize, usize)> = FxHashSet::default();
    let mut found: Option<Place> = None;
    let mut problem = None;
    while let Some((source, item)) = open.pop() {
        if !seen.insert((source.node.0, source.run, source.output, item)) || seen.len() > MAX_STEPS {
            continue;
        }
        if source.node == target {
            if found.is_some_and(|place| place != (source, item)) {
                return Err(errors::several_matches(&scope.workflow.node(target).name));
            }
            found = Some((source, item));
            continue;
        }
        match step_back(scope, source, item, method) {
            Ok(places) => open.extend(places),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    let name = scope.workflow.node(target).name.as_str();
    let Some((source, item)) = found else {
        return Err(problem.unwrap_or_else(|| errors::no_path_back(name)));
    };
    match scope.run_data.output(source.node, source.run, source.output) {
        Some(items) if item < items.len() => Ok((items.clone(), item)),
        _ => Err(errors::wrong_pairing(name)),
    }
}

/// The places that an item of an output was made from.
fn step_back(scope: &Scope<'_>, source: Source, item: usize, method: &str) -> Result<Vec<Place>, ExecutionError> {
    let name = scope.workflow.node(source.node).name.as_str();
    let run = scope.run_data.of(source.node).get(source.run);
    let found = scope.run_data.output(source.node, source.run, source.output).and_then(|items| items.get(item));
    let (Some(run), Some(found)) = (run, found) else { return Err(errors::wrong_pairing(name)) };
    let Some(pairing) = &found.paired_item else {
        let pinned = scope.workflow.pin_data.contains_key(name);
        return Err(if pinned { errors::pinned(name, method) } else { errors::no_pairing(name) });
    };
    let place = |paired: PairedRef| {
        let input = paired.input.and_then(|input| usize::try_from(input).ok()).unwrap_or(0);
        let item = usize::try_from(paired.item).ok()?;
        let overwritten = paired.source_overwrite.as_ref().and_then(|value| source_of(scope.workflow, value));
        let source = overwritten.or_else(|| run.source.get(input).copied().flatten())?;
        Some((source, item))
    };
    Ok(pairing.refs().into_iter().filter_map(place).collect())
}

/// A source as n8n writes it: `{previousNode, previousNodeOutput, previousNodeRun}`.
pub(crate) fn source_of(workflow: &Workflow, value: &Value) -> Option<Source> {
    let number = |key: &str| value.get(key).and_then(Value::as_f64).and_then(to_index).unwrap_or(0);
    let node = workflow.find(value.get("previousNode")?.as_str()?)?;
    Some(Source { node, output: number("previousNodeOutput"), run: number("previousNodeRun") })
}

/// Does a path of connections lead from `ancestor` to `node`?
pub(crate) fn is_ancestor(workflow: &Workflow, ancestor: NodeIndex, node: NodeIndex) -> bool {
    output_towards(workflow, ancestor, node).is_some()
}

/// The output of `ancestor` on the shortest path of connections to `node`.
pub(crate) fn output_towards(workflow: &Workflow, ancestor: NodeIndex, node: NodeIndex) -> Option<usize> {
    let mut seen = FxHashSet::default();
    let mut level = vec![node];
    while !level.is_empty() {
        let mut next = Vec::new();
        for node in level {
            for (source, output) in workflow.connections.inputs(node).iter().flatten() {
                if *source == ancestor {
                    return Some(*output);
                }
                if seen.insert(*source) {
                    next.push(*source);
                }
            }
            for (_, source, target) in workflow.connections.other.iter().filter(|(_, _, target)| target.node == node) {
                if *source == ancestor {
                    return Some(target.input);
                }
                if seen.insert(*source) {
                    next.push(*source);
                }
            }
        }
        level = next;
    }
    None
}
