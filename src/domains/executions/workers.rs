//! The worker: takes queued executions, renews its lease, resumes what is due, and clears up after processes that died.

use std::sync::Arc;
use std::time::Duration;

use millrace_engine::Resume;
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::pauses;
use super::repository::{self as rows, Row};
use crate::infrastructure::database::AcrossTenants;
use crate::infrastructure::queue::{Consumer, Delivery};

/// How often waiting and forgotten executions are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// A queued execution that nobody took for so long has lost its message.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15);
/// Rows handled in one sweep.
const SWEEP: u64 = 500;
/// Pause after the queue or the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What an execution is told that was running when its process died.
const DIED: &str = "The process that ran this execution ended unexpectedly";

/// Takes and watches over executions until the shutdown.
pub(super) async fn work(executor: Executor, shutdown: CancellationToken) {
    // What this worker takes is known to be somebody's only once it has a lease.
    while let Err(error) = renew(&executor).await {
        tracing::error!(%error, "the worker has no lease yet; trying again");
        tokio::time::sleep(PAUSE).await;
    }
    tokio::join!(
        consume(executor.clone(), shutdown.clone()),
        keep_lease(executor.clone(), shutdown.clone()),
        sweep(executor, shutdown),
    );
}

/// Takes executions from the queue until the shutdown.
async fn consume(executor: Executor, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let consumer = executor.0.queue.consume().await;
        let ended = match consumer {
            Ok(consumer) => take_all(&executor, consumer, &shutdown).await,
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
    shutdown: &CancellationToken,
) -> Result<(), Error> {
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
        };
        let Ok(slot) = slot else { return Ok(()) };
        match take(executor, &*delivery).await {
            Ok(Some(attempt)) => {
                delivery.acknowledge().await?;
                executor.spawn(attempt, Some(slot));
            }
            Ok(None) => delivery.acknowledge().await?,
            Err(error) => {
                tracing::error!(execution = %delivery.dispatch().execution, %error, "an execution could not be taken");
                delivery.give_back().await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Makes a queued execution this worker's. `None`: it is somebody's already, over, or beyond running.
async fn take(executor: &Executor, delivery: &dyn Delivery) -> Result<Option<Attempt>, Error> {
    let parts = &executor.0;
    let dispatch = delivery.dispatch();
    let (tenant, id) = (dispatch.tenant, dispatch.execution);
    let connection = parts.database.write(tenant);
    let claimed = rows::claim(&connection, tenant, id, Status::New, parts.worker, parts.clock.now()).await?;
    let Some(row) = claimed else { return Ok(None) };
    match pauses::restore(executor, &row).await {
        Ok((program, mut begin, events)) => {
            if !events.is_empty() {
                let resume = Resume { outputs: None, at_ms: begin.at_ms };
                begin.resumed = Some((events, resume));
            }
            let caller = parts.live.take_caller(id);
            Ok(Some(Attempt::new(row, program, begin, 0).stored().with_caller(caller)))
        }
        Err(Error::Database(error)) => Err(error.into()),
        Err(error) => {
            // Taking it again would fail again.
            tracing::error!(execution = %id, %error, "a queued execution cannot be run");
            fail(executor, row, &error).await?;
            Ok(None)
        }
    }
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
    rows::upsert(&executor.0.database.write(row.tenant_id), vec![row]).await?;
    Ok(())
}

/// Renews the lease until the shutdown is over.
async fn keep_lease(executor: Executor, shutdown: CancellationToken) {
    loop {
        if let Err(error) = renew(&executor).await {
            tracing::error!(%error, "the worker's lease could not be renewed");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(lease(&executor) / 3) => {}
        }
    }
}

async fn renew(executor: &Executor) -> Result<(), Error> {
    let now = executor.0.clock.now();
    let until = now.plus(lease(executor));
    Ok(rows::renew_lease(&executor.0.database.write(AcrossTenants), executor.0.worker, now, until).await?)
}

fn lease(executor: &Executor) -> Duration {
    Duration::from_secs(executor.0.config.lease_seconds.max(3))
}

/// Looks for what is due, forgotten or orphaned, until the shutdown.
async fn sweep(executor: Executor, shutdown: CancellationToken) {
    loop {
        if let Err(error) = sweep_once(&executor).await {
            tracing::error!(%error, "waiting and unfinished executions could not be looked for");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// One sweep: resumes what is due, queues again what was forgotten, and clears up after processes that died.
async fn sweep_once(executor: &Executor) -> Result<(), Error> {
    pauses::sweep(executor).await?;
    let parts = &executor.0;
    let now = parts.clock.now();
    let connection = parts.database.read(AcrossTenants);
    for row in rows::unclaimed(&connection, now.minus(FORGOTTEN_AFTER), SWEEP).await? {
        executor.enqueue(&row).await;
    }
    for row in rows::orphaned(&connection, now, SWEEP).await? {
        clear_up(executor, &row).await?;
    }
    Ok(())
}

/// An execution whose process died: one that had not begun is queued again, one that was running has crashed.
async fn clear_up(executor: &Executor, row: &Row) -> Result<(), Error> {
    let parts = &executor.0;
    let connection = parts.database.write(row.tenant_id);
    if row.status == Status::New {
        if rows::release(&connection, row).await? {
            executor.enqueue(row).await;
        }
    } else if rows::mark_crashed(&connection, row, DIED, parts.clock.now()).await? {
        tracing::warn!(execution = %row.id, "an execution crashed with the process that ran it");
    }
    Ok(())
}
