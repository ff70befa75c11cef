//! What this process holds of executions in memory: how to stop those it runs, and who waits for the outcome of which.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::attempt::Attempt;
use super::model::Interest;
use crate::common::ExecutionId;

/// Who waits for an execution, and for what of it.
#[derive(Debug)]
pub(super) struct Caller {
    pub answer: oneshot::Sender<Answer>,
    pub interest: Interest,
    /// Where parts of the answer go, for [`Interest::Parts`].
    pub parts: Option<mpsc::Sender<Bytes>>,
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Live(Arc<Parts>);

#[derive(Default)]
struct Parts {
    running: Mutex<FxHashMap<ExecutionId, Running>>,
    callers: Mutex<FxHashMap<ExecutionId, Caller>>,
    /// Executions that other processes may run while a caller waits here.
    elsewhere: Mutex<FxHashSet<ExecutionId>>,
    expecting: Notify,
}

struct Running {
    attempt: Arc<Attempt>,
    cancel: CancellationToken,
    since: Instant,
}

/// Keeps an execution listed as running until it is dropped.
pub(super) struct Listed {
    live: Live,
    attempt: Arc<Attempt>,
    pub cancel: CancellationToken,
}

/// Callers that have gone away are forgotten each time so many more have come.
const CLEAN_EVERY: usize = 1024;

impl Live {
    /// Lists a run; stopping what is around it stops it, too.
    pub(super) fn list(&self, attempt: &Arc<Attempt>, around: &CancellationToken) -> Listed {
        let (attempt, cancel) = (Arc::clone(attempt), around.child_token());
        let running = Running { attempt: Arc::clone(&attempt), cancel: cancel.clone(), since: Instant::now() };
        lock(&self.0.running).insert(attempt.row.id, running);
        Listed { live: self.clone(), attempt, cancel }
    }

    /// Asks a run of this process to stop. `false`: this process does not run it.
    pub(super) fn cancel(&self, id: ExecutionId) -> bool {
        let token = lock(&self.0.running).get(&id).map(|running| running.cancel.clone());
        token.is_some_and(|token| {
            token.cancel();
            true
        })
    }

    /// How many executions this process runs.
    pub(super) fn count(&self) -> usize {
        lock(&self.0.running).len()
    }

    /// Breaks off everything that runs, to be gone on with by another process.
    pub(super) fn hand_on(&self) {
        for running in lock(&self.0.running).values() {
            running.attempt.hand_on();
            running.cancel.cancel();
        }
    }

    pub(super) fn has(&self, id: ExecutionId) -> bool {
        lock(&self.0.running).contains_key(&id)
    }

    /// Whether a run of this process is stored. `None`: this process does not run it.
    pub(super) fn is_stored(&self, id: ExecutionId) -> Option<bool> {
        lock(&self.0.running).get(&id).map(|running| running.attempt.is_stored())
    }

    /// Runs that have lasted for so long and are not stored yet.
    pub(super) fn unstored(&self, lasting: Duration) -> Vec<Arc<Attempt>> {
        let running = lock(&self.0.running);
        let late = running.values().filter(|running| running.since.elapsed() >= lasting);
        let attempts = late.map(|running| &running.attempt);
        attempts.filter(|attempt| !attempt.is_stored() && !attempt.is_over()).map(Arc::clone).collect()
    }

    /// Remembers who waits for an execution that does not run at the moment.
    pub(super) fn wait_for(&self, id: ExecutionId, caller: Caller) {
        let mut callers = lock(&self.0.callers);
        if callers.len() % CLEAN_EVERY == CLEAN_EVERY - 1 {
            callers.retain(|_, caller| !caller.answer.is_closed());
        }
        callers.insert(id, caller);
    }

    /// The answer to a caller may come from another process.
    pub(super) fn expect(&self, id: ExecutionId) {
        lock(&self.0.elsewhere).insert(id);
        self.0.expecting.notify_one();
    }

    /// Whether an answer may come from another process.
    pub(super) fn expects(&self) -> bool {
        !lock(&self.0.elsewhere).is_empty()
    }

    /// Waits until one may.
    pub(super) async fn expecting(&self) {
        self.0.expecting.notified().await;
    }

    /// Executions that others may answer, and those for which nobody waits any more.
    pub(super) fn expected(&self) -> (Vec<ExecutionId>, Vec<ExecutionId>) {
        let (elsewhere, callers) = (lock(&self.0.elsewhere), lock(&self.0.callers));
        let waits = |id: &ExecutionId| callers.get(id).is_some_and(|caller| !caller.answer.is_closed());
        elsewhere.iter().copied().partition(waits)
    }

    /// Those of these executions whose callers read parts.
    pub(super) fn readers(&self, ids: &[ExecutionId]) -> FxHashMap<ExecutionId, mpsc::Sender<Bytes>> {
        let callers = lock(&self.0.callers);
        ids.iter().filter_map(|id| Some((*id, callers.get(id)?.parts.clone()?))).collect()
    }

    /// These are answered, or nobody waits for them.
    pub(super) fn settle(&self, ids: &[ExecutionId]) {
        let mut elsewhere = lock(&self.0.elsewhere);
        for id in ids {
            elsewhere.remove(id);
        }
    }

    pub(super) fn take_caller(&self, id: ExecutionId) -> Option<Caller> {
        lock(&self.0.callers).remove(&id)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut running = lock(&self.live.0.running);
        // A later attempt may be listed by now.
        if running.get(&self.attempt.row.id).is_some_and(|listed| Arc::ptr_eq(&listed.attempt, &self.attempt)) {
            running.remove(&self.attempt.row.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
