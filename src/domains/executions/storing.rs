//! Stores runs that are not over yet: because they take long, or because a caller is to be answered before they end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::executor::Executor;

/// A run that lasts longer is stored while it runs, so that lists show it and others can stop it.
const LONG: Duration = Duration::from_millis(100);
/// How often long runs are looked for.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// After a node has answered, the run gets this long to end before it is stored for the answer's sake.
const GRACE: Duration = Duration::from_millis(3);

/// Stores long runs until the shutdown.
pub(super) async fn watch(executor: Executor, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        for attempt in executor.0.live.unstored(LONG) {
            let executor = executor.clone();
            tokio::spawn(async move { store(&executor, &attempt).await });
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

/// Sends the answer of a node once the execution is stored. A run that is over by then sends it itself, with its end.
pub(super) async fn release_response(executor: &Executor, attempt: &Attempt) {
    tokio::time::sleep(GRACE).await;
    if !attempt.is_over() && store(executor, attempt).await && !attempt.is_over() {
        attempt.send_response();
    }
}

async fn store(executor: &Executor, attempt: &Attempt) -> bool {
    match attempt.store(&executor.0.writer).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(execution = %attempt.row.id, %error, "a running execution could not be stored yet");
            false
        }
    }
}
