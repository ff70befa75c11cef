//! Executions that wait: for a time, or for a call of their resume URL. Waiting holds no worker; the state is in the
//! database, so timers survive restarts.

use std::sync::Arc;
use std::time::Duration;

use millrace_engine::{Event, Pause, Resume, Step};
use millrace_model::Items;
use millrace_nodes::WebhookResponse;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::attempt::{Attempt, Begin};
use super::error::Error;
use super::executor::Executor;
use super::live::Caller;
use super::model::{Interest, Status};
use super::programs::Program;
use super::repository::{self as rows, Row};
use super::{answers, callers, calls, journal, run};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::AcrossTenants;

/// How far a sweep looks ahead, to set the time of the next one.
const AHEAD: Duration = Duration::from_secs(2);
/// Who reads an answer in parts stays for waits up to this long, which n8n spends inside the run.
const SHORT: Duration = Duration::from_secs(65);
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
    /// How often that node ran before.
    pub run_index: usize,
    pub pause: Pause,
}

/// A run has paused, and that is stored; `row`: as it waits.
pub(super) async fn paused(executor: &Executor, attempt: &Attempt, row: &Row) {
    let soon = executor.0.clock.now().plus(SHORT);
    if attempt.has_reader() && row.wait_until.is_none_or(|until| until > soon) {
        attempt.answer(executor, Answer::Responded(WebhookResponse::default())).await;
    } else {
        run::keep_caller(executor, attempt).await;
    }
    if let Some(until) = row.wait_until {
        executor.0.timers.set(until);
    }
    callers::put_aside(executor, row).await;
}

/// Queues what is due. Every worker does this now and then; only one gets each execution.
pub(super) async fn sweep(executor: &Executor) -> Result<(), Error> {
    let parts = &executor.0;
    let now = parts.clock.now();
    let due = rows::due(&parts.database.read(AcrossTenants), now.plus(AHEAD), SWEEP).await?;
    for row in due {
        match row.wait_until {
            Some(until) if until > now => {
                parts.timers.set(until);
                break;
            }
            _ => {}
        }
        if rows::resume(&parts.database.write(row.tenant_id), row.tenant_id, row.id, now).await? {
            executor.enqueue(&row).await;
        }
    }
    Ok(())
}

/// The execution, if it waits.
pub(super) async fn find(executor: &Executor, row: &Row) -> Result<Waiting, Error> {
    let (program, begin) = restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), Arc::clone(&program), begin, 0);
    let mut run = attempt.rebuilt(attempt.options());
    match (run.next(), run.last_node()) {
        (Step::Wait(pause), Some(node)) => {
            let run_index = run.data().of(node).len().saturating_sub(1);
            Ok(Waiting { tenant: row.tenant_id, id: row.id, program, node, run_index, pause })
        }
        _ => Err(Error::NoData),
    }
}

/// Goes on with a waiting execution because somebody called it; with these items in place of those it waits with.
/// `None`: somebody else was faster.
pub(super) async fn resume(
    executor: &Executor,
    waiting: &Waiting,
    items: Option<Items>,
) -> Result<Option<oneshot::Receiver<Answer>>, Error> {
    let parts = &executor.0;
    let (tenant, id, now) = (waiting.tenant, waiting.id, parts.clock.now());
    let resumed = Event::Resumed(Resume { outputs: items.map(|items| vec![Some(items)]), at_ms: now.as_millis() });
    let transaction = parts.database.begin(tenant).await?;
    let claimed = rows::claim(&transaction, tenant, id, Status::Waiting, parts.worker, now, i32::MAX).await?;
    let Some(row) = claimed else { return Ok(None) };
    let (state, journal) = rows::stored(&transaction, tenant, id).await?;
    let (program, mut begin) = Begin::restore(&state.ok_or(Error::NoData)?, journal, Arc::clone(&waiting.program))?;
    // What the caller sent is not to be asked for twice.
    let append = rows::Append {
        tenant,
        execution: id,
        attempt: row.attempt,
        seq: i32::try_from(begin.earlier.len()).unwrap_or(i32::MAX),
        entries: journal::encode(std::slice::from_ref(&resumed))?,
    };
    rows::append(&transaction, vec![append]).await?;
    // Without room here it goes through the queue.
    let slot = executor.works_for(&row.pool).then(|| Arc::clone(&parts.slots).try_acquire_owned().ok()).flatten();
    if slot.is_none() {
        rows::transition(&transaction, tenant, id, Status::Running, Status::New, now).await?;
    }
    let emitted = executor.tell(&transaction, &row).await?;
    transaction.commit().await?;
    parts.events.announce(emitted).await;
    // The call that resumes it is the one that is answered now.
    drop(parts.live.take_caller(id));
    let (sender, answer) = oneshot::channel();
    let caller = Caller { answer: sender, interest: Interest::FirstAnswer, parts: None };
    if slot.is_some() {
        begin.earlier.push(resumed);
        let durable = begin.earlier.len();
        let depth = calls::depth_of(executor, &row).await?;
        let attempt = Attempt::new(row, program, begin, depth);
        executor.spawn(attempt.stored(durable).with_caller(Some(caller)), slot);
    } else {
        answers::expect(executor, tenant, id, caller).await?;
        executor.enqueue(&row).await;
    }
    Ok(Some(answer))
}

/// The attempt that goes on with a stored execution: behind its pause where it made one.
pub(super) async fn continued(
    executor: &Executor,
    row: Row,
    program: Arc<Program>,
    mut begin: Begin,
) -> Result<Attempt, Error> {
    let durable = begin.earlier.len();
    if matches!(begin.earlier.last(), Some(Event::Completed(outcome)) if outcome.pause.is_some()) {
        begin.earlier.push(Event::Resumed(Resume { outputs: None, at_ms: executor.0.clock.now().as_millis() }));
    }
    let parts = &executor.0;
    let caller = parts.live.take_caller(row.id);
    let mut elsewhere = None;
    if caller.is_none() && parts.queue.is_durable() {
        elsewhere = rows::expected(&parts.database.read(row.tenant_id), row.tenant_id, row.id).await?;
    }
    let depth = calls::depth_of(executor, &row).await?;
    let attempt = Attempt::new(row, program, begin, depth).stored(durable);
    Ok(attempt.with_caller(caller).with_caller_elsewhere(elsewhere))
}

/// Program and beginning of a stored execution, with all that happened since.
pub(super) async fn restore(executor: &Executor, row: &Row) -> Result<(Arc<Program>, Begin), Error> {
    let program = executor.0.programs.version(row.tenant_id, row.workflow_id, row.version_id).await?;
    let (state, journal) = rows::stored(&executor.0.database.read(row.tenant_id), row.tenant_id, row.id).await?;
    Begin::restore(&state.ok_or(Error::NoData)?, journal, program)
}
