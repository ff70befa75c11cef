//! Workflows that call workflows: in this process, without a queue and without a slot of their own, so that a call costs
//! little and calls within calls cannot wait for each other's slots.

use std::sync::Arc;

use millrace_engine::choose_start_of_call;
use millrace_model::{ExecutionError, Item, Problem, Str, Value, Workflow};
use millrace_nodes::{Call, CallSource, CallWait};
use millrace_runner::last_outputs;
use tokio::sync::oneshot;

use super::answer::{Answer, Ended, Interest};
use super::error::Error;
use super::executor::Launch;
use super::host::TenantHost;
use super::live::Caller;
use super::model::{Mode, Status};
use super::programs::Program;
use super::run;
use crate::common::ExecutionId;

/// Calls within calls.
const MAX_DEPTH: u32 = 50;

pub(super) async fn call(host: &TenantHost, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let depth = host.attempt.depth.saturating_add(1);
    if depth > MAX_DEPTH {
        return Err(failed(format!("Workflows call each other more than {MAX_DEPTH} levels deep")));
    }
    let program = find(host, call.source).await?;
    let Some(node) = choose_start_of_call(program.workflow()) else {
        return Err(failed("Missing node to start execution")
            .describe("The called workflow needs an Execute Workflow Trigger node"));
    };
    let launch = Launch {
        program,
        mode: Mode::Integrated,
        node,
        items: Arc::new(call.items),
        output: 0,
        honour_pins: false,
        parent: Some(host.attempt.row.id),
        retry_of: None,
    };
    match call.wait {
        CallWait::ForResult => run_within(host, launch, depth).await,
        CallWait::No => {
            host.before_effect().await?;
            host.executor.submit(launch).await.map_err(|error| failed(error.to_string()))?;
            Ok(Vec::new())
        }
    }
}

async fn run_within(host: &TenantHost, launch: Launch, depth: u32) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let attempt = Arc::new(host.executor.attempt(ExecutionId::new(), launch, depth));
    let id = attempt.row.id;
    let concluded = run::execute(&host.executor, &attempt, &host.cancel).await;
    let Some(concluded) = concluded else { return Err(failed("The called workflow could not be run to its end")) };
    match concluded.status {
        Status::Success => Ok(last_outputs(&concluded.run)),
        Status::Waiting => {
            let (caller, answer) = oneshot::channel();
            host.executor.0.live.wait_for(id, Caller { answer: caller, interest: Interest::End });
            super::pauses::paused(&host.executor, &attempt, &concluded.run);
            wait(host, answer).await
        }
        _ => Err(concluded.outcome.error.map_or_else(canceled, Arc::unwrap_or_clone)),
    }
}

/// Waits for a called workflow that paused.
async fn wait(host: &TenantHost, answer: oneshot::Receiver<Answer>) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let answer = tokio::select! {
        answer = answer => answer.map_err(|_| canceled())?,
        () = host.cancel.cancelled() => return Err(canceled()),
    };
    match answer {
        Answer::Ended(ended) => match *ended {
            Ended { status: Status::Success, last, .. } => {
                Ok(last.map(|(_, items)| vec![items.to_vec()]).unwrap_or_default())
            }
            Ended { error, .. } => Err(error.map_or_else(canceled, Arc::unwrap_or_clone)),
        },
        Answer::Responded(_) => Ok(Vec::new()),
    }
}

/// The program of the called workflow, if it may be called and can run.
async fn find(host: &TenantHost, source: CallSource) -> Result<Arc<Program>, ExecutionError> {
    let caller = &host.attempt.program;
    let program = match source {
        CallSource::Document(document) => Arc::new(inline(caller, &document)?),
        CallSource::Id(id) => {
            let found = host.executor.0.programs.production(caller.tenant, &id).await;
            let program = found.map_err(|error| unavailable(&id, &error))?;
            check_policy(caller, &program)?;
            program
        }
    };
    if program.problems.is_empty() { Ok(program) } else { Err(invalid(&program.problems)) }
}

fn inline(caller: &Program, document: &Value) -> Result<Program, ExecutionError> {
    let parsed = Workflow::parse(document).map_err(|problems| invalid(&problems))?;
    Ok(Program::inline(caller, parsed, document))
}

/// `settings.callerPolicy`: who may call a workflow, within its tenant.
fn check_policy(caller: &Program, called: &Program) -> Result<(), ExecutionError> {
    let settings = &called.workflow().settings;
    let allowed = match settings.caller_policy.as_deref() {
        Some("none") => false,
        Some("workflowsFromAList") => {
            let list = settings.document.get("callerIds").and_then(Value::as_str).unwrap_or_default();
            let own = caller.workflow.to_string();
            list.split(',').map(str::trim).any(|id| id == own || caller.alias.as_deref() == Some(id))
        }
        _ => true,
    };
    if allowed {
        return Ok(());
    }
    let message = format!("The workflow \"{}\" does not allow to be called by this workflow", called.workflow().name);
    Err(failed(message).describe("Its settings say who may call it (callerPolicy)"))
}

fn unavailable(id: &Str, error: &Error) -> ExecutionError {
    match error {
        Error::Workflow(crate::domains::workflows::Error::NotFound) => {
            failed(format!("Workflow does not exist: \"{id}\""))
        }
        other => failed(other.to_string()),
    }
}

fn invalid(problems: &[Problem]) -> ExecutionError {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    failed(format!("The called workflow is not valid: {first}"))
}

fn canceled() -> ExecutionError {
    failed("The called workflow was canceled")
}

fn failed(message: impl Into<Str>) -> ExecutionError {
    ExecutionError::new("WorkflowOperationError", message)
}
