//! Workflow documents as n8n reads them: unknown fields are ignored, missing ones get their defaults, and what cannot
//! be made sense of is named with a JSON pointer.

use rustc_hash::FxHashMap;

use crate::{
    Connection, Connections, ErrorPolicy, ExecutionOrder, Item, Items, Node, NodeIndex, Object, Problem, Settings, Str,
    Value, Workflow, to_index, truthy,
};

/// Most nodes a workflow may have.
const MAX_NODES: usize = 10_000;

impl Workflow {
    /// Parses a workflow document (an n8n export or API body). All problems are reported, not only the first.
    pub fn parse(document: &Value) -> Result<Workflow, Vec<Problem>> {
        let Some(root) = document.as_object() else {
            return Err(vec![Problem::new("", "workflow.not_an_object", "a workflow is a JSON object")]);
        };
        let mut problems = Vec::new();
        let nodes = parse_nodes(root.get("nodes"), &mut problems);
        let mut by_name = FxHashMap::default();
        for (at, node) in nodes.iter().enumerate() {
            if by_name.insert(node.name.clone(), NodeIndex(at)).is_some() && !node.name.is_empty() {
                let message = format!("two nodes are called \"{}\"; names must be unique", node.name);
                problems.push(Problem::new(format!("/nodes/{at}/name"), "workflow.duplicate_node_name", message));
            }
        }
        let connections = parse_connections(root.get("connections"), &by_name, nodes.len(), &mut problems);
        let workflow = Workflow {
            id: text(root, "id").unwrap_or_default(),
            name: text(root, "name").unwrap_or_default(),
            active: root.get("active").is_some_and(truthy),
            settings: parse_settings(root.get("settings"), &mut problems),
            pin_data: parse_pin_data(root.get("pinData"), &mut problems),
            static_data: root.get("staticData").and_then(Value::as_object).cloned().unwrap_or_default(),
            nodes,
            connections,
            by_name,
        };
        if problems.is_empty() { Ok(workflow) } else { Err(problems) }
    }
}

fn parse_nodes(value: Option<&Value>, problems: &mut Vec<Problem>) -> Vec<Node> {
    let Some(Value::Array(documents)) = value else {
        problems.push(Problem::new("/nodes", "workflow.nodes_missing", "a workflow has a list of nodes"));
        return Vec::new();
    };
    if documents.len() > MAX_NODES {
        let message = format!("a workflow has at most {MAX_NODES} nodes, this one has {}", documents.len());
        problems.push(Problem::new("/nodes", "workflow.too_many_nodes", message));
        return Vec::new();
    }
    let parsed = documents.iter().enumerate().map(|(at, document)| match document {
        Value::Object(document) => parse_node(document, at, problems),
        _ => {
            problems.push(Problem::new(format!("/nodes/{at}"), "node.not_an_object", "a node is a JSON object"));
            Node::default()
        }
    });
    parsed.collect()
}

fn parse_node(document: &Object, at: usize, problems: &mut Vec<Problem>) -> Node {
    for key in ["name", "type"] {
        if !matches!(document.get(key), Some(Value::String(text)) if !text.is_empty()) {
            let message = format!("a node needs a {key}, a non-empty string");
            problems.push(Problem::new(format!("/nodes/{at}/{key}"), &format!("node.{key}_missing"), message));
        }
    }
    let object = |key: &str, problems: &mut Vec<Problem>| match document.get(key) {
        None | Some(Value::Null | Value::Undefined) => Object::new(),
        Some(Value::Object(value)) => value.clone(),
        Some(other) => {
            let message = format!("expected an object, got {}", other.kind());
            problems.push(Problem::new(format!("/nodes/{at}/{key}"), "node.wrong_type", message));
            Object::new()
        }
    };
    let version = match document.get("typeVersion") {
        None | Some(Value::Null | Value::Undefined) => 1.0,
        Some(Value::Number(version)) => *version,
        Some(other) => match other.as_str().and_then(|text| text.parse().ok()) {
            Some(version) => version,
            None => {
                let message = format!("expected a number, got {}", other.kind());
                problems.push(Problem::new(format!("/nodes/{at}/typeVersion"), "node.wrong_type", message));
                1.0
            }
        },
    };
    let coordinate =
        |index: usize| document.get("position").and_then(Value::as_array)?.get(index).and_then(Value::as_f64);
    let number = |key: &str| document.get(key).and_then(Value::as_f64).and_then(to_index);
    let on_error = match document.get("onError").and_then(Value::as_str) {
        Some("continueRegularOutput") => ErrorPolicy::ContinueRegular,
        Some("continueErrorOutput") => ErrorPolicy::ContinueError,
        Some("stopWorkflow") => ErrorPolicy::Stop,
        _ if document.get("continueOnFail").is_some_and(truthy) => ErrorPolicy::ContinueRegular,
        _ => ErrorPolicy::Stop,
    };
    Node {
        id: text(document, "id").unwrap_or_default(),
        name: text(document, "name").unwrap_or_default(),
        kind: text(document, "type").unwrap_or_default(),
        version,
        parameters: object("parameters", problems),
        with_defaults: None,
        credentials: object("credentials", problems),
        position: (coordinate(0).unwrap_or(0.0), coordinate(1).unwrap_or(0.0)),
        disabled: document.get("disabled").is_some_and(truthy),
        on_error,
        retry_on_fail: document.get("retryOnFail").is_some_and(truthy),
        max_tries: u32::try_from(number("maxTries").unwrap_or(3).clamp(2, 5)).unwrap_or(3),
        wait_between_tries: u64::try_from(number("waitBetweenTries").unwrap_or(1000).min(5000)).unwrap_or(1000),
        execute_once: document.get("executeOnce").is_some_and(truthy),
        always_output_data: document.get("alwaysOutputData").is_some_and(truthy),
        webhook_id: text(document, "webhookId"),
        document: document.clone(),
    }
}

fn parse_connections(
    value: Option<&Value>,
    by_name: &FxHashMap<Str, NodeIndex>,
    nodes: usize,
    problems: &mut Vec<Problem>,
) -> Connections {
    let mut connections =
        Connections { outgoing: vec![Vec::new(); nodes], incoming: vec![Vec::new(); nodes], ..Connections::default() };
    let sources = match value {
        None | Some(Value::Null | Value::Undefined) => return connections,
        Some(Value::Object(sources)) => {
            connections.is_written = true;
            sources
        }
        Some(other) => {
            let message = format!("expected an object, got {}", other.kind());
            problems.push(Problem::new("/connections", "connections.wrong_type", message));
            return connections;
        }
    };
    for (name, kinds) in sources.iter() {
        let pointer = format!("/connections/{}", escape(name));
        let Some(source) = by_name.get(name).copied() else {
            let message = format!("there is no node called \"{name}\"");
            problems.push(Problem::new(pointer, "connections.unknown_node", message));
            continue;
        };
        for (kind, outputs) in kinds.as_object().into_iter().flat_map(Object::iter) {
            for (output, targets) in outputs.as_array().unwrap_or_default().iter().enumerate() {
                for (at, target) in targets.as_array().unwrap_or_default().iter().enumerate() {
                    if target.is_nullish() {
                        continue;
                    }
                    let pointer = format!("{pointer}/{}/{output}/{at}", escape(kind));
                    match parse_target(target, by_name, &pointer) {
                        Ok(target) => connections.add(source, kind, output, target),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
        }
    }
    connections
}

fn parse_target(target: &Value, by_name: &FxHashMap<Str, NodeIndex>, pointer: &str) -> Result<Connection, Problem> {
    let Some(name) = target.get("node").and_then(Value::as_str) else {
        let message = "a connection names its target in \"node\"";
        return Err(Problem::new(format!("{pointer}/node"), "connections.target_missing", message));
    };
    let Some(node) = by_name.get(name).copied() else {
        let message = format!("there is no node called \"{name}\"");
        return Err(Problem::new(format!("{pointer}/node"), "connections.unknown_node", message));
    };
    let input = target.get("index").and_then(Value::as_f64).map_or(Some(0), to_index).filter(|input| *input < 1024);
    match input {
        Some(input) => Ok(Connection { node, input }),
        None => {
            let message = "an input index is a whole number from 0 to 1023";
            Err(Problem::new(format!("{pointer}/index"), "connections.wrong_index", message))
        }
    }
}

impl Connections {
    fn add(&mut self, source: NodeIndex, kind: &str, output: usize, target: Connection) {
        if kind == "main" {
            self.connect(source, output, target);
        } else {
            self.other.push((kind.into(), source, target));
        }
    }

    /// Adds a `main` edge.
    pub fn connect(&mut self, source: NodeIndex, output: usize, target: Connection) {
        if let Some(inputs) = self.incoming.get_mut(target.node.0) {
            grown(inputs, target.input).push((source, output));
        }
        if let Some(outputs) = self.outgoing.get_mut(source.0) {
            grown(outputs, output).push(target);
        }
    }
}

/// The list at `index`, with empty lists put before it as needed.
fn grown<T>(lists: &mut Vec<Vec<T>>, index: usize) -> &mut Vec<T> {
    if lists.len() <= index {
        lists.resize_with(index + 1, Vec::new);
    }
    match lists.get_mut(index) {
        Some(list) => list,
        None => unreachable!("the list was made long enough just above"),
    }
}

fn parse_settings(value: Option<&Value>, problems: &mut Vec<Problem>) -> Settings {
    let document = match value {
        None | Some(Value::Null | Value::Undefined) => return Settings::default(),
        Some(Value::Object(document)) => document,
        Some(other) => {
            let message = format!("expected an object, got {}", other.kind());
            problems.push(Problem::new("/settings", "settings.wrong_type", message));
            return Settings::default();
        }
    };
    let named = |key: &str| text(document, key).filter(|value| value != "DEFAULT" && !value.is_empty());
    let saved = |key: &str| match document.get(key) {
        Some(Value::Bool(save)) => Some(*save),
        Some(Value::String(save)) if save == "all" => Some(true),
        Some(Value::String(save)) if save == "none" => Some(false),
        _ => None,
    };
    Settings {
        execution_order: match document.get("executionOrder").and_then(Value::as_str) {
            Some("v1") => ExecutionOrder::V1,
            _ => ExecutionOrder::V0,
        },
        timezone: named("timezone"),
        execution_timeout: document.get("executionTimeout").and_then(Value::as_f64).filter(|seconds| *seconds > 0.0),
        error_workflow: named("errorWorkflow"),
        save_data_success: saved("saveDataSuccessExecution"),
        save_data_error: saved("saveDataErrorExecution"),
        save_manual: saved("saveManualExecutions"),
        caller_policy: named("callerPolicy"),
        document: document.clone(),
    }
}

fn parse_pin_data(value: Option<&Value>, problems: &mut Vec<Problem>) -> FxHashMap<Str, Items> {
    let mut pins = FxHashMap::default();
    for (name, items) in value.and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        let Some(items) = items.as_array() else {
            let pointer = format!("/pinData/{}", escape(name));
            problems.push(Problem::new(pointer, "pin_data.wrong_type", "pinned data is a list of items"));
            continue;
        };
        pins.insert(name.clone(), items.iter().map(Item::from_value).collect::<Vec<_>>().into());
    }
    pins
}

/// A string field; numbers are accepted as text, as old exports have numeric ids.
fn text(object: &Object, key: &str) -> Option<Str> {
    match object.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(crate::format_number(*number)),
        _ => None,
    }
}

/// A key as a JSON pointer segment (RFC 6901 §3).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
