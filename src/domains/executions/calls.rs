//! Workflows that call workflows: in this process, without a queue and without a slot of their own, so that a call costs
//! little and calls within calls cannot wait for each other's slots.

use std::sync::Arc;
use std::time::Duration;

use millrace_engine::choose_start_of_call;
use millrace_model::{ExecutionError, Item, Problem, Str, Value, Workflow};
use millrace_nodes::{Call, CallSource, CallWait};
use millrace_runner::last_outputs;
use sha2::{Digest, Sha256};

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Launch;
use super::host::TenantHost;
use super::model::{Mode, Status};
use super::programs::Program;
use super::repository as rows;
use super::{run, storing};
use crate::common::ExecutionId;

/// Calls within calls.
const MAX_DEPTH: u32 = 50;
/// How often a caller looks whether what it called, and somebody else runs, is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
    let id = id_of_call(&host.attempt);
    // Where this node ran before, its process died under it, or it waited: what it called then it does not call again.
    if host.attempt.row.attempt > 1
        && let Some(row) = find_called(host, id).await?
    {
        return match call.wait {
            CallWait::ForResult => outcome_of_called(host, row).await,
            CallWait::No => Ok(Vec::new()),
        };
    }
    match call.wait {
        CallWait::ForResult => run_within(host, id, launch, depth).await,
        CallWait::No => {
            host.before_effect().await?;
            host.executor.submit_as(id, launch).await.map_err(|error| failed(error.to_string()))?;
            Ok(Vec::new())
        }
    }
}

/// The id of the execution that the present call makes: the same when the same call is made again after a crash.
fn id_of_call(caller: &Attempt) -> ExecutionId {
    let (parent, place) = (caller.row.id.as_uuid(), caller.place_of_call());
    let mut hash = Sha256::new();
    hash.update(parent.as_bytes());
    hash.update(format!("{place:?}"));
    let digest = hash.finalize();
    let mut random = [0; 10];
    for (byte, digested) in random.iter_mut().zip(digest) {
        *byte = digested;
    }
    let millis = parent.get_timestamp().map_or(0, |time| {
        let (seconds, nanos) = time.to_unix();
        seconds.saturating_mul(1000).saturating_add(u64::from(nanos / 1_000_000))
    });
    ExecutionId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

async fn find_called(host: &TenantHost, id: ExecutionId) -> Result<Option<rows::Row>, ExecutionError> {
    let parts = &host.executor.0;
    let found = rows::find(&parts.database.read(host.attempt.row.tenant_id), host.attempt.row.tenant_id, id).await;
    found.map_err(|error| failed(format!("The called workflow cannot be looked up: {error}")))
}

/// Waits for the end of a called execution that somebody else runs, and reads its outcome.
async fn outcome_of_called(host: &TenantHost, row: rows::Row) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let (id, mut row) = (row.id, Some(row));
    while row.as_ref().is_some_and(|row| !row.status.is_terminal()) {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = host.cancel.cancelled() => return Err(canceled()),
        }
        row = find_called(host, id).await?;
    }
    let Some(row) = row else { return Err(failed("The called workflow left no record")) };
    match row.status {
        Status::Success => storing::last_outputs(&host.executor, &row)
            .await
            .map_err(|error| failed(format!("The outcome of the called workflow cannot be read: {error}"))),
        Status::Canceled => Err(canceled()),
        _ => Err(failed(row.error.unwrap_or_else(|| "The called workflow failed".to_owned()))),
    }
}

async fn run_within(
    host: &TenantHost,
    id: ExecutionId,
    launch: Launch,
    depth: u32,
) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let pool = host.attempt.row.pool.clone();
    let attempt = Arc::new(host.executor.attempt_in(pool, id, launch, depth));
    attempt.binaries.belong(None, host.attempt.binaries.owner(host.attempt.row.id));
    let concluded = run::execute(&host.executor, &attempt, &host.cancel).await;
    let Some(concluded) = concluded else { return Err(failed("The called workflow could not be run to its end")) };
    match concluded.status {
        Status::Success => Ok(last_outputs(&concluded.run)),
        Status::Waiting => {
            if let Some(committed) = concluded.committed
                && let Err(error) = committed.wait().await
            {
                return Err(failed(format!("The called workflow cannot be put aside: {error}")));
            }
            super::pauses::paused(&host.executor, &attempt, concluded.row.wait_until).await;
            outcome_of_called(host, concluded.row).await
        }
        _ => Err(concluded.outcome.error.map_or_else(canceled, Arc::unwrap_or_clone)),
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
