//! `millrace expression --jsonl`: one expression with its context on a line, its value or error on a line.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millrace_model::{
    ExecutionError, Item, Items, NodeIndex, NodeRun, Object, RunData, Source, Str, Value, Workflow, items_of, to_index,
};

use crate::pairing::source_of;
use crate::sandbox::Form;
use crate::{Clock, Globals, Limits, NodeContexts, Sandbox, Scope};

/// Evaluates one line and gives the line of its answer (without the line's end). Never fails: what is wrong with the line
/// itself is an answer with `error`.
pub fn evaluate_line(line: &str) -> String {
    let request = match Value::from_json(line) {
        Ok(request) => request,
        Err(problem) => return failure(Value::Null, &ExecutionError::new("InvalidLine", problem.to_string())),
    };
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    match evaluate(&request) {
        Ok(value) => Value::Object(Object::from([("id", id), ("value", value)])).to_json(),
        Err(error) => failure(id, &error),
    }
}

fn failure(id: Value, error: &ExecutionError) -> String {
    let mut fields = Object::from([("name", error.name.clone().into()), ("message", error.message.clone().into())]);
    if let Some(description) = &error.description {
        fields.insert("description", description.clone());
    }
    Value::Object(Object::from([("id", id), ("error", fields.into())])).to_json()
}

fn evaluate(request: &Value) -> Result<Value, ExecutionError> {
    let context = request.get("context").cloned().unwrap_or_default();
    let node = request.get("node").and_then(Value::as_str).unwrap_or("node");
    let workflow = workflow_of(&context, node)?;
    let index = workflow.find(node).unwrap_or(NodeIndex(0));
    let run_data = run_data_of(&workflow, context.get("runData"));
    let inputs = [inputs_of(request, &context)];
    let source = sources_of(&workflow, &context, index);
    let contexts = contexts_of(&workflow, context.get("contextData"));
    let number = |key: &str| request.get(key).and_then(Value::as_f64).and_then(to_index);
    let globals = globals_of(request);
    let scope = Scope {
        workflow: &workflow,
        run_data: &run_data,
        node: index,
        inputs: &inputs,
        source: &source,
        run_index: number("runIndex").unwrap_or(0),
        item_index: number("itemIndex").unwrap_or(usize::MAX >> 16),
        contexts: &contexts,
        globals: &globals,
    };
    let option = |key: &str| request.get("proxyOptions").and_then(|options| options.get(key));
    let extra = request.get("additionalKeys").and_then(Value::as_object);
    let lenient = option("throwOnMissingExecutionData").and_then(Value::as_bool) == Some(false);
    let form = Form { extra, lenient, tagged: true, siblings: None };
    let expression = request.get("expression").cloned().unwrap_or_default();
    Sandbox::new(Limits::default()).resolve_form(&expression, &scope, form)
}

fn workflow_of(context: &Value, node: &str) -> Result<Workflow, ExecutionError> {
    let alone = || {
        let node = Object::from([
            ("name", node.into()),
            ("type", "test.node".into()),
            ("typeVersion", 1.into()),
            ("position", Value::from(vec![0.into(), 0.into()])),
            ("parameters", Object::new().into()),
        ]);
        let nodes = Value::from(vec![node.into()]);
        Value::Object(Object::from([("id", "1".into()), ("nodes", nodes), ("connections", Object::new().into())]))
    };
    let mut document = context.get("workflow").cloned().unwrap_or_else(alone);
    drop_dangling(&mut document);
    let mut workflow = Workflow::parse(&document).map_err(|problems| {
        let message = problems.first().map(ToString::to_string).unwrap_or_default();
        ExecutionError::new("InvalidWorkflow", message)
    })?;
    for (name, items) in context.get("pinData").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        workflow.pin(name, items_from(items));
    }
    Ok(workflow)
}

/// Takes out connections from and to nodes that are not there: n8n ignores them.
fn drop_dangling(document: &mut Value) {
    let names: Vec<Value> = document
        .get("nodes")
        .and_then(Value::as_array)
        .map(|nodes| nodes.iter().filter_map(|node| node.get("name").cloned()).collect())
        .unwrap_or_default();
    let known = |name: &Value| names.contains(name);
    let connections = document.as_object_mut().and_then(|root| root.get_mut("connections"));
    let Some(connections) = connections.and_then(Value::as_object_mut) else { return };
    connections.retain(|source, _| known(&source.into()));
    for (_, kinds) in connections.values_mut() {
        for (_, outputs) in kinds.as_object_mut().into_iter().flat_map(Object::values_mut) {
            for output in outputs.as_array_mut().into_iter().flatten() {
                if let Some(targets) = output.as_array_mut() {
                    targets.retain(|target| target.get("node").is_some_and(known));
                }
            }
        }
    }
}

fn items_from(value: &Value) -> Vec<Item> {
    value.as_array().unwrap_or_default().iter().map(Item::from_value).collect()
}

fn run_data_of(workflow: &Workflow, value: Option<&Value>) -> RunData {
    let mut run_data = RunData::default();
    for (name, runs) in value.and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        let Some(node) = workflow.find(name) else { continue };
        for run in runs.as_array().unwrap_or_default() {
            let outputs = run.get("data").and_then(|data| data.get("main")).and_then(Value::as_array);
            let outputs = outputs.map(|outputs| {
                outputs.iter().map(|output| output.as_array().map(|_| Items::new(items_from(output)))).collect()
            });
            let source = run.get("source").and_then(Value::as_array).unwrap_or_default();
            let source: Vec<Option<Source>> = source.iter().map(|source| source_of(workflow, source)).collect();
            let agent_input = run
                .get("inputOverride")
                .and_then(|inputs| inputs.get("ai_tool")?.as_array()?.first())
                .map(|items| Items::new(items_from(items)));
            run_data.of_mut(node).push(NodeRun { outputs, source, agent_input, ..NodeRun::default() });
        }
    }
    run_data
}

fn inputs_of(request: &Value, context: &Value) -> Option<Items> {
    let items = request.get("items").or_else(|| context.get("items"))?;
    items.as_array().map(|_| items_of(items_from(items)))
}

/// Where the node's input came from: as executed, else from its last recorded run.
fn sources_of(workflow: &Workflow, context: &Value, node: NodeIndex) -> Vec<Option<Source>> {
    let executed = context.get("executeData").and_then(|data| data.get("source")).and_then(|source| source.get("main"));
    if let Some(sources) = executed.and_then(Value::as_array) {
        return sources.iter().map(|source| source_of(workflow, source)).collect();
    }
    let name = workflow.node(node).name.as_str();
    let runs = context.get("runData").and_then(|data| data.get(name)).and_then(Value::as_array).unwrap_or_default();
    let sources = runs.last().and_then(|run| run.get("source")).and_then(Value::as_array).unwrap_or_default();
    sources.iter().map(|source| source_of(workflow, source)).collect()
}

/// Memory of nodes, keyed `node:<name>`.
fn contexts_of(workflow: &Workflow, value: Option<&Value>) -> NodeContexts {
    let entries = value.and_then(Value::as_object).into_iter().flat_map(Object::iter);
    let entry = |(key, memory): (&Str, &Value)| {
        let node = workflow.find(key.strip_prefix("node:").unwrap_or(key))?;
        Some((node, memory.as_object()?.clone()))
    };
    entries.filter_map(entry).collect()
}

fn globals_of(request: &Value) -> Globals {
    let text = |key: &str| request.get(key).and_then(Value::as_str).map(Str::from);
    let now = request.get("now").and_then(Value::as_f64).map(|now| Duration::try_from_secs_f64(now / 1000.0));
    let clock = match now {
        Some(Ok(now)) => Clock::Frozen(Arc::new(AtomicI64::new(i64::try_from(now.as_millis()).unwrap_or_default()))),
        _ => Clock::System,
    };
    Globals {
        execution_id: "1".into(),
        mode: text("mode").unwrap_or_else(|| "manual".into()),
        resume_url: Str::new(),
        resume_form_url: Str::new(),
        timezone: text("timezone").unwrap_or_else(|| "America/New_York".into()),
        env: Arc::default(),
        vars: Arc::default(),
        secrets: Arc::default(),
        custom_data: Arc::new(Mutex::default()),
        clock,
    }
}
