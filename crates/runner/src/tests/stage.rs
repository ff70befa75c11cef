//! The stage of the tests: a catalog of small node types, and a workflow document from a list of nodes in a chain.

use std::{
    sync::{Arc, LazyLock, Mutex, atomic::AtomicI64},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use millrace_engine::{Options, Outcome, Run, Start};
use millrace_expression::{Clock, Globals};
use millrace_model::{ExecutionError, Item, NodeIndex, Object, Value, Workflow};
use millrace_nodes::{
    Behaviour, Call, CallSource, CallWait, Description, NodeContext, NodeResult, NodeType, Output, Role, Wait,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Catalog, Compiled, Entry, Limits, LocalHost, LocalOptions, NoHttp, Observer, Replay, Runner, Unobserved, outcome_of,
};

const PLAIN: &str = r#"{"version": 1, "inputs": ["main"], "outputs": ["main"], "properties": [
    {"name": "count", "type": "number", "default": 1}, {"name": "text", "type": "string", "default": "none"}]}"#;

static TYPES: [NodeType; 10] = [
    NodeType::pure("test.start", PLAIN, |context| Ok(Output::pass(context))).role(Role::Trigger),
    NodeType::pure("test.executeWorkflowTrigger", PLAIN, |context| Ok(Output::pass(context))).role(Role::Trigger),
    NodeType::pure("test.pass", PLAIN, |context| Ok(Output::pass(context))),
    NodeType::pure("test.make", PLAIN, make),
    NodeType::pure("test.panics", PLAIN, |_| panic!("out of luck")),
    NodeType::pure("test.counts", PLAIN, counts),
    NodeType::new("test.effect", PLAIN, Behaviour::Effect(effect)),
    NodeType::new("test.sleeps", PLAIN, Behaviour::Effect(sleeps)),
    NodeType::new("test.calls", PLAIN, Behaviour::Effect(calls)),
    NodeType::pure("test.waits", PLAIN, |context| {
        let wait = Some(Wait { until: Some(99), resume: None, shows: None });
        Ok(Output { wait, ..Output::pass(context) })
    }),
];

/// The types above, and one that panics on its way (`test.panics` with an effect is `test.effect` with text `panic`).
pub(super) struct Stage;

impl Catalog for Stage {
    fn find(&self, name: &str) -> Option<Entry> {
        static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
            let document = Value::from_json(PLAIN).expect("JSON");
            Description::parse(document.as_object().expect("an object"))
        });
        let node_type = TYPES.iter().find(|node_type| node_type.name == name)?;
        Some(Entry { node_type, description: &DESCRIPTION })
    }
}

fn make(context: &mut NodeContext<'_>) -> NodeResult {
    let count = context.number("count", 0)?.and_then(millrace_model::to_index).unwrap_or(0);
    let text = context.text("text", 0)?;
    let item = Item::new(Object::from([("text", text.into())]));
    Ok(Output::items(vec![item; count]))
}

/// Counts its runs in its memory, and all runs in the static data.
fn counts(context: &mut NodeContext<'_>) -> NodeResult {
    let next = |object: &mut Object| {
        let runs = object.get("runs").and_then(Value::as_f64).unwrap_or(0.0) + 1.0;
        object.insert("runs", runs);
        Value::Number(runs)
    };
    let (memory, all) = (next(context.memory), next(context.static_data));
    Ok(Output::items([Item::new(Object::from([("memory", memory), ("static", all)]))]))
}

/// Adds its text to what the host keeps under `log`.
fn effect<'a, 'b>(context: &'a mut NodeContext<'b>) -> BoxFuture<'a, NodeResult> {
    async move {
        let text = context.text("text", 0)?;
        assert_ne!(text, "panic", "told to");
        let log = context.host.recall("log").await?.map(|log| log.to_js_string()).unwrap_or_default();
        context.host.remember("log", format!("{log}{text}").into()).await?;
        if text == "fail" {
            return Err(ExecutionError::operation("told to"));
        }
        Ok(Output::pass(context))
    }
    .boxed()
}

fn sleeps<'a, 'b>(context: &'a mut NodeContext<'b>) -> BoxFuture<'a, NodeResult> {
    async move {
        context.host.sleep(Duration::from_secs(60)).await;
        Ok(Output::pass(context))
    }
    .boxed()
}

fn calls<'a, 'b>(context: &'a mut NodeContext<'b>) -> BoxFuture<'a, NodeResult> {
    async move {
        let source = CallSource::Id(context.text("text", 0)?);
        let call = Call { source, items: context.items().to_vec(), wait: CallWait::ForResult };
        Ok(Output::of(context.host.call_workflow(call).await?))
    }
    .boxed()
}

/// A document with these nodes in a chain: `type` or `type parameters-as-JSON`, named N0, N1, …
pub(super) fn chain(nodes: &[&str]) -> Value {
    let describe = |(at, node): (usize, &&str)| {
        let (kind, parameters) = node.split_once(' ').unwrap_or((node, "{}"));
        format!(r#"{{"name": "N{at}", "type": "test.{kind}", "parameters": {parameters}, "position": [{at}, 0]}}"#)
    };
    let connect = |at: usize| format!(r#""N{at}": {{"main": [[{{"node": "N{}", "index": 0}}]]}}"#, at + 1);
    let nodes_text: Vec<String> = nodes.iter().enumerate().map(describe).collect();
    let connections: Vec<String> = (0..nodes.len().saturating_sub(1)).map(connect).collect();
    let text = format!(
        r#"{{"nodes": [{}], "connections": {{{}}}, "settings": {{"executionOrder": "v1"}}}}"#,
        nodes_text.join(","),
        connections.join(",")
    );
    Value::from_json(&text).expect("JSON")
}

pub(super) fn globals(clock: Clock) -> Globals {
    Globals {
        execution_id: "1".into(),
        mode: "manual".into(),
        resume_url: "http://test/webhook-waiting/1".into(),
        resume_form_url: "http://test/form-waiting/1".into(),
        timezone: "UTC".into(),
        env: Arc::default(),
        vars: Arc::default(),
        secrets: Arc::default(),
        custom_data: Arc::new(Mutex::new(Object::new())),
        clock,
    }
}

pub(super) fn frozen() -> Clock {
    Clock::Frozen(Arc::new(AtomicI64::new(1_700_000_000_000)))
}

pub(super) fn options() -> LocalOptions {
    LocalOptions {
        allowed_folders: Vec::new(),
        credentials: Object::new(),
        workflows: None,
        commands: false,
        http: Arc::new(NoHttp),
        catalog: Arc::new(Stage),
        limits: Limits::default(),
    }
}

/// One performance: how a workflow is run, and what came of it.
pub(super) struct Performance<'a> {
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) observer: &'a dyn Observer,
    pub(super) cancel: CancellationToken,
    pub(super) replay: Replay,
    pub(super) host: Option<LocalHost>,
}

impl Default for Performance<'_> {
    fn default() -> Self {
        Performance {
            clock: frozen(),
            limits: Limits::default(),
            observer: &Unobserved,
            cancel: CancellationToken::new(),
            replay: Replay::default(),
            host: None,
        }
    }
}

impl Performance<'_> {
    pub(super) async fn run(self, document: &Value) -> (Run, Outcome) {
        let compiled = Compiled::new(Arc::new(Workflow::parse(document).expect("a workflow")), &Stage);
        let globals = globals(self.clock);
        let host = self.host.unwrap_or_else(|| LocalHost::new(options(), globals.clone()));
        let runner = Runner {
            compiled: &compiled,
            host: &host,
            globals: &globals,
            observer: self.observer,
            limits: self.limits,
            cancel: self.cancel,
            replay: self.replay,
        };
        let start = Start { node: NodeIndex(0), items: Arc::new(vec![Item::empty()]), at_ms: 0 };
        let mut run = runner.run(start, Options::default()).await;
        let outcome = outcome_of(&mut run);
        (run, outcome)
    }
}

pub(super) fn message(outcome: &Outcome) -> String {
    outcome.error.as_ref().map(|error| error.message.to_string()).unwrap_or_default()
}
