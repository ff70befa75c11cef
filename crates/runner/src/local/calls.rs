//! Workflows that call workflows, on the command line: documents given in place, or files beside the caller.

use std::sync::Arc;

use millrace_engine::{Options, Start, Status, choose_start_of_call};
use millrace_model::{ExecutionError, Item, Str, Value, Workflow};
use millrace_nodes::{Call, CallSource};
use tokio_util::sync::CancellationToken;

use super::LocalHost;
use crate::{Compiled, Replay, Runner, Unobserved, last_outputs, outcome_of};

/// Calls within calls.
const MAX_DEPTH: u32 = 50;

/// Each call is a task of its own, so that calls within calls do not deepen the stack.
pub(super) async fn call(host: &LocalHost, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let host = host.clone();
    let called = tokio::spawn(async move { run(&host, call).await }).await;
    called.unwrap_or_else(|_| Err(ExecutionError::new("WorkflowOperationError", "The called workflow was canceled")))
}

async fn run(host: &LocalHost, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
    if host.depth >= MAX_DEPTH {
        let message = format!("Workflows call each other more than {MAX_DEPTH} levels deep");
        return Err(ExecutionError::new("WorkflowOperationError", message));
    }
    let document = match call.source {
        CallSource::Document(document) => document,
        CallSource::Id(id) => find(host, &id)?,
    };
    let workflow = Workflow::parse(&document).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        ExecutionError::new("WorkflowOperationError", format!("The called workflow is not valid: {first}"))
    })?;
    let compiled = Compiled::new(Arc::new(workflow), &*host.options.catalog);
    let Some(node) = choose_start_of_call(compiled.workflow()) else {
        let error = ExecutionError::new("SubworkflowOperationError", "Missing node to start execution");
        return Err(
            error.describe("Please make sure the workflow you're calling contains an Execute Workflow Trigger node")
        );
    };
    let mut globals = host.globals.clone();
    globals.mode = "integrated".into();
    let inner = LocalHost { globals: globals.clone(), depth: host.depth + 1, ..host.clone() };
    let runner = Runner {
        compiled: &compiled,
        host: &inner,
        globals: &globals,
        observer: &Unobserved,
        limits: host.options.limits,
        cancel: CancellationToken::new(),
        replay: Replay::default(),
    };
    let start = Start { node, items: Arc::new(call.items), at_ms: globals.clock.now_ms() };
    let mut run = runner.run(start, Options::default()).await;
    let outcome = outcome_of(&mut run);
    match (outcome.status, outcome.error) {
        (Status::Success | Status::Waiting, _) => Ok(last_outputs(&run)),
        (_, Some(error)) => Err(Arc::unwrap_or_clone(error)),
        (_, None) => Err(ExecutionError::new("WorkflowOperationError", "The called workflow was canceled")),
    }
}

/// The document of a called workflow: `<id>.json` beside the caller.
fn find(host: &LocalHost, id: &Str) -> Result<Value, ExecutionError> {
    let missing = || ExecutionError::new("WorkflowOperationError", format!("Workflow does not exist: \"{id}\""));
    let is_plain = !id.is_empty() && id.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'));
    let folder = host.options.workflows.as_ref().filter(|_| is_plain).ok_or_else(missing)?;
    let text = std::fs::read_to_string(folder.join(format!("{id}.json"))).map_err(|_| missing())?;
    let invalid =
        |error| ExecutionError::new("WorkflowOperationError", format!("{id}.json is not valid JSON: {error}"));
    Value::from_json(&text).map_err(invalid)
}
