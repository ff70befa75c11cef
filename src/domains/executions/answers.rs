//! Answers across processes: who accepted a call waits for the outcome, who runs the execution leaves it in the database.
//! The cache only says that something is there; where it is silent the waiting process looks by itself a little later.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use millrace_model::{ExecutionError, Item, NodeIndex, Str};
use millrace_nodes::WebhookResponse;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Ended};
use super::callers;
use super::error::Error;
use super::executor::Executor;
use super::live::Caller;
use super::model::Status;
use super::parts;
use super::repository::{self as rows, Row};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::cache::Key;
use crate::infrastructure::database::AcrossTenants;

/// Longest time between two looks while somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between two looks at least, however many answers come.
const BREATH: Duration = Duration::from_millis(5);
/// The same where a reader had no room for all that was there.
const HELD_UP: Duration = Duration::from_millis(20);
/// What nobody fetched for so long belongs to a process that is gone.
const OLD: Duration = Duration::from_secs(86_400);

/// Remembers who waits for an execution that this process does not run at the moment.
pub(super) async fn expect(
    executor: &Executor,
    tenant: TenantId,
    id: ExecutionId,
    caller: Caller,
) -> Result<(), Error> {
    let (parts, interest) = (&executor.0, caller.interest);
    parts.live.wait_for(id, caller);
    if parts.queue.is_durable() {
        rows::expect(&parts.database.write(tenant), tenant, id, interest, parts.clock.now()).await?;
        parts.live.expect(id);
    }
    Ok(())
}

/// Leaves the answer for the process where somebody waits.
pub(super) async fn leave(executor: &Executor, tenant: TenantId, id: ExecutionId, answer: &Answer) {
    let left = async {
        let text = serde_json::to_string(&Message::from(answer))?;
        Ok::<_, Error>(rows::leave_answer(&executor.0.database.write(tenant), tenant, id, text).await?)
    };
    match left.await {
        Ok(false) => {}
        Ok(true) => call(executor, id).await,
        Err(error) => tracing::error!(execution = %id, %error, "an answer could not be left for its caller"),
    }
}

/// Says that something is there for who waits for an execution.
pub(super) async fn call(executor: &Executor, id: ExecutionId) {
    if let Err(error) = executor.0.cache.publish(&channel(), Bytes::from(id.to_string())).await {
        tracing::debug!(%error, "who waits for an answer finds it a little later");
    }
}

/// Tells who waits for an execution that ended without running: it was stopped, given up, or cannot be run.
pub(super) async fn ended(executor: &Executor, row: Row) {
    callers::called_ended(executor, &row).await;
    let (tenant, id, status) = (row.tenant_id, row.id, row.status);
    let error = row.error.as_deref().map(|message| Arc::new(ExecutionError::new("WorkflowOperationError", message)));
    let answer = Answer::Ended(Box::new(Ended { row, is_kept: true, status, error, last: None, run_index: 0 }));
    match executor.0.live.take_caller(id) {
        // The caller may have gone away.
        Some(caller) => drop(caller.answer.send(answer)),
        None if executor.0.queue.is_durable() => leave(executor, tenant, id, &answer).await,
        None => {}
    }
}

/// Fetches what callers of this process wait for, until the shutdown.
pub(super) async fn listen(executor: Executor, shutdown: CancellationToken) {
    let parts = &executor.0;
    if !parts.queue.is_durable() {
        return;
    }
    let mut calls = None;
    loop {
        if calls.is_none() {
            calls = parts.cache.subscribe(&channel()).await.ok();
        }
        let look_again = match fetch(&executor).await {
            Ok(true) => HELD_UP,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::error!(%error, "answers for waiting callers could not be fetched");
                LOOK_EVERY
            }
        };
        let next = async {
            tokio::time::sleep(BREATH).await;
            if !parts.live.expects() {
                parts.live.expecting().await;
            }
            tokio::select! {
                () = tokio::time::sleep(look_again) => {}
                heard = hear(&mut calls) => if !heard { calls = None },
            }
        };
        if shutdown.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// `false`: the subscription has ended.
async fn hear(calls: &mut Option<BoxStream<'static, Bytes>>) -> bool {
    match calls {
        Some(calls) => calls.next().await.is_some(),
        None => std::future::pending().await,
    }
}

/// `true`: something is left, for which its reader has no room yet.
async fn fetch(executor: &Executor) -> Result<bool, Error> {
    let parts = &executor.0;
    let (waiting, gone) = parts.live.expected();
    let (mut settled, mut held_up) = (gone, Vec::new());
    if !waiting.is_empty() {
        let answers = rows::answered(&parts.database.read(AcrossTenants), &waiting).await?;
        // Read after the answers: all parts are there before the end is.
        held_up = parts::fetch(executor, &waiting).await?;
        for (id, text) in answers.into_iter().filter(|(id, _)| !held_up.contains(id)) {
            settled.push(id);
            let Some(caller) = parts.live.take_caller(id) else { continue };
            match serde_json::from_str::<Message>(&text) {
                // The caller may have gone away.
                Ok(message) => drop(caller.answer.send(message.into())),
                Err(error) => tracing::error!(execution = %id, %error, "an answer cannot be read"),
            }
        }
    }
    if settled.is_empty() {
        return Ok(!held_up.is_empty());
    }
    parts.live.settle(&settled);
    rows::forget_answers(&parts.database.write(AcrossTenants), &settled).await?;
    Ok(!held_up.is_empty())
}

/// Deletes what nobody will fetch.
pub(super) async fn clean(executor: &Executor) -> Result<(), Error> {
    let parts = &executor.0;
    let (connection, before) = (parts.database.write(AcrossTenants), parts.clock.now().minus(OLD));
    rows::forget_old_answers(&connection, before).await?;
    Ok(rows::forget_old_parts(&connection, before).await?)
}

fn channel() -> Key {
    Key::global("executions", "answers")
}

/// An answer on its way.
#[derive(Serialize, Deserialize)]
enum Message {
    Responded { status: u16, headers: Vec<(Str, Str)>, body: String },
    Ended(Box<EndedMessage>),
}

#[derive(Serialize, Deserialize)]
struct EndedMessage {
    row: Row,
    is_kept: bool,
    status: Status,
    error: Option<ExecutionError>,
    last: Option<(usize, Vec<Item>)>,
    #[serde(default)]
    run_index: usize,
}

impl From<&Answer> for Message {
    fn from(answer: &Answer) -> Message {
        match answer {
            Answer::Responded(response) => Message::Responded {
                status: response.status,
                headers: response.headers.clone(),
                body: BASE64_STANDARD.encode(&response.body),
            },
            Answer::Ended(ended) => Message::Ended(Box::new(EndedMessage {
                row: ended.row.clone(),
                is_kept: ended.is_kept,
                status: ended.status,
                error: ended.error.as_deref().cloned(),
                last: ended.last.as_ref().map(|(node, items)| (node.0, items.to_vec())),
                run_index: ended.run_index,
            })),
        }
    }
}

impl From<Message> for Answer {
    fn from(message: Message) -> Answer {
        match message {
            Message::Responded { status, headers, body } => Answer::Responded(WebhookResponse {
                status,
                headers,
                body: BASE64_STANDARD.decode(body).unwrap_or_default().into(),
            }),
            Message::Ended(ended) => {
                let EndedMessage { row, is_kept, status, error, last, run_index } = *ended;
                let last = last.map(|(node, items)| (NodeIndex(node), Arc::new(items)));
                Answer::Ended(Box::new(Ended { row, is_kept, status, error: error.map(Arc::new), last, run_index }))
            }
        }
    }
}
