//! What becomes of executions whose process died, stops, or is taken for dead. They go back into the queue with the next
//! attempt and go on from their journal. One that was running each time its process died is given up in the end; from the
//! second time on it runs with no other such beside it, so that it takes nobody else along.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use millrace_model::ExecutionError;

use super::answers;
use super::attempt::{Attempt, not_stored};
use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository::{self as rows, Row};
use super::writer::WriteError;
use crate::common::ExecutionId;
use crate::infrastructure::database::AcrossTenants;
use crate::infrastructure::events::Emitted;

/// Rows handled in one sweep.
const SWEEP: u64 = 500;
/// How long a process that begins takes nobody for dead; less than the time between two sweeps.
const NEWCOMER: Duration = Duration::from_millis(1500);
/// Leases that ended so long ago are of no interest any more.
const LONG_GONE: Duration = Duration::from_secs(86_400);

/// How long this process may believe that what it has is its own.
pub(super) struct Lease {
    began: Instant,
    /// Until when, in milliseconds after `began`.
    valid: AtomicU64,
    /// Since when without a gap, in the same unit.
    since: AtomicU64,
    /// It ran out once, and began again.
    returned: AtomicBool,
    /// No other process uses the database.
    alone: AtomicBool,
}

impl Default for Lease {
    fn default() -> Lease {
        Lease {
            began: Instant::now(),
            valid: AtomicU64::new(0),
            since: AtomicU64::new(0),
            returned: AtomicBool::new(false),
            alone: AtomicBool::new(false),
        }
    }
}

impl Lease {
    fn elapsed(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_valid(&self) -> bool {
        self.elapsed() < self.valid.load(Ordering::Relaxed)
    }

    /// Holds it for another `length` from when that was `asked` for.
    fn prolong(&self, asked: u64, length: Duration) {
        let valid = self.valid.load(Ordering::Relaxed);
        if asked >= valid {
            self.since.store(asked, Ordering::Relaxed);
            self.returned.store(valid > 0, Ordering::Relaxed);
        }
        self.valid.store(asked.saturating_add(millis(length)), Ordering::Relaxed);
    }

    /// Whether others whose lease is over are dead. Where the database was away nobody could renew theirs: who is back first
    /// leaves the others half a lease to be back, too. A process that begins leaves them a moment, so that work goes on where
    /// processes live no longer than that.
    fn may_judge(&self, length: Duration) -> bool {
        let held = self.elapsed().saturating_sub(self.since.load(Ordering::Relaxed));
        let patience = if self.returned.load(Ordering::Relaxed) { length / 2 } else { NEWCOMER.min(length / 2) };
        self.is_valid() && (self.alone.load(Ordering::Relaxed) || held >= millis(patience))
    }
}

/// Begins the lease, and ends those of all others where there cannot be any.
pub(super) async fn enlist(executor: &Executor, alone: bool) -> Result<(), Error> {
    renew(executor).await?;
    executor.0.lease.alone.store(alone, Ordering::Relaxed);
    if alone {
        rows::alone(&executor.0.database.write(AcrossTenants), executor.0.worker).await?;
    }
    Ok(())
}

/// Prolongs the lease. Its time counts from before it was asked for.
pub(super) async fn renew(executor: &Executor) -> Result<(), Error> {
    let parts = &executor.0;
    let asked = parts.lease.elapsed();
    let now = parts.clock.now();
    let worker = rows::Worker {
        id: parts.worker,
        started_at: now,
        lease_until: now.plus(duration(executor)),
        pool: parts.config.pool.clone(),
        slots: i32::try_from(parts.config.concurrency).unwrap_or(i32::MAX),
    };
    rows::renew_lease(&parts.database.write(AcrossTenants), worker).await?;
    parts.lease.prolong(asked, duration(executor));
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn duration(executor: &Executor) -> Duration {
    Duration::from_secs(executor.0.config.lease_seconds.max(3))
}

/// Ends the lease: nothing runs here any more.
pub(super) async fn retire(executor: &Executor) {
    let parts = &executor.0;
    if let Err(error) =
        rows::retire(&parts.database.write(AcrossTenants), parts.worker, parts.clock.now().minus(LONG_GONE)).await
    {
        tracing::warn!(%error, "the worker's lease could not be ended; it runs out by itself");
    }
}

/// Whether an execution is still this process's: asked before an effect where the lease was not renewed in time.
pub(super) async fn check_owner(executor: &Executor, attempt: &Attempt) -> Result<(), ExecutionError> {
    let row =
        rows::find(&executor.0.database.write(attempt.row.tenant_id), attempt.row.tenant_id, attempt.row.id).await;
    let row = row.map_err(|error| not_stored(&error.into()))?;
    if row.is_some_and(|row| row.attempt == attempt.row.attempt && row.status == Status::Running) {
        return Ok(());
    }
    attempt.lose();
    Err(not_stored(&WriteError::Superseded.into()))
}

/// Gives what this process was running to others; no crash.
pub(super) async fn hand_on(executor: &Executor, row: &Row) -> Result<(), Error> {
    if requeue(executor, row, false).await? {
        tracing::info!(execution = %row.id, "an execution was handed on");
    }
    Ok(())
}

async fn requeue(executor: &Executor, row: &Row, crashed: bool) -> Result<bool, Error> {
    let parts = &executor.0;
    let transaction = parts.database.begin(row.tenant_id).await?;
    let is_done = rows::hand_on(&transaction, row, crashed, parts.clock.now()).await?;
    transaction.commit().await?;
    if is_done {
        executor.enqueue(row).await;
    }
    Ok(is_done)
}

/// One sweep: what was running in processes that died is queued again, or given up. What is this process's own is not:
/// its lease may have run out while the database was away, and it goes on nevertheless.
pub(super) async fn sweep(executor: &Executor) -> Result<(), Error> {
    let parts = &executor.0;
    if !parts.lease.may_judge(duration(executor)) {
        return Ok(());
    }
    let connection = parts.database.read(AcrossTenants);
    for row in rows::orphaned(&connection, parts.worker, parts.clock.now(), SWEEP).await? {
        if row.crashes.saturating_add(1) >= parts.config.max_crashes.max(1) {
            give_up(executor, &row).await?;
        } else if requeue(executor, &row, true).await? {
            metrics::counter!("millrace_executions_recovered_total").increment(1);
            tracing::warn!(execution = %row.id, "an execution was taken up whose process died");
        }
    }
    Ok(())
}

async fn give_up(executor: &Executor, row: &Row) -> Result<(), Error> {
    let parts = &executor.0;
    let times = row.crashes.saturating_add(1);
    let error = format!(
        "The process that ran this execution died {times} times while it ran, so it is not run again by itself. \
         Its timeline tells when; a retry goes on behind the last node whose outcome is known."
    );
    let transaction = parts.database.begin(row.tenant_id).await?;
    let now = parts.clock.now();
    let is_done = rows::give_up(&transaction, row, &error, now).await?;
    let given_up = Row { status: Status::Crashed, stopped_at: Some(now), error: Some(error), ..row.clone() };
    let emitted = if is_done { executor.tell(&transaction, &given_up).await? } else { Emitted::default() };
    transaction.commit().await?;
    parts.events.announce(emitted).await;
    if is_done {
        answers::ended(executor, given_up).await;
        metrics::counter!("millrace_executions_given_up_total").increment(1);
        tracing::error!(execution = %row.id, times, "an execution was given up: its process died each time");
    }
    Ok(())
}

/// Executions that the database says this process runs, though it does not: seen once, they may just be beginning or
/// ending; seen in two sweeps, they are queued again.
#[derive(Default)]
pub(super) struct Lost(HashMap<ExecutionId, i32>);

impl Lost {
    pub(super) async fn sweep(&mut self, executor: &Executor) -> Result<(), Error> {
        let parts = &executor.0;
        let mut seen = HashMap::new();
        for row in rows::owned(&parts.database.read(AcrossTenants), parts.worker).await? {
            if parts.live.has(row.id) {
                continue;
            }
            if self.0.get(&row.id) == Some(&row.attempt) {
                tracing::error!(execution = %row.id, "an execution was lost in this process; it is queued again");
                requeue(executor, &row, false).await?;
            } else {
                seen.insert(row.id, row.attempt);
            }
        }
        self.0 = seen;
        Ok(())
    }
}
