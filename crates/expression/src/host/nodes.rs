//! Operations on other nodes: their outputs, parameters, context and how items are paired with theirs.

use millrace_model::{ExecutionError, Items, NodeIndex, Source, Value, to_index};
use rquickjs::Array;

use super::{Answer, Call};
use crate::convert::object_to_js;
use crate::frame::Frame;
use crate::{errors, pairing, realm};

/// `output(node, branch, run)` of `$("name").first/last/all`: -1 stands for the branch that leads here, and the last run.
pub(super) fn output<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    let branch = match call.integer(1) {
        Some(branch) if branch >= 0 => branch,
        _ => branch_towards(call, node).unwrap_or(0),
    };
    let items = outputs(call.frame, node, branch, call.integer(2).unwrap_or(-1))?;
    Ok(call.list(&items, None))
}

/// `itemsOf(name, output, run)` of `$items`.
pub(super) fn items_of<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let name = call.text(0).unwrap_or_default();
    let scope = call.frame.scope;
    if scope.run_data.iter().next().is_none() && scope.workflow.pin_data.is_empty() {
        return Err(errors::nothing_executed().into());
    }
    let node = scope.workflow.find(&name).ok_or_else(|| errors::unknown_node(&name))?;
    let items = outputs(call.frame, node, call.integer(1).unwrap_or(0), call.integer(2).unwrap_or(-1))?;
    Ok(call.list(&items, None))
}

/// `legacyOutput(node, run)` of `$node["name"]`: the branch that leads here.
pub(super) fn legacy_output<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    let executed = !call.frame.scope.run_data.of(node).is_empty();
    let Some(branch) = branch_towards(call, node).or_else(|| (node == call.frame.scope.node).then_some(0)) else {
        let name = call.name_of(node);
        return Err(if executed { errors::no_path_back(name) } else { errors::not_executed(name) }.into());
    };
    let items = outputs(call.frame, node, branch, call.integer(1).unwrap_or(-1))?;
    Ok(call.list(&items, None))
}

/// `legacyIndex(list, node, index)`: the index, if the list has it.
pub(super) fn legacy_index<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let id = call.index(0).and_then(|id| u32::try_from(id).ok()).unwrap_or(u32::MAX);
    let length = call.frame.lists.borrow().get(id).map_or(0, |list| list.items.len());
    let index = call.index(2).unwrap_or_default();
    match length {
        0 => Err(errors::no_data().into()),
        _ if index >= length => Err(errors::no_item(index).into()),
        _ => Ok(call.number(index)),
    }
}

fn branch_towards(call: &Call<'_, '_>, node: NodeIndex) -> Option<i64> {
    let branch = pairing::output_towards(call.frame.scope.workflow, node, call.frame.scope.node)?;
    i64::try_from(branch).ok()
}

/// Items of an output; of pinned data where the node did not run and the run is one of the editor. Run -1 is the last.
fn outputs(frame: &Frame<'_>, node: NodeIndex, branch: i64, run: i64) -> Result<Items, ExecutionError> {
    let name = &frame.scope.workflow.node(node).name;
    let runs = frame.scope.run_data.of(node);
    let found = || {
        if runs.is_empty() {
            return Err(errors::not_executed(name));
        }
        let position = if run == -1 { Some(runs.len() - 1) } else { usize::try_from(run).ok() };
        let run = position.and_then(|run| runs.get(run)).ok_or_else(|| errors::no_run(name, run))?;
        let outputs = run.outputs.as_ref().ok_or_else(|| errors::not_executed(name))?;
        let output = usize::try_from(branch).ok().and_then(|branch| outputs.get(branch));
        output.map(|items| items.clone().unwrap_or_default()).ok_or_else(|| errors::no_branch(name, branch))
    };
    found().or_else(|error| {
        let pinned = frame.scope.workflow.pin_data.get(name).filter(|_| frame.is_manual());
        pinned.cloned().ok_or(error)
    })
}

/// `paired(node, index, method)`: `[list, index]` of the paired item, or undefined.
pub(super) fn paired<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let method = call.text(2).unwrap_or_default();
    let found = pairing::paired(call.frame, call.node(0)?, call.index(1).unwrap_or(usize::MAX), &method)?;
    match found {
        Some((items, index)) => place(call, &items, index),
        None => Ok(call.undefined()),
    }
}

/// `pairedFrom(name, source, pairedItem)`: the same from a source and a pairing given by the expression.
pub(super) fn paired_from<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let scope = call.frame.scope;
    let name = call.text(0).unwrap_or_default();
    let target = scope.workflow.find(&name).ok_or_else(|| errors::unknown_node(&name))?;
    let read = |at: usize| realm::read(call.ctx, &call.value(at)).unwrap_or_default();
    let source: Option<Source> = pairing::source_of(scope.workflow, &read(1));
    let paired = read(2);
    let index = match &paired {
        Value::Number(index) => to_index(*index),
        paired => paired.get("item").and_then(Value::as_f64).and_then(to_index),
    };
    let (Some(source), Some(index)) = (source, index) else { return Ok(call.undefined()) };
    let (items, index) = pairing::paired_from(scope, target, source, index)?;
    place(call, &items, index)
}

fn place<'js>(call: &Call<'_, 'js>, items: &Items, index: usize) -> Answer<'js> {
    let pair = Array::new(call.ctx.clone())?;
    pair.set(0, call.list(items, None))?;
    pair.set(1, call.number(index))?;
    Ok(pair.into_value())
}

/// `findNode(name)`: its number, or -1.
pub(super) fn find_node<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let found = call.text(0).and_then(|name| call.frame.scope.workflow.find(&name));
    Ok(found.map_or_else(|| call.none(), |node| call.number(node.0)))
}

pub(super) fn unknown_node<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Err(errors::unknown_node(&call.text(0).unwrap_or_default()).into())
}

pub(super) fn active_node<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(call.number(call.frame.scope.node.0))
}

fn first_source(call: &Call<'_, '_>) -> Option<Source> {
    call.frame.scope.source.first().copied().flatten()
}

/// `previousNode()`: the node that fed the first input, or -1.
pub(super) fn previous_node<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(first_source(call).map_or_else(|| call.none(), |source| call.number(source.node.0)))
}

/// `previousRunsOnce()`: is the node that fed the first input set to execute once?
pub(super) fn previous_runs_once<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let once = first_source(call).is_some_and(|source| call.frame.scope.workflow.node(source.node).execute_once);
    Ok(call.flag(once))
}

/// `$prevNode`.
pub(super) fn previous<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    match first_source(call) {
        Some(source) => call.record([
            ("name", call.name_of(source.node).clone().into()),
            ("outputIndex", source.output.into()),
            ("runIndex", source.run.into()),
        ]),
        None => Ok(object_to_js(call.ctx, &millrace_model::Object::new())?),
    }
}

pub(super) fn node_names<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let names = call.frame.scope.workflow.nodes.iter().map(|node| Value::from(node.name.clone()));
    call.model(&Value::array(names))
}

/// `nodeInfo()` of the current node.
pub(super) fn node_info<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.frame.scope.workflow.node(call.frame.scope.node);
    call.record([
        ("id", node.id.clone().into()),
        ("version", node.version.into()),
        ("webhookId", node.webhook_id.clone().into()),
    ])
}

/// `executed(node)`: did it run, or has it pinned data in a run of the editor?
pub(super) fn executed<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    let pinned = call.frame.is_manual() && call.frame.scope.workflow.pin_data.contains_key(call.name_of(node));
    Ok(call.flag(pinned || !call.frame.scope.run_data.of(node).is_empty()))
}

/// `lastRun(node)`: the index of its last run.
pub(super) fn last_run<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    match call.frame.scope.run_data.of(node).len().checked_sub(1) {
        Some(run) => Ok(call.number(run)),
        None => Err(errors::not_executed(call.name_of(node)).into()),
    }
}

/// `parameters(node)`: with the type's defaults, expressions as written.
pub(super) fn parameters<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    Ok(object_to_js(call.ctx, call.frame.scope.workflow.node(node).shown_parameters())?)
}

/// `context(node)`: its memory within the run.
pub(super) fn context<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let node = call.node(0)?;
    let memory = call.frame.scope.contexts.get(&node).cloned().unwrap_or_default();
    Ok(object_to_js(call.ctx, &memory)?)
}

/// `$agentInfo`: what is connected to an AI agent; undefined for other nodes.
pub(super) fn agent_info<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let scope = call.frame.scope;
    if scope.workflow.node(scope.node).short_kind() != "agent" {
        return Ok(call.undefined());
    }
    let connected = scope.workflow.connections.other.iter().filter(|(_, _, target)| target.node == scope.node);
    let mut memory = false;
    let mut tools = Vec::new();
    for (kind, source, _) in connected {
        let node = scope.workflow.node(*source);
        match kind.as_str() {
            "ai_memory" => memory = true,
            "ai_tool" => tools.push(Value::Object(millrace_model::Object::from([
                ("connected", Value::Bool(true)),
                ("name", node.name.clone().into()),
                ("type", node.kind.clone().into()),
                ("nodeType", node.kind.clone().into()),
                ("hasCredentials", (!node.credentials.is_empty()).into()),
                ("resource", node.parameters.get("resource").cloned().unwrap_or_default()),
                ("operation", node.parameters.get("operation").cloned().unwrap_or_default()),
            ]))),
            _ => {}
        }
    }
    call.record([("memoryConnectedToAgent", memory.into()), ("tools", Value::from(tools))])
}

/// `agentItem()`: the JSON an AI agent handed the current node in this run, or undefined.
pub(super) fn agent_item<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let scope = call.frame.scope;
    let run = scope.run_data.of(scope.node).get(scope.run_index);
    let items = run.and_then(|run| run.agent_input.as_ref());
    match items.and_then(|items| items.get(scope.item_index).or_else(|| items.first())) {
        Some(item) => call.model(&item.json),
        None => Ok(call.undefined()),
    }
}
