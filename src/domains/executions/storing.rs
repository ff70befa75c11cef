//! Stores runs that are not over yet: because they take long, or because a caller is to be answered before they end. And
//! reads what came out of those that are over.

use std::time::Duration;

use millrace_model::Item;
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::repository::Row;
use super::{pauses, records, redaction};

/// A run that lasts longer is stored while it runs, so that lists show it and others can stop it.
const LONG: Duration = Duration::from_millis(100);
/// How often long runs are looked for.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// A run gets this long to end before it is stored for the sake of who waits to hear of it.
pub(super) const GRACE: Duration = Duration::from_millis(3);

/// Stores long runs until the shutdown, and then those that are not over yet.
pub(super) async fn watch(executor: Executor, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() || executor.0.live.count() > 0 {
        for attempt in executor.0.live.unstored(LONG) {
            let executor = executor.clone();
            tokio::spawn(async move { store_and_respond(&executor, &attempt).await });
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

/// Sends the answer of a node once the execution is stored. A run that is over by then sends it itself, with its end.
pub(super) async fn release_response(executor: &Executor, attempt: &Attempt) {
    tokio::time::sleep(GRACE).await;
    if !attempt.is_over() {
        store_and_respond(executor, attempt).await;
    }
}

/// What the last node of a stored execution that succeeded put out.
pub(super) async fn last_outputs(executor: &Executor, row: &Row) -> Result<Vec<Vec<Item>>, Error> {
    let program = executor.0.programs.version(row.tenant_id, row.workflow_id, row.version_id).await?;
    if !redaction::fields(program.workflow()).is_empty() {
        // The record hides what the caller is to get.
        let (program, begin) = pauses::restore(executor, row).await?;
        let attempt = Attempt::new(row.clone(), program, begin, 0);
        return Ok(millrace_runner::last_outputs(&attempt.rebuilt(attempt.options())));
    }
    let mut result = records::find(executor, row).await?.ok_or(Error::NoData)?.data.result_data;
    let runs = result.last_node_executed.as_ref().and_then(|last| result.run_data.remove(last)).unwrap_or_default();
    let outputs = runs.into_iter().last().and_then(|run| run.data).unwrap_or_default().main;
    Ok(outputs.into_iter().map(Option::unwrap_or_default).collect())
}

async fn store_and_respond(executor: &Executor, attempt: &Attempt) {
    match attempt.store(&executor.0.writer).await {
        Ok(()) if attempt.is_over() => {}
        Ok(()) => attempt.send_response(executor).await,
        Err(error) => {
            tracing::warn!(execution = %attempt.row.id, %error, "a running execution could not be stored yet");
        }
    }
}
