//! One task that commits accepted and finished executions of all runs in batches (group commit). A short run costs one
//! row and a fraction of a transaction. Batches form by themselves: what arrives while one is being committed makes up
//! the next. Nothing here decides what is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustc_hash::FxHashSet;
use tokio::sync::{mpsc, oneshot};

use super::repository::{self as rows, Append, Label, Payload, Row};
use super::told;
use crate::common::{Clock, ExecutionId};
use crate::domains::tenants;
use crate::infrastructure::database::{self, AcrossTenants, Database};
use crate::infrastructure::events::{Bus, Event};

/// Writes that wait at most; beyond it finished runs wait and new ones are refused.
const QUEUE: usize = 4096;
/// Writes in one transaction at most.
const BATCH: usize = 512;
/// Bytes of payload in one transaction, after which no more is added.
const BATCH_BYTES: usize = 8 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A batch that takes longer is given up and tried again.
const LONGEST_WRITE: Duration = Duration::from_secs(20);

/// One thing to be made durable.
#[derive(Debug)]
pub(super) enum Write {
    /// A new execution, or a new state of one this process has. Without a payload the old one stays.
    Put(Box<Row>, Option<Payload>),
    /// The same, and its journal goes: what is put says all that the journal did.
    Settle(Box<Row>, Option<Payload>),
    /// What a workflow writes on its execution; all of one execution.
    Label(Vec<Label>),
    /// What a running execution has done since the last time.
    Append(Box<Append>),
    /// The execution has ended so, and shall leave no trace.
    Discard(Box<Row>),
    /// The same of one that was never stored.
    Forget(Box<Row>),
    /// The execution shall leave no trace, and nobody is told how it ended.
    Erase(Box<Row>),
}

/// Why something was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The database takes nothing at the moment, or too much waits for it.
    #[error("the database takes no executions at the moment")]
    Unavailable,
    /// Another attempt at this execution has begun: this one's result does not count.
    #[error("another worker has taken over this execution")]
    Superseded,
    /// The database refuses this row.
    #[error("the execution cannot be stored: {0}")]
    Refused(String),
}

/// Hands writes to the task. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Entry>,
    healthy: Arc<AtomicBool>,
}

struct Entry {
    write: Write,
    /// New work is refused while the database is away; finished work is kept until it is back.
    is_new: bool,
    done: oneshot::Sender<Result<(), WriteError>>,
}

/// The answer to one write.
pub(super) struct Committed(oneshot::Receiver<Result<(), WriteError>>);

impl Committed {
    /// Waits until the write is durable.
    pub(super) async fn wait(self) -> Result<(), WriteError> {
        self.0.await.unwrap_or(Err(WriteError::Unavailable))
    }
}

impl Writer {
    /// Starts the task. It ends when every `Writer` is gone and everything is written.
    /// What `tenants` has counted goes along with what is written.
    pub(super) fn start(database: Database, tenants: tenants::Service, events: Bus, clock: Arc<dyn Clock>) -> Writer {
        let (queue, entries) = mpsc::channel(QUEUE);
        let healthy = Arc::new(AtomicBool::new(true));
        let store = Store { database, tenants, events, clock };
        tokio::spawn(commit_all(store, entries, Arc::clone(&healthy)));
        Writer { queue, healthy }
    }

    /// Takes a new execution; refused at once when too much waits or the database is away.
    pub(super) fn accept(&self, write: Write) -> Result<Committed, WriteError> {
        if !self.healthy.load(Ordering::Relaxed) {
            return Err(WriteError::Unavailable);
        }
        let (done, committed) = oneshot::channel();
        let entry = Entry { write, is_new: true, done };
        self.queue.try_send(entry).map_err(|_| WriteError::Unavailable)?;
        Ok(Committed(committed))
    }

    /// Takes what became of an execution; waits for room. It is kept until the database has taken it.
    pub(super) async fn finish(&self, write: Write) -> Result<Committed, WriteError> {
        let (done, committed) = oneshot::channel();
        let entry = Entry { write, is_new: false, done };
        self.queue.send(entry).await.map_err(|_| WriteError::Unavailable)?;
        Ok(Committed(committed))
    }

    /// Whether new executions are taken.
    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }
}

/// Where batches go.
struct Store {
    database: Database,
    tenants: tenants::Service,
    events: Bus,
    clock: Arc<dyn Clock>,
}

async fn commit_all(store: Store, mut queue: mpsc::Receiver<Entry>, healthy: Arc<AtomicBool>) {
    let (mut ids, mut held_back) = (FxHashSet::default(), None);
    loop {
        let first = match held_back.take() {
            Some(entry) => entry,
            None => match queue.recv().await {
                Some(entry) => entry,
                None => return,
            },
        };
        ids.clear();
        ids.insert(first.id());
        let (mut batch, mut bytes) = (vec![first], 0);
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(entry) = queue.try_recv() else { break };
            // A statement touches a row once: the second write of an execution begins the next batch.
            if !ids.insert(entry.id()) {
                held_back = Some(entry);
                break;
            }
            bytes += entry.bytes();
            batch.push(entry);
        }
        metrics::histogram!("millrace_execution_batch_writes").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        commit(&store, batch, &healthy).await;
    }
}

/// Commits a batch, however long it takes. While the database is away new executions are refused, the others kept.
async fn commit(store: &Store, mut batch: Vec<Entry>, healthy: &AtomicBool) {
    let mut pause = FIRST_PAUSE;
    while !batch.is_empty() {
        let failure = match write_in_time(store, &batch).await {
            Ok(()) => {
                healthy.store(true, Ordering::Relaxed);
                return batch.into_iter().for_each(|entry| entry.answer(Ok(())));
            }
            Err(failure) => failure,
        };
        if !failure.is_outage() {
            batch = one_by_one(store, batch).await;
            if batch.is_empty() {
                return;
            }
        }
        if healthy.swap(false, Ordering::Relaxed) {
            tracing::error!(error = %failure, waiting = batch.len(), "executions cannot be stored; trying again");
        }
        let (new, kept): (Vec<_>, Vec<_>) = batch.into_iter().partition(|entry| entry.is_new);
        new.into_iter().for_each(|entry| entry.answer(Err(WriteError::Unavailable)));
        batch = kept;
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
    // Nothing is left that would show when the database is back: the next write has to find out.
    healthy.store(true, Ordering::Relaxed);
}

/// Commits each write by itself, so that one that cannot be stored keeps no other back. Gives those that failed for no
/// fault of their own.
async fn one_by_one(store: &Store, batch: Vec<Entry>) -> Vec<Entry> {
    let mut left = Vec::new();
    for entry in batch {
        match write_in_time(store, std::slice::from_ref(&entry)).await {
            Ok(()) => entry.answer(Ok(())),
            Err(Failure::Superseded) if is_stored(&store.database, &entry).await => entry.answer(Ok(())),
            Err(Failure::Superseded) => {
                tracing::warn!(execution = %entry.id(), "a result came from a worker that has lost the execution");
                entry.answer(Err(WriteError::Superseded));
            }
            Err(Failure::Database(error)) if database::is_refused_row(&error) => {
                tracing::error!(execution = %entry.id(), %error, "an execution cannot be stored");
                entry.answer(Err(WriteError::Refused(error.to_string())));
            }
            Err(Failure::Database(_) | Failure::Late) => left.push(entry),
        }
    }
    left
}

/// Whether the row is as the write wants it, and that by the same attempt: an earlier commit went through, but the
/// connection broke before it said so.
async fn is_stored(database: &Database, entry: &Entry) -> bool {
    let (Write::Put(row, _) | Write::Settle(row, _)) = &entry.write else { return false };
    let found = rows::find(&database.write(row.tenant_id), row.tenant_id, row.id).await;
    found.is_ok_and(|found| found.is_some_and(|found| found.attempt == row.attempt && found.status == row.status))
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("an attempt is not the current one any more")]
    Superseded,
    #[error("the database did not answer within {} s", LONGEST_WRITE.as_secs())]
    Late,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Failure {
    /// No single write is at fault.
    fn is_outage(&self) -> bool {
        match self {
            Failure::Superseded => false,
            Failure::Late => true,
            Failure::Database(error) => database::is_connection_error(error),
        }
    }
}

/// A database that does not answer is away, too.
async fn write_in_time(store: &Store, batch: &[Entry]) -> Result<(), Failure> {
    tokio::time::timeout(LONGEST_WRITE, write(store, batch)).await.unwrap_or(Err(Failure::Late))
}

/// All of the batch in one transaction, or nothing.
async fn write(store: &Store, batch: &[Entry]) -> Result<(), Failure> {
    let (mut whole, mut rows_alone) = (Vec::with_capacity(batch.len()), Vec::new());
    let (mut discarded, mut settled, mut appended, mut labelled) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for entry in batch {
        match &entry.write {
            Write::Put(row, payload) | Write::Settle(row, payload) => {
                if matches!(entry.write, Write::Settle(..)) {
                    settled.push((row.tenant_id, row.id));
                }
                match payload {
                    Some(payload) => whole.push(((**row).clone(), payload.clone())),
                    None => rows_alone.push((**row).clone()),
                }
            }
            Write::Label(labels) => labelled.extend(labels.iter().cloned()),
            Write::Append(append) => appended.push((**append).clone()),
            Write::Discard(row) | Write::Erase(row) => discarded.push(row),
            Write::Forget(_) => {}
        }
    }
    let (counts, events) = (store.tenants.take_due_counts(), events_of(store, batch));
    let is_new = |entry: &Entry| matches!(&entry.write, Write::Put(row, Some(_)) if row.attempt <= 1);
    if counts.is_empty() && events.is_empty() && batch.iter().all(is_new) && store.database.is_embedded() {
        // Nobody else can have one of them yet.
        let statements = rows::whole_statements(store.database.backend(), whole);
        return Ok(store.database.execute_together(statements).await?);
    }
    let count = u64::try_from(whole.len() + rows_alone.len()).unwrap_or(u64::MAX);
    let transaction = store.database.begin(AcrossTenants).await?;
    let written = rows::upsert_whole(&transaction, whole).await? + rows::upsert(&transaction, rows_alone).await?;
    if written != count {
        return Err(Failure::Superseded);
    }
    let count = u64::try_from(appended.len()).unwrap_or(u64::MAX);
    if rows::append(&transaction, appended).await? != count {
        return Err(Failure::Superseded);
    }
    rows::label(&transaction, labelled).await?;
    rows::clear(&transaction, &settled).await?;
    for row in discarded {
        // One that was never stored is not there; one that another attempt has is that one's.
        rows::discard(&transaction, row).await?;
    }
    let emitted = store.events.emit(&transaction, events).await?;
    counts.store(&transaction).await?;
    transaction.commit().await?;
    counts.settled();
    store.events.announce(emitted).await;
    Ok(())
}

/// What there is to be told of a batch.
fn events_of(store: &Store, batch: &[Entry]) -> Vec<Event> {
    let told = batch.iter().filter_map(|entry| match &entry.write {
        Write::Put(row, _) => Some((row, row.attempt <= 1)),
        Write::Forget(row) => Some((row, true)),
        Write::Settle(row, _) | Write::Discard(row) => Some((row, false)),
        Write::Append(_) | Write::Label(_) | Write::Erase(_) => None,
    });
    told.filter(|(row, _)| store.events.is_attended(row.tenant_id))
        .flat_map(|(row, is_new)| told::of_row(row, is_new, store.clock.now()))
        .collect()
}

impl Entry {
    fn id(&self) -> ExecutionId {
        match &self.write {
            Write::Put(row, _) | Write::Settle(row, _) => row.id,
            Write::Append(append) => append.execution,
            Write::Label(labels) => {
                labels.first().map_or(ExecutionId::from_uuid(uuid::Uuid::nil()), |label| label.execution_id)
            }
            Write::Discard(row) | Write::Forget(row) | Write::Erase(row) => row.id,
        }
    }

    fn bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        match &self.write {
            Write::Put(_, Some(payload)) | Write::Settle(_, Some(payload)) => {
                length(&payload.data) + length(&payload.state)
            }
            Write::Append(append) => append.entries.len(),
            _ => 0,
        }
    }

    fn answer(self, result: Result<(), WriteError>) {
        // Nobody may wait any more.
        let _ = self.done.send(result);
    }
}
