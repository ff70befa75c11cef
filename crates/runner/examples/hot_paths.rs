//! One hot path, run so many times and nothing else: `hot_paths PATH TIMES`. What `cargo xtask bench --quick` counts the
//! instructions of.

use std::{
    hint::black_box,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use millrace_engine::{Options, Start};
use millrace_expression::{Clock, Globals};
use millrace_model::{Item, Items, NodeIndex, Object, Str, Value, Workflow};
use millrace_runner::{
    BuiltIn, Compiled, Document, Limits, LocalHost, LocalOptions, NoHttp, Replay, Runner, Unobserved, outcome_of,
};
use tokio_util::sync::CancellationToken;

const WEBHOOK: &str = include_str!("../../../bench/webhook-set-if.json");
const SET: &str = r#"{"type":"n8n-nodes-base.set","typeVersion":3.4,"parameters":{"assignments":{"assignments":[
    {"id":"1","name":"out","value":"EXPRESSION","type":"number"}]},"includeOtherFields":true,"options":{}}}"#;
const FILTER: &str = r#"{"type":"n8n-nodes-base.filter","typeVersion":2,"parameters":{"conditions":{"combinator":"and",
    "options":{"caseSensitive":true,"leftValue":"","typeValidation":"strict"},"conditions":[{"id":"f",
    "leftValue":"={{ $json.n }}","rightValue":500,"operator":{"type":"number","operation":"gt"}}]},"options":{}}}"#;
const NO_OP: &str = r#"{"type":"n8n-nodes-base.noOp","typeVersion":1,"parameters":{}}"#;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let Some((document, items)) = path_of(&path) else { return ExitCode::from(2) };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return ExitCode::FAILURE };
    match runtime.block_on(repeat(&document, &items, times)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The workflow of a path, and the items it starts with.
fn path_of(path: &str) -> Option<(String, Items)> {
    let native = SET.replace("EXPRESSION", "={{ $json.n * 2 }}");
    let script = SET.replace("EXPRESSION", "={{ [$json.n].map(n => n * 2)[0] }}");
    Some(match path {
        "native-expression" => (chain(&native, 1), numbered(1)),
        "script-expression" => (chain(&script, 1), numbered(1)),
        "engine-step" => (chain(NO_OP, 100), numbered(1)),
        "set-items" => (chain(&native, 1), numbered(1000)),
        "filter-items" => (chain(FILTER, 1), numbered(1000)),
        "webhook-run" => (WEBHOOK.to_owned(), Arc::new(vec![received()])),
        _ => return None,
    })
}

/// A start, and so many nodes of the same kind one behind the other.
fn chain(node: &str, length: usize) -> String {
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

fn numbered(count: usize) -> Items {
    let item = |at: usize| Item::new(Object::from([("n", Value::from(at)), ("name", Value::from("ann"))])).paired(at);
    Arc::new((0..count).map(item).collect())
}

/// What a webhook makes of a call.
fn received() -> Item {
    let text = r#"{"headers":{"host":"localhost:8080","content-type":"application/json","content-length":"20"},
        "params":{},"query":{},"body":{"n":7,"name":"ann"},"webhookUrl":"http://localhost:8080/webhook/bench",
        "executionMode":"production"}"#;
    Item::new(Value::from_json(text).unwrap_or_default())
}

async fn repeat(document: &str, items: &Items, times: usize) -> Result<(), String> {
    let document = Value::from_json(document).map_err(|error| error.to_string())?;
    let workflow = Workflow::parse(&document).map_err(|problems| format!("{problems:?}"))?;
    let compiled = Compiled::new(Arc::new(workflow), &BuiltIn);
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
    for _ in 0..times {
        let runner = Runner {
            compiled: &compiled,
            host: &host,
            globals: &globals,
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
        black_box(serde_json::to_vec(&recorded).map_err(|error| error.to_string())?);
    }
    Ok(())
}
