//! Executions that wait: for a time, or for a call of their resume URL. Waiting holds no worker; the state is in the
//! database, so timers survive restarts.

use std::sync::Arc;
use std::time::Duration;

use millrace_engine::{Pause, Resume, Run, Step};
use millrace_model::Items;
use tokio::sync::oneshot;

use super::answer::{Answer, Interest};
use super::attempt::{Attempt, Begin};
use super::error::Error;
use super::executor::Executor;
use super::live::Caller;
use super::model::Status;
use super::programs::Program;
use super::repository::{self as rows, Row};
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::AcrossTenants;

/// Pauses that end within this time get a timer of their own here; longer ones are found by the sweep.
const OWN_TIMER: Duration = Duration::from_secs(60);
/// Executions resumed in one sweep.
const SWEEP: u64 = 500;

/// A waiting execution, and how it can go on.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub tenant: TenantId,
    pub id: ExecutionId,
    pub program: Arc<Program>,
    /// The node it waits at.
    pub node: millrace_model::NodeIndex,
    pub pause: Pause,
}

/// A run has paused, and that is stored.
pub(super) fn paused(executor: &Executor, attempt: &Attempt, run: &Run) {
    if let Some(caller) = attempt.take_caller() {
        executor.0.live.wait_for(attempt.row.id, caller);
    }
    let mut run = run.clone();
    let Step::Wait(Pause { until: Some(until), .. }) = run.next() else { return };
    let left = Timestamp::from_millis(until).since(executor.0.clock.now());
    if left > OWN_TIMER {
        return;
    }
    let (executor, tenant, id) = (executor.clone(), attempt.row.tenant_id, attempt.row.id);
    executor.0.runtime.clone().spawn(async move {
        tokio::time::sleep(left).await;
        if let Err(error) = resume_due(&executor, tenant, id).await {
            tracing::error!(execution = %id, %error, "a waiting execution could not be resumed");
        }
    });
}

/// Resumes what is due. Every worker does this now and then; only one gets each execution.
pub(super) async fn sweep(executor: &Executor) -> Result<(), Error> {
    let due = rows::due(&executor.0.database.read(AcrossTenants), executor.0.clock.now(), SWEEP).await?;
    for row in due {
        if let Err(error) = resume_due(executor, row.tenant_id, row.id).await {
            tracing::error!(execution = %row.id, %error, "a waiting execution could not be resumed");
        }
    }
    Ok(())
}

async fn resume_due(executor: &Executor, tenant: TenantId, id: ExecutionId) -> Result<(), Error> {
    let slot = Arc::clone(&executor.0.slots).acquire_owned().await.map_err(|_| Error::Overloaded)?;
    if let Some(attempt) = claim(executor, tenant, id, None).await? {
        executor.spawn(attempt, Some(slot));
    }
    Ok(())
}

/// The execution, if it waits.
pub(super) async fn find(executor: &Executor, row: &Row) -> Result<Waiting, Error> {
    let (program, begin, events) = restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), Arc::clone(&program), begin, 0);
    let mut run = attempt.rebuilt(&events);
    match (run.next(), run.last_node()) {
        (Step::Wait(pause), Some(node)) => Ok(Waiting { tenant: row.tenant_id, id: row.id, program, node, pause }),
        _ => Err(Error::NoData),
    }
}

/// Goes on with a waiting execution because somebody called it. `None`: somebody else was faster.
pub(super) async fn resume(
    executor: &Executor,
    waiting: &Waiting,
    items: Items,
) -> Result<Option<oneshot::Receiver<Answer>>, Error> {
    let (caller, answer) = oneshot::channel();
    let Some(attempt) = claim(executor, waiting.tenant, waiting.id, Some(items)).await? else { return Ok(None) };
    // The call that resumes it is the one that is answered now.
    drop(executor.0.live.take_caller(waiting.id));
    let caller = Caller { answer: caller, interest: Interest::FirstAnswer };
    executor.spawn(attempt.with_caller(Some(caller)), None);
    Ok(Some(answer))
}

/// Takes a waiting execution for this worker and makes it ready to go on.
async fn claim(
    executor: &Executor,
    tenant: TenantId,
    id: ExecutionId,
    items: Option<Items>,
) -> Result<Option<Attempt>, Error> {
    let parts = &executor.0;
    let now = parts.clock.now();
    let connection = parts.database.write(tenant);
    let Some(row) = rows::claim(&connection, tenant, id, Status::Waiting, parts.worker, now).await? else {
        return Ok(None);
    };
    let (program, mut begin, events) = restore(executor, &row).await?;
    let resume = Resume { outputs: items.map(|items| vec![Some(items)]), at_ms: now.as_millis() };
    begin.resumed = Some((events, resume));
    let caller = parts.live.take_caller(id);
    Ok(Some(Attempt::new(row, program, begin, 0).stored().with_caller(caller)))
}

/// Program, beginning and events of a stored execution.
pub(super) async fn restore(
    executor: &Executor,
    row: &Row,
) -> Result<(Arc<Program>, Begin, Vec<millrace_engine::Event>), Error> {
    let program = executor.0.programs.version(row.tenant_id, row.workflow_id, row.version_id).await?;
    let payloads = rows::payloads(&executor.0.database.read(row.tenant_id), row.tenant_id, [row.id]).await?;
    let state = payloads.into_iter().next().and_then(|payload| payload.state).ok_or(Error::NoData)?;
    let (begin, events) = Begin::restore(&state, &program)?;
    Ok((program, begin, events))
}
