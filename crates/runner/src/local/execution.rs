//! One workflow document run on the command line, from its start node to its end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millrace_engine::{Options, Outcome, Run, Start};
use millrace_expression::{Clock, Globals};
use millrace_model::{Item, Object, Problem, Str, Value, Workflow};
use rustc_hash::FxHashSet;
use tokio_util::sync::CancellationToken;

use super::{LocalHost, LocalOptions};
use crate::{Compiled, Observer, Replay, Runner, outcome_of};

/// What to run, and how it sees the world.
pub struct LocalExecution {
    pub document: Value,
    /// Items of the start node; `None`: one empty item.
    pub input: Option<Vec<Item>>,
    /// `manual`, `trigger`, `webhook`, `cli`, …
    pub mode: Str,
    /// IANA zone of workflows that name none.
    pub timezone: Str,
    pub clock: Clock,
    pub honour_pins: bool,
    pub options: LocalOptions,
}

impl LocalExecution {
    /// Runs the workflow; problems where it cannot be run at all.
    pub async fn run(self, observer: &dyn Observer, cancel: CancellationToken) -> Result<(Run, Outcome), Vec<Problem>> {
        let workflow = Workflow::parse(&last_of_each_name(&self.document))?;
        let compiled = Compiled::new(Arc::new(workflow), &*self.options.catalog);
        let Some(node) = compiled.start() else {
            return Err(vec![Problem::new(
                "/nodes",
                "workflow.no_trigger",
                "the workflow has no node that can start it",
            )]);
        };
        let globals = Globals {
            execution_id: "1".into(),
            mode: self.mode,
            resume_url: "http://localhost:5678/webhook-waiting/1".into(),
            resume_form_url: "http://localhost:5678/form-waiting/1".into(),
            timezone: self.timezone,
            env: Arc::default(),
            vars: Arc::default(),
            secrets: Arc::default(),
            custom_data: Arc::new(Mutex::new(Object::new())),
            clock: self.clock,
        };
        let own =
            compiled.workflow().settings.execution_timeout.and_then(|time| Duration::try_from_secs_f64(time).ok());
        let mut limits = self.options.limits;
        limits.timeout = limits.timeout.into_iter().chain(own).min();
        let host = LocalHost::new(self.options, globals.clone());
        let runner = Runner {
            compiled: &compiled,
            host: &host,
            globals: &globals,
            observer,
            limits,
            cancel,
            replay: Replay::default(),
        };
        let items = Arc::new(self.input.unwrap_or_else(|| vec![Item::empty()]));
        let start = Start { node, items, at_ms: globals.clock.now_ms() };
        let options = Options { honour_pins: self.honour_pins, ..Options::default() };
        let mut run = runner.run(start, options).await;
        let outcome = outcome_of(&mut run);
        Ok((run, outcome))
    }
}

/// Of nodes with one name only the last counts: exports edited by hand hold such twins.
fn last_of_each_name(document: &Value) -> Value {
    let Some(nodes) = document.get("nodes").and_then(Value::as_array) else { return document.clone() };
    let mut seen = FxHashSet::default();
    let name_of = |node: &Value| node.get("name").and_then(Value::as_str).map(str::to_owned);
    let is_last = |node: &&Value| name_of(node).is_none_or(|name| seen.insert(name));
    let mut kept: Vec<Value> = nodes.iter().rev().filter(is_last).cloned().collect();
    if kept.len() == nodes.len() {
        return document.clone();
    }
    kept.reverse();
    let mut document = document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("nodes", kept);
    }
    document
}
