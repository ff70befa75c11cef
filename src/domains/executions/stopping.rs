//! Stops executions, wherever they are.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository::{self as rows, Row};
use super::{answers, callers};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::cache::Key;

/// How long a stop waits for the run to end.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Stops an execution. What has not begun or waits is over at once; a run is asked to stop, here or in the process that
/// has it, and gets a moment to end. It may change hands or begin to wait meanwhile, so it is asked until it is over.
pub(super) async fn stop(executor: &Executor, row: &Row) -> Result<(), Error> {
    let connection = executor.0.database.read(row.tenant_id);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut row = row.clone();
    if row.status.is_terminal() {
        return Err(Error::WrongState(row.status, "stopped"));
    }
    loop {
        if row.status != Status::Running && end(executor, &row).await? {
            return Ok(());
        }
        let is_here = executor.cancel(row.id);
        if !is_here {
            ask_others(executor, row.id).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        row = match rows::find(&connection, row.tenant_id, row.id).await? {
            Some(now) if !now.status.is_terminal() => now,
            _ => return Ok(()),
        };
        if tokio::time::Instant::now() >= deadline {
            // A run of this process ends as soon as its script or its call lets it.
            return if is_here { Ok(()) } else { Err(Error::NotStopped) };
        }
    }
}

/// Ends an execution that does not run. `false`: it does by now.
async fn end(executor: &Executor, row: &Row) -> Result<bool, Error> {
    let (parts, now) = (&executor.0, executor.0.clock.now());
    let transaction = parts.database.begin(row.tenant_id).await?;
    if !rows::transition(&transaction, row.tenant_id, row.id, row.status, Status::Canceled, now).await? {
        return Ok(false);
    }
    let canceled = Row { status: Status::Canceled, stopped_at: Some(now), wait_until: None, ..row.clone() };
    let emitted = executor.tell(&transaction, &canceled).await?;
    transaction.commit().await?;
    parts.events.announce(emitted).await;
    answers::ended(executor, canceled).await;
    if let Some(called) = row.waits_for {
        stop_called(executor, row.tenant_id, called).await;
    }
    Ok(true)
}

/// An execution is not there any more: who called it goes on, and what it had called is stopped.
pub(super) async fn deleted(executor: &Executor, row: &Row) {
    callers::called_ended(executor, row).await;
    if let Some(called) = row.waits_for {
        stop_called(executor, row.tenant_id, called).await;
    }
}

/// Stops what an execution had called that does not wait for it any more.
pub(super) async fn stop_called(executor: &Executor, tenant: TenantId, called: ExecutionId) {
    let stopped = async {
        match rows::find(&executor.0.database.read(tenant), tenant, called).await? {
            Some(row) if !row.status.is_terminal() => Box::pin(stop(executor, &row)).await,
            _ => Ok(()),
        }
    };
    if let Err(error) = stopped.await {
        tracing::warn!(execution = %called, %error, "what a stopped execution had called goes on");
    }
}

async fn ask_others(executor: &Executor, id: ExecutionId) {
    if let Err(error) = executor.0.cache.publish(&channel(), Bytes::from(id.to_string())).await {
        tracing::warn!(execution = %id, %error, "the other processes could not be told to stop an execution");
    }
}

/// Stops runs of this process that others ask to stop, until the shutdown.
pub(super) async fn listen(executor: Executor, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match executor.0.cache.subscribe(&channel()).await {
            Ok(mut messages) => loop {
                let message = tokio::select! {
                    () = shutdown.cancelled() => return,
                    message = messages.next() => message,
                };
                let Some(message) = message else { break };
                if let Some(id) = std::str::from_utf8(&message).ok().and_then(|text| text.parse::<ExecutionId>().ok()) {
                    // Most processes do not run it.
                    executor.cancel(id);
                }
            },
            Err(error) => tracing::warn!(%error, "requests to stop executions cannot be heard; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn channel() -> Key {
    Key::global("executions", "stop")
}
