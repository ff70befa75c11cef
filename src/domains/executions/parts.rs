//! Answers in parts: what nodes send while they run goes to whoever reads it, in this process through a channel with few
//! places, in another through the database. Who reads slowly holds the run up; who has gone away does not.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use super::answers;
use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::live::Caller;
use super::model::Interest;
use super::repository::{self as rows, Part};
use crate::common::ExecutionId;
use crate::infrastructure::database::AcrossTenants;

/// Parts that wait in memory for their reader.
const ROOM: usize = 4;
/// Parts of an execution that wait in the database.
const STORED: u64 = 64;
/// How often room there is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a run waits for that; the reader's process may have died.
const PATIENCE: Duration = Duration::from_secs(60);

/// The reader's end. Dropped, the run goes on without a reader.
#[derive(Debug)]
pub struct Parts {
    parts: mpsc::Receiver<Bytes>,
    answer: oneshot::Receiver<Answer>,
}

/// Where the parts of an attempt go.
pub(super) enum Reader {
    Here(mpsc::Sender<Bytes>),
    Elsewhere,
}

impl Parts {
    /// The next part; `None` after the last one.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.parts.recv().await
    }

    /// What became of the execution. [`Answer::Responded`]: it waits for something, and goes on without a reader.
    pub async fn end(self) -> Option<Answer> {
        self.answer.await.ok()
    }
}

/// Somebody who reads parts, and what they read.
pub(super) fn reader() -> (Caller, Parts) {
    let ((answer, end), (sender, parts)) = (oneshot::channel(), mpsc::channel(ROOM));
    (Caller { answer, interest: Interest::Parts, parts: Some(sender) }, Parts { parts, answer: end })
}

/// Sends a part of the answer of an execution that is stored.
pub(super) async fn send(executor: &Executor, attempt: &Attempt, part: Bytes) {
    match attempt.reader() {
        // The reader may have gone away.
        Some(Reader::Here(sender)) => drop(sender.send(part).await),
        Some(Reader::Elsewhere) => match leave(executor, attempt, &part).await {
            Ok(true) => {}
            Ok(false) => attempt.give_up_reader(),
            Err(error) => {
                tracing::error!(execution = %attempt.row.id, %error, "a part of an answer could not be left");
                attempt.give_up_reader();
            }
        },
        None => {}
    }
}

/// Leaves a part for another process once there is room. `false`: nobody reads there any more.
async fn leave(executor: &Executor, attempt: &Attempt, part: &[u8]) -> Result<bool, Error> {
    let (parts, row, deadline) = (&executor.0, &attempt.row, Instant::now() + PATIENCE);
    loop {
        let connection = parts.database.read(row.tenant_id);
        if rows::expected(&connection, row.tenant_id, row.id).await? != Some(Interest::Parts) {
            return Ok(false);
        }
        if rows::unread(&connection, row.tenant_id, row.id).await? < STORED {
            break;
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let left = Part {
        tenant_id: row.tenant_id,
        execution_id: row.id,
        attempt: row.attempt,
        seq: attempt.next_part(),
        part: String::from_utf8_lossy(part).into_owned(),
        created_at: parts.clock.now(),
    };
    rows::leave_part(&parts.database.write(row.tenant_id), left).await?;
    answers::call(executor, row.id).await;
    Ok(true)
}

/// Hands what other processes left to the readers of this one. Gives the executions of which something is left, because
/// their readers have no room.
pub(super) async fn fetch(executor: &Executor, waiting: &[ExecutionId]) -> Result<Vec<ExecutionId>, Error> {
    let parts = &executor.0;
    let readers = parts.live.readers(waiting);
    let mut held_up = Vec::new();
    if readers.is_empty() {
        return Ok(held_up);
    }
    let mut read: FxHashMap<ExecutionId, Part> = FxHashMap::default();
    for row in rows::parts(&parts.database.read(AcrossTenants), readers.keys().copied()).await? {
        let id = row.execution_id;
        let Some(sender) = readers.get(&id).filter(|_| !held_up.contains(&id)) else { continue };
        match sender.try_send(Bytes::from(row.part.clone())) {
            Err(TrySendError::Full(_)) => held_up.push(id),
            Ok(()) | Err(TrySendError::Closed(_)) => drop(read.insert(id, row)),
        }
    }
    for last in read.values() {
        rows::forget_parts(&parts.database.write(last.tenant_id), last).await?;
    }
    Ok(held_up)
}
