//! Workflows that call workflows: in this process, without a queue and in the slot of their caller, so that a call costs
//! little and calls within calls cannot wait for each other's slots. Where what was called waits, or somebody else runs it,
//! its caller is put aside until its end. What was called is stopped with its caller.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

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

use super::attempt::{AnsweredCall, Attempt, Fate};
use super::error::Error;
use super::executor::{Executor, Launch};
use super::host::TenantHost;
use super::model::{Mode, Status};
use super::programs::Program;
use super::repository as rows;
use super::run::{self, Concluded};
use super::{pauses, records, stopping, storing};
use crate::common::ExecutionId;

/// Calls within calls.
const MAX_DEPTH: u32 = 50;

/// Calls a workflow. A node that was put aside makes its calls again: those that were answered are answered likewise.
pub(super) async fn call(host: &TenantHost, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let id = id_of_call(&host.attempt);
    if let Some(answer) = host.attempt.answer_of(id) {
        return answer;
    }
    let answer = make(host, id, call).await;
    host.attempt.answered(AnsweredCall { id, answer: answer.clone() });
    answer
}

async fn make(host: &TenantHost, id: ExecutionId, call: Call) -> Result<Vec<Vec<Item>>, ExecutionError> {
    // Where this node ran before, its process died under it, or it was put aside: what it called then it does not call again.
    if host.attempt.row.attempt > 1 {
        match find_called(host, id).await? {
            Some(row) if call.wait == CallWait::ForResult => return outcome_of_called(host, row).await,
            Some(_) => return Ok(Vec::new()),
            None if host.attempt.row.waits_for == Some(id) => return Err(failed("The called workflow left no record")),
            None => {}
        }
    }
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

/// The outcome of an execution that this call made before; where that is not over, the caller is put aside until it is.
async fn outcome_of_called(host: &TenantHost, row: rows::Row) -> Result<Vec<Vec<Item>>, ExecutionError> {
    let unreadable = |error: Error| failed(format!("The outcome of the called workflow cannot be read: {error}"));
    match row.status {
        Status::New | Status::Running | Status::Waiting => put_aside(host, row.id).await,
        Status::Success => storing::last_outputs(&host.executor, &row).await.map_err(unreadable),
        Status::Canceled | Status::Error | Status::Crashed | Status::Unknown => {
            let record = records::find(&host.executor, &row).await.map_err(unreadable)?;
            let told = record.and_then(|record| record.data.result_data.error);
            Err(told.unwrap_or_else(|| match row.error {
                Some(error) => failed(error),
                None if row.status == Status::Canceled => canceled(),
                None => failed("The called workflow failed"),
            }))
        }
    }
}

/// Breaks the caller off at this call, which it makes again when the called execution is over. Does not return.
async fn put_aside(host: &TenantHost, called: ExecutionId) -> Result<Vec<Vec<Item>>, ExecutionError> {
    host.attempt.put_aside(called);
    host.cancel.cancel();
    std::future::pending().await
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
    let attempt = host.executor.attempt_for(owner, pool, id, launch, depth);
    let attempt = Arc::new(attempt);
    let Some(concluded) = Called::begin(host, &attempt).await else {
        return Err(failed("The called workflow could not be run to its end"));
    };
    match concluded.status {
        Status::Success => Ok(last_outputs(&concluded.run)),
        Status::Waiting => {
            let waiting = Waiting { host, row: &concluded.row };
            if let Some(committed) = concluded.committed
                && let Err(error) = committed.wait().await
            {
                return Err(failed(format!("The called workflow cannot be put aside: {error}")));
            }
            drop(concluded.listed);
            pauses::paused(&host.executor, &attempt, waiting.row).await;
            put_aside(host, id).await
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

/// A called execution that waits: it is stopped where its caller is before that is put aside, too.
struct Waiting<'h> {
    host: &'h TenantHost,
    row: &'h rows::Row,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.host.attempt.fate() != Fate::Own {
            return;
        }
        let (executor, row) = (self.host.executor.clone(), self.row.clone());
        self.host
            .executor
            .0
            .runtime
            .spawn(async move { stopping::stop_called(&executor, row.tenant_id, row.id).await });
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
