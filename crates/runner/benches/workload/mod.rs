//! Workflows made for measuring, and what runs them: compiled once, run again and again with the same start.

use std::sync::{Arc, Mutex};

use millrace_engine::{Options, Start};
use millrace_expression::{Clock, Globals};
use millrace_model::{Item, Items, NodeIndex, Object, Str, Value, Workflow};
use millrace_runner::{
    BuiltIn, Compiled, Document, Limits, LocalHost, LocalOptions, NoHttp, Replay, Runner, Unobserved, outcome_of,
};
use tokio_util::sync::CancellationToken;

/// A Set node with one expression, `EXPRESSION`.
pub(crate) const SET: &str = r#"{"type":"n8n-nodes-base.set","typeVersion":3.4,"parameters":{"assignments":{"assignments":[
    {"id":"1","name":"out","value":"EXPRESSION","type":"number"}]},"includeOtherFields":true,"options":{}}}"#;
pub(crate) const FILTER: &str = r#"{"type":"n8n-nodes-base.filter","typeVersion":2,"parameters":{"conditions":{"combinator":"and",
    "options":{"caseSensitive":true,"leftValue":"","typeValidation":"strict"},"conditions":[{"id":"f",
    "leftValue":"={{ $json.n }}","rightValue":500,"operator":{"type":"number","operation":"gt"}}]},"options":{}}}"#;
pub(crate) const NO_OP: &str = r#"{"type":"n8n-nodes-base.noOp","typeVersion":1,"parameters":{}}"#;

/// A start, and so many nodes of the same kind one behind the other.
pub(crate) fn chain(node: &str, length: usize) -> String {
    let names: Vec<String> = (0..=length).map(|at| format!("N{at}")).collect();
    let start = r#"{"type":"n8n-nodes-base.manualTrigger","typeVersion":1,"parameters":{}}"#;
    let nodes = names.iter().enumerate().map(|(at, name)| {
        let body = if at == 0 { start } else { node }.trim_start_matches('{');
        format!(r#"{{"name":"{name}","id":"{name}","position":[{at},0],{body}"#)
    });
    let links = names.windows(2).filter_map(|pair| {
        let [from, to] = pair else { return None };
        Some(format!(r#""{from}":{{"main":[[{{"node":"{to}","type":"main","index":0}}]]}}"#))
    });
    let (nodes, links) = (nodes.collect::<Vec<_>>().join(","), links.collect::<Vec<_>>().join(","));
    format!(r#"{{"nodes":[{nodes}],"connections":{{{links}}},"settings":{{"executionOrder":"v1"}}}}"#)
}

pub(crate) fn numbered(count: usize) -> Items {
    let item = |at: usize| Item::new(Object::from([("n", Value::from(at)), ("name", Value::from("ann"))])).paired(at);
    Arc::new((0..count).map(item).collect())
}

/// A workflow ready to run, and what it runs in.
pub(crate) struct Prepared {
    compiled: Compiled,
    globals: Globals,
    host: LocalHost,
}

impl Prepared {
    pub(crate) fn new(document: &str) -> Result<Prepared, String> {
        let document = Value::from_json(document).map_err(|error| error.to_string())?;
        let workflow = Workflow::parse(&document).map_err(|problems| format!("{problems:?}"))?;
        let globals = Globals {
            execution_id: "1".into(),
            mode: "webhook".into(),
            resume_url: Str::new(),
            resume_form_url: Str::new(),
            timezone: "UTC".into(),
            env: Arc::default(),
            vars: Arc::default(),
            secrets: Arc::default(),
            custom_data: Arc::new(Mutex::default()),
            clock: Clock::System,
        };
        let options = LocalOptions {
            allowed_folders: Vec::new(),
            credentials: Object::new(),
            workflows: None,
            commands: false,
            http: Arc::new(NoHttp),
            catalog: Arc::new(BuiltIn),
            limits: Limits::default(),
        };
        let host = LocalHost::new(options, globals.clone());
        Ok(Prepared { compiled: Compiled::new(Arc::new(workflow), &BuiltIn), globals, host })
    }

    /// One run to its end, and its record as JSON.
    pub(crate) async fn run(&self, items: &Items) -> Result<Vec<u8>, String> {
        let runner = Runner {
            compiled: &self.compiled,
            host: &self.host,
            globals: &self.globals,
            observer: &Unobserved,
            limits: Limits::default(),
            cancel: CancellationToken::new(),
            replay: Replay::default(),
        };
        let start = Start { node: NodeIndex(0), items: Arc::clone(items), at_ms: 0 };
        let mut run = runner.run(start, Options::default()).await;
        let outcome = outcome_of(&mut run);
        if let Some(error) = &outcome.error {
            return Err(error.message.to_string());
        }
        let recorded = Document { run: &run, outcome: &outcome, mode: "webhook" };
        serde_json::to_vec(&recorded).map_err(|error| error.to_string())
    }
}
