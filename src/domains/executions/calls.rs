//! Workflows that call workflows: in this process, without a queue and in the slot of their caller, so that a call costs
//! little and calls within calls cannot wait for each other's slots. Who waits for what it called and somebody else runs
//! has no slot meanwhile. What was called is stopped with its caller.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_engine::choose_start_of_call;
use millrace_model::{ExecutionError, Item, Problem, Str, Value, Workflow};
use millrace_nodes::{Call, CallSource, CallWait};
use millrace_runner::last_outputs;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attempt::{Attempt, Fate};
use super::error::Error;
use super::executor::{Executor, Launch};
use super::host::TenantHost;
use super::model::{Mode, Status};
use super::programs::Program;
use super::repository as rows;
use super::run::{self, Concluded};
use super::{pauses, stopping, storing};
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
        let error = ExecutionError::new("SubworkflowOperationError", "Missing node to start execution");
        let needed = "Please make sure the workflow you're calling contains an Execute Workflow Trigger node";
        return Err(error.describe(needed));
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
    derived(caller.row.id.as_uuid(), &format!("{:?}", caller.place_of_call()))
}

/// An id that is the same for the same origin and name, and as old as the origin.
pub(super) fn derived(origin: Uuid, name: &str) -> ExecutionId {
    let mut hash = Sha256::new();
    hash.update(origin.as_bytes());
    hash.update(name);
    let digest = hash.finalize();
    let mut random = [0; 10];
    for (byte, digested) in random.iter_mut().zip(digest) {
        *byte = digested;
    }
    let millis = origin.get_timestamp().map_or(0, |time| {
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
    let (id, slot) = (row.id, &host.attempt.slot);
    let mut awaited = Awaited { host, row: Some(row) };
    let left = slot.leave();
    while awaited.row.as_ref().is_some_and(|row| !row.status.is_terminal()) {
        tokio::time::sleep(LOOK_EVERY).await;
        awaited.row = find_called(host, id).await?;
    }
    if left {
        slot.come_back(&host.executor.0.slots).await;
    }
    let Some(row) = awaited.row.take() else { return Err(failed("The called workflow left no record")) };
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
    let (caller, pool) = (&host.attempt, host.attempt.row.pool.clone());
    // Its caller goes on with them, whether or not the called execution is kept.
    let owner = caller.binaries.owner(caller.row.id);
    let attempt = host.executor.attempt_for(owner, pool, id, launch, depth).with_slot(caller.slot.clone());
    let attempt = Arc::new(attempt);
    let Some(concluded) = Called::begin(host, &attempt).await else {
        return Err(failed("The called workflow could not be run to its end"));
    };
    match concluded.status {
        Status::Success => Ok(last_outputs(&concluded.run)),
        Status::Waiting => {
            if let Some(committed) = concluded.committed
                && let Err(error) = committed.wait().await
            {
                return Err(failed(format!("The called workflow cannot be put aside: {error}")));
            }
            drop(concluded.listed);
            pauses::paused(&host.executor, &attempt, concluded.row.wait_until).await;
            outcome_of_called(host, concluded.row).await
        }
        _ => Err(concluded.outcome.error.map_or_else(canceled, Arc::unwrap_or_clone)),
    }
}

/// A called execution that runs here. Where its caller is stopped in the midst of it, it is stopped, too, and comes to its
/// end by itself.
struct Called {
    run: Option<BoxFuture<'static, Option<Concluded>>>,
    cancel: CancellationToken,
    runtime: Handle,
}

impl Called {
    fn begin(host: &TenantHost, attempt: &Arc<Attempt>) -> Called {
        let (executor, attempt, cancel) = (host.executor.clone(), Arc::clone(attempt), host.cancel.child_token());
        let (runtime, around) = (executor.0.runtime.clone(), cancel.clone());
        let run = async move { run::execute(&executor, &attempt, &around).await };
        Called { run: Some(run.boxed()), cancel, runtime }
    }
}

impl Future for Called {
    type Output = Option<Concluded>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Concluded>> {
        let Some(run) = self.run.as_mut() else { return Poll::Ready(None) };
        let concluded = ready!(run.as_mut().poll(context));
        self.run = None;
        Poll::Ready(concluded)
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            self.cancel.cancel();
            self.runtime.spawn(run);
        }
    }
}

/// A called execution that somebody else runs: it is stopped where nobody waits for it any more, unless its caller goes on
/// elsewhere.
struct Awaited<'h> {
    host: &'h TenantHost,
    row: Option<rows::Row>,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let Some(row) = self.row.take().filter(|row| !row.status.is_terminal()) else { return };
        if self.host.attempt.fate() != Fate::Own {
            return;
        }
        let executor = self.host.executor.clone();
        self.host.executor.0.runtime.spawn(async move {
            if let Err(error) = stopping::stop(&executor, &row).await {
                tracing::warn!(execution = %row.id, %error, "what a stopped execution had called goes on");
            }
        });
    }
}

/// How many executions that are not over wait for the end of this one, each for that of the next.
pub(super) async fn depth_of(executor: &Executor, row: &rows::Row) -> Result<u32, Error> {
    let connection = executor.0.database.read(row.tenant_id);
    let (mut depth, mut parent) = (0, row.parent_id);
    while let Some(id) = parent.filter(|_| depth <= MAX_DEPTH) {
        let around = rows::find(&connection, row.tenant_id, id).await?.filter(|row| !row.status.is_terminal());
        depth += u32::from(around.is_some());
        parent = around.and_then(|row| row.parent_id);
    }
    Ok(depth)
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
