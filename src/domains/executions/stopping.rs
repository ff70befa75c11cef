//! Stops executions, wherever they are.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository::{self as rows, Row};
use crate::common::ExecutionId;
use crate::infrastructure::cache::Key;

/// How long a stop waits for the run to end.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Stops an execution. What has not begun or waits is over at once; a run is asked to stop, here or in the process that
/// has it, and gets a moment to end.
pub(super) async fn stop(executor: &Executor, row: &Row) -> Result<(), Error> {
    let parts = &executor.0;
    for from in [Status::New, Status::Waiting] {
        let now = parts.clock.now();
        let transaction = parts.database.begin(row.tenant_id).await?;
        if rows::transition(&transaction, row.tenant_id, row.id, from, Status::Canceled, now).await? {
            let canceled = Row { status: Status::Canceled, stopped_at: Some(now), wait_until: None, ..row.clone() };
            let emitted = executor.tell(&transaction, &canceled).await?;
            transaction.commit().await?;
            parts.events.announce(emitted).await;
            return Ok(());
        }
    }
    if row.status.is_terminal() {
        return Err(Error::WrongState(row.status, "stopped"));
    }
    if !executor.cancel(row.id) {
        let message = Bytes::from(row.id.to_string());
        if let Err(error) = parts.cache.publish(&channel(), message).await {
            tracing::warn!(execution = %row.id, %error, "the other processes could not be told to stop an execution");
        }
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let now = rows::find(&parts.database.read(row.tenant_id), row.tenant_id, row.id).await?;
        if now.is_none_or(|row| row.status != Status::Running) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
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
