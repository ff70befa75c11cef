//! The worker: takes queued executions, renews its lease, resumes what is due, and clears up after processes that died.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::limits::{self, Claimed};
use super::model::{Mode, Status};
use super::payload::Corrupt;
use super::pools::Deserted;
use super::repository::{self as rows, Row};
use super::{answers, callers, pauses, recovery, run};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::queue::{Consumer, Dispatch};

/// How often waiting and forgotten executions are looked for, at least.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// A queued execution that nobody took for so long has lost its message.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15);
/// Rows handled in one sweep.
const SWEEP: u64 = 500;
/// Sweeps between two that clear away what nobody will fetch.
const CLEAN_EVERY: u32 = 150;
/// Sweeps between two that look for pools without workers, and for callers that nothing wakes.
const LOOK_EVERY: u32 = 15;
/// What a worker without room for it leaves to others.
const HOARDED: Duration = Duration::from_millis(500);
/// Pause after the queue or the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes and watches over executions until the shutdown.
pub(super) async fn work(executor: Executor, shutdown: CancellationToken) {
    let (suspects, lane) = mpsc::unbounded_channel();
    tokio::join!(
        consume(executor.clone(), suspects, shutdown.clone()),
        run_suspects(executor.clone(), lane, shutdown.clone()),
        keep_lease(executor.clone(), shutdown.clone()),
        sweep(executor, shutdown),
    );
}

/// Takes executions from the queue until the shutdown.
async fn consume(executor: Executor, suspects: mpsc::UnboundedSender<Dispatch>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let consumer = executor.0.queue.consume(&executor.0.config.pool).await;
        let ended = match consumer {
            Ok(consumer) => take_all(&executor, consumer, &suspects, &shutdown).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = ended {
            tracing::error!(%error, "the queue cannot be read; trying again");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn take_all(
    executor: &Executor,
    mut consumer: Box<dyn Consumer>,
    suspects: &mpsc::UnboundedSender<Dispatch>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    // One death may have been the doing of others; before the last it runs alone.
    let unsuspicious = executor.0.config.max_crashes.saturating_sub(2).clamp(0, 1);
    loop {
        let delivery = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            delivery = consumer.next() => delivery?,
        };
        let Some(delivery) = delivery else { return Ok(()) };
        let slot = tokio::select! {
            // The message goes back to the queue.
            () = shutdown.cancelled() => return Ok(()),
            slot = Arc::clone(&executor.0.slots).acquire_owned() => slot,
            () = tokio::time::sleep(HOARDED), if executor.0.queue.is_durable() => {
                // Other workers may have room.
                consumer.rest().await;
                delivery.give_back().await?;
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    slot = executor.0.slots.acquire() => drop(slot),
                }
                continue;
            }
        };
        let Ok(slot) = slot else { return Ok(()) };
        let dispatch = delivery.dispatch();
        match take(executor, dispatch, unsuspicious).await {
            Ok(Taken::Attempt(attempt)) => {
                delivery.acknowledge().await?;
                executor.spawn(*attempt, Some(slot));
            }
            Ok(Taken::Nothing) => delivery.acknowledge().await?,
            Ok(Taken::Suspect) => {
                delivery.acknowledge().await?;
                // The lane ends with the shutdown; the row stays queued.
                let _ = suspects.send(dispatch);
            }
            Err(error) if error.is_of_row() => {
                tracing::error!(execution = %dispatch.execution, %error, "a queued execution cannot be read; it stays");
                delivery.acknowledge().await?;
            }
            Err(error) => {
                tracing::error!(execution = %dispatch.execution, %error, "an execution could not be taken");
                delivery.give_back().await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Runs executions whose process died before, one after the other.
async fn run_suspects(executor: Executor, mut lane: mpsc::UnboundedReceiver<Dispatch>, shutdown: CancellationToken) {
    while let Some(Some(dispatch)) = shutdown.run_until_cancelled(lane.recv()).await {
        let Ok(_turn) = executor.0.suspects.acquire().await else { return };
        match take(&executor, dispatch, i32::MAX).await {
            Ok(Taken::Attempt(attempt)) => {
                let attempt = Arc::new(*attempt);
                run::drive(&executor, Arc::clone(&attempt)).instrument(attempt.span()).await;
                limits::release(&executor, &attempt.row, &attempt.program).await;
            }
            Ok(Taken::Nothing | Taken::Suspect) => {}
            Err(error) => {
                tracing::error!(execution = %dispatch.execution, %error, "an execution could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What became of a dispatch.
enum Taken {
    Attempt(Box<Attempt>),
    /// It is somebody's already, over, or beyond running.
    Nothing,
    /// Its process died before.
    Suspect,
}

/// Makes a queued execution this worker's, unless its process died more often than that.
async fn take(executor: &Executor, dispatch: Dispatch, max_crashes: i32) -> Result<Taken, Error> {
    let parts = &executor.0;
    let (tenant, id) = (dispatch.tenant, dispatch.execution);
    let connection = parts.database.write(tenant);
    let found = rows::find(&connection, tenant, id).await?;
    let found = found.filter(|row| row.status == Status::New && executor.works_for(&row.pool));
    let Some(found) = found else { return Ok(Taken::Nothing) };
    // It stays queued until the tenant may work again.
    if !executor.is_at_work(tenant).await {
        return Ok(Taken::Nothing);
    }
    if found.crashes > max_crashes {
        return Ok(Taken::Suspect);
    }
    // A program that is not there or cannot run is found out below, once the execution is this worker's.
    let program = parts.programs.version(tenant, found.workflow_id, found.version_id).await;
    let plan = limits::of_plan(executor, tenant).await;
    let limit = program.ok().and_then(|program| limits::of(executor, &program, found.mode, plan));
    let claimed = match limit {
        Some(limit) => limits::claim(executor, &found, limit).await?,
        None => {
            let transaction = parts.database.begin(tenant).await?;
            claim(executor, transaction, &found, max_crashes).await?
        }
    };
    let row = match claimed {
        Claimed::Row(row) => *row,
        // It stays queued; the end of another wakes it.
        Claimed::Full | Claimed::Nothing => return Ok(Taken::Nothing),
    };
    let continued = async {
        if row.mode == Mode::Unknown {
            return Err(Error::Corrupt(Corrupt::Mode));
        }
        let (program, begin) = pauses::restore(executor, &row).await?;
        pauses::continued(executor, row.clone(), program, begin).await
    };
    match continued.await {
        Ok(attempt) => Ok(Taken::Attempt(Box::new(attempt))),
        Err(error) if error.is_of_database() => {
            tracing::error!(execution = %id, %error, "a queued execution could not be read; it is handed on");
            tokio::time::sleep(PAUSE).await;
            recovery::hand_on(executor, &row).await?;
            Ok(Taken::Nothing)
        }
        Err(error) => {
            // Taking it again would fail again.
            tracing::error!(execution = %id, %error, "a queued execution cannot be run");
            fail(executor, row, &error).await?;
            Ok(Taken::Nothing)
        }
    }
}

/// Makes a queued execution this worker's, and commits.
pub(super) async fn claim(
    executor: &Executor,
    transaction: Transaction,
    queued: &Row,
    max_crashes: i32,
) -> Result<Claimed, Error> {
    let (parts, now) = (&executor.0, executor.0.clock.now());
    let claimed =
        rows::claim(&transaction, queued.tenant_id, queued.id, Status::New, parts.worker, now, max_crashes).await?;
    let Some(row) = claimed else { return Ok(Claimed::Nothing) };
    let emitted = executor.tell(&transaction, &row).await?;
    transaction.commit().await?;
    parts.events.announce(emitted).await;
    Ok(Claimed::Row(Box::new(row)))
}

/// Ends an execution that cannot be run.
async fn fail(executor: &Executor, row: Row, error: &Error) -> Result<(), Error> {
    let row = Row {
        status: Status::Error,
        owner: None,
        stopped_at: Some(executor.0.clock.now()),
        error: Some(error.to_string()),
        ..row
    };
    let transaction = executor.0.database.begin(row.tenant_id).await?;
    let emitted = executor.tell(&transaction, &row).await?;
    rows::upsert(&transaction, vec![row.clone()]).await?;
    transaction.commit().await?;
    executor.0.events.announce(emitted).await;
    answers::ended(executor, row).await;
    Ok(())
}

/// Renews the lease until the shutdown is over.
async fn keep_lease(executor: Executor, shutdown: CancellationToken) {
    loop {
        let mut pause = recovery::duration(&executor) / 3;
        if let Err(error) = recovery::renew(&executor).await {
            tracing::error!(%error, "the worker's lease could not be renewed; trying again");
            pause = pause.min(PAUSE);
        }
        // What still runs after the shutdown is still this worker's.
        if shutdown.is_cancelled() && executor.0.live.count() == 0 {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Looks for what is due, forgotten or orphaned, until the shutdown.
async fn sweep(executor: Executor, shutdown: CancellationToken) {
    let parts = &executor.0;
    let (mut lost, mut told) = (recovery::Lost::default(), parts.queue.is_durable());
    if !told && let Err(error) = rows::tell_all_again(&parts.database.write(AcrossTenants)).await {
        tracing::error!(%error, "queued executions could not be marked; they begin a little later");
    }
    let (mut swept, mut sweeps, mut deserted) = (None, 0_u32, Deserted::default());
    loop {
        parts.timers.reset();
        let full = swept.is_none_or(|at: Instant| at.elapsed() >= SWEEP_EVERY);
        if full {
            swept = Some(Instant::now());
        }
        let done = async {
            pauses::sweep(&executor).await?;
            if full {
                recovery::sweep(&executor).await?;
                lost.sweep(&executor).await?;
                executor.call_back().await?;
                tell(&executor, &mut told).await?;
                if sweeps % LOOK_EVERY == 0 {
                    callers::sweep(&executor).await?;
                    deserted.look(&executor).await?;
                }
                if sweeps % CLEAN_EVERY == 0 {
                    answers::clean(&executor).await?;
                }
                sweeps = sweeps.wrapping_add(1);
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = done.await {
            tracing::error!(%error, "waiting and unfinished executions could not be looked for");
        }
        let next = parts.timers.wait(|| parts.clock.now(), SWEEP_EVERY);
        if shutdown.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// Tells the workers of queued executions whose messages are lost. A queue that ends with its process is told of all of
/// them once, after the start.
async fn tell(executor: &Executor, told: &mut bool) -> Result<(), Error> {
    let parts = &executor.0;
    let now = parts.clock.now();
    loop {
        let before = if *told { now.minus(FORGOTTEN_AFTER) } else { now };
        let forgotten = rows::forgotten(&parts.database.read(AcrossTenants), now, before, SWEEP).await?;
        for row in &forgotten {
            if rows::told(&parts.database.write(row.tenant_id), row, now).await? {
                executor.enqueue(row).await;
            }
        }
        if u64::try_from(forgotten.len()).unwrap_or(u64::MAX) < SWEEP {
            *told = true;
            return Ok(());
        }
    }
}
