//! One attempt at an execution: what it began with, what happened so far, whether it is stored yet, and who waits for it.
//! A short run without effects is stored once, when it is over. It is stored earlier when something leaves the process,
//! when a caller is to be answered, or when it takes long: so nothing that was seen outside can be forgotten.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use millrace_engine::{Event, NodeTask, Options, Run, Start};
use millrace_model::{ExecutionError, Item, Items, NodeIndex, Value, Workflow};
use millrace_nodes::WebhookResponse;
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, oneshot};

use super::answer::Answer;
use super::binaries::Binaries;
use super::error::Error;
use super::executor::Executor;
use super::live::Caller;
use super::model::Interest;
use super::parts::Reader;
use super::programs::Program;
use super::records::Known;
use super::repository::{Payload, Row};
use super::tenancy::Tenancy;
use super::usage::Traffic;
use super::writer::{Write, Writer};
use super::{answers, journal, payload};
use crate::common::ExecutionId;

pub(super) struct Attempt {
    /// As it stands while it runs.
    pub row: Row,
    pub program: Arc<Program>,
    pub begin: Begin,
    /// How many workflow calls are around it.
    pub depth: u32,
    pub tenancy: Tenancy,
    pub binaries: Binaries,
    events: Mutex<Vec<Event>>,
    /// How many of the events are durable.
    journaled: AtomicUsize,
    /// Once it is settled, whether it is stored while it runs.
    stored: OnceCell<bool>,
    over: AtomicBool,
    /// Something that the node now running did has left the process.
    effects: AtomicBool,
    /// See [`Fate`].
    fate: AtomicU8,
    /// The called execution whose end it is put aside for.
    waits_for: OnceLock<ExecutionId>,
    place: Mutex<Place>,
    /// Answers to the calls of the node now running.
    calls: Mutex<Vec<AnsweredCall>>,
    caller: Mutex<Option<Caller>>,
    /// What somebody in another process waits for.
    elsewhere: Mutex<Option<Interest>>,
    response: Mutex<Option<WebhookResponse>>,
    /// Hears when the outcome is durable.
    pub(super) announced: Mutex<Option<oneshot::Sender<()>>>,
    /// Parts that were left for a reader in another process.
    parts_left: AtomicI32,
    has_given_up_reader: AtomicBool,
}

/// Where an attempt begins: at a start node, or after what earlier attempts did.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub node: NodeIndex,
    pub items: Items,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    pub honour_pins: bool,
    /// What happened before.
    pub earlier: Vec<Event>,
    /// What is known from other executions, and where it is to end.
    pub known: Option<Arc<Known>>,
    /// Calls of the node that comes next, made when it ran before.
    pub calls: Vec<AnsweredCall>,
    /// What goes on to be counted.
    pub traffic: Arc<Traffic>,
}

/// A call of a workflow, and what came of it. A node that is put aside for a later call makes its calls again; those that
/// were answered are answered likewise, whatever became of the called executions meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AnsweredCall {
    pub id: ExecutionId,
    pub answer: Result<Vec<Vec<Item>>, ExecutionError>,
}

/// The node run that an attempt is at, and how many workflows it has called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub node: usize,
    pub run_index: usize,
    /// Tries of this node run before.
    pub tries: u32,
    pub calls: u32,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// As its run does.
    Own,
    /// Not here: another process has taken the execution over.
    Lost,
    /// Not here: this process stops, and hands the execution on.
    HandedOn,
    /// Put aside until what it called is over.
    PutAside,
}

/// What is stored of an unfinished execution, enough to begin it or to go on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    /// Name of the start node.
    pub node: String,
    pub items: Vec<Item>,
    pub at_ms: i64,
    #[serde(default)]
    pub honour_pins: bool,
    #[serde(default)]
    pub events: Vec<Event>,
    #[serde(default)]
    pub known: Option<Known>,
    #[serde(default)]
    pub calls: Vec<AnsweredCall>,
    /// The workflow, where it was given in a call.
    #[serde(default)]
    pub inline: Option<Value>,
    #[serde(default)]
    pub traffic: Arc<Traffic>,
}

/// The same, borrowed from a running attempt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StateRef<'a> {
    node: &'a str,
    items: &'a [Item],
    at_ms: i64,
    honour_pins: bool,
    events: &'a [Event],
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a Known>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    calls: &'a [AnsweredCall],
    #[serde(skip_serializing_if = "Option::is_none")]
    inline: Option<&'a Value>,
    traffic: &'a Traffic,
}

impl Attempt {
    /// Whatever is logged while it runs says whose it is.
    pub(super) fn span(&self) -> tracing::Span {
        tracing::info_span!("execution", tenant = %self.row.tenant_id, execution = %self.row.id)
    }

    pub(super) fn new(row: Row, program: Arc<Program>, begin: Begin, depth: u32) -> Attempt {
        Attempt {
            row,
            program,
            depth,
            tenancy: Tenancy::default(),
            binaries: Binaries::default(),
            events: Mutex::new(begin.earlier.clone()),
            calls: Mutex::new(begin.calls.clone()),
            begin,
            journaled: AtomicUsize::new(0),
            stored: OnceCell::new(),
            over: AtomicBool::new(false),
            effects: AtomicBool::new(false),
            fate: AtomicU8::new(0),
            waits_for: OnceLock::new(),
            place: Mutex::default(),
            caller: Mutex::default(),
            elsewhere: Mutex::default(),
            response: Mutex::default(),
            announced: Mutex::default(),
            parts_left: AtomicI32::new(0),
            has_given_up_reader: AtomicBool::new(false),
        }
    }

    /// The same, beginning otherwise.
    #[must_use]
    pub(super) fn beginning(self, begin: Begin) -> Attempt {
        let (events, calls) = (Mutex::new(begin.earlier.clone()), Mutex::new(begin.calls.clone()));
        Attempt { events, calls, begin, ..self }
    }

    /// Says that the row is in the database already, and how many of the events.
    #[must_use]
    pub(super) fn stored(self, events: usize) -> Attempt {
        Attempt { stored: OnceCell::new_with(Some(true)), journaled: AtomicUsize::new(events), ..self }
    }

    #[must_use]
    pub(super) fn with_binaries(self, binaries: Binaries) -> Attempt {
        Attempt { binaries, ..self }
    }

    #[must_use]
    pub(super) fn with_caller(self, caller: Option<Caller>) -> Attempt {
        Attempt { caller: Mutex::new(caller), ..self }
    }

    /// Says what somebody in another process waits for.
    #[must_use]
    pub(super) fn with_caller_elsewhere(self, interest: Option<Interest>) -> Attempt {
        Attempt { elsewhere: Mutex::new(interest), ..self }
    }

    pub(super) fn options(&self) -> Options {
        let mut options = Options { honour_pins: self.begin.honour_pins, ..Options::default() };
        if let Some(known) = &self.begin.known {
            known.apply(&mut options);
        }
        options
    }

    pub(super) fn start(&self) -> Start {
        Start { node: self.begin.node, items: Arc::clone(&self.begin.items), at_ms: self.begin.at_ms }
    }

    /// The run as earlier attempts left it.
    pub(super) fn rebuilt(&self, options: Options) -> Run {
        let compiled = &self.program.compiled;
        let (workflow, facts) = (Arc::clone(compiled.workflow()), Arc::clone(compiled.facts()));
        let mut run = Run::new(workflow, facts, self.start(), options);
        for event in &self.begin.earlier {
            run.apply(event.clone());
        }
        run
    }

    /// Nodes that this attempt ran.
    pub(super) fn node_runs(&self) -> usize {
        let ran = |event: &&Event| matches!(event, Event::Completed(_));
        lock(&self.events).iter().skip(self.begin.earlier.len()).filter(ran).count()
    }

    /// A node is about to run.
    pub(super) fn at(&self, task: &NodeTask) {
        let place = Place { node: task.node.0, run_index: task.run_index, tries: task.attempt, calls: 0 };
        *lock(&self.place) = place;
        self.effects.store(false, Ordering::Relaxed);
    }

    /// Counts a call of a workflow, and says where it is made.
    pub(super) fn place_of_call(&self) -> Place {
        let mut place = lock(&self.place);
        let here = *place;
        place.calls += 1;
        here
    }

    /// What came of this call when it was made before.
    pub(super) fn answer_of(&self, call: ExecutionId) -> Option<Result<Vec<Vec<Item>>, ExecutionError>> {
        lock(&self.calls).iter().find(|made| made.id == call).map(|made| made.answer.clone())
    }

    /// Remembers what came of a call until its node is done.
    pub(super) fn answered(&self, call: AnsweredCall) {
        lock(&self.calls).push(call);
    }

    /// The node is done.
    pub(super) fn forget_calls(&self) {
        lock(&self.calls).clear();
    }

    pub(super) fn push(&self, event: Event) {
        lock(&self.events).push(event);
    }

    /// How many events are durable, and those that are not.
    pub(super) fn unjournaled(&self) -> (usize, Vec<Event>) {
        let events = lock(&self.events);
        let durable = self.journaled.load(Ordering::SeqCst);
        (durable, events.get(durable..).unwrap_or_default().to_vec())
    }

    pub(super) fn journaled(&self, events: usize) {
        self.journaled.store(events, Ordering::SeqCst);
    }

    /// Something that the node now running does is about to leave the process.
    pub(super) fn note_effect(&self) {
        self.effects.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_effects(&self) -> bool {
        self.effects.load(Ordering::Relaxed)
    }

    /// Another process has the execution now.
    pub(super) fn lose(&self) {
        self.fate.store(1, Ordering::SeqCst);
    }

    /// The run is to be broken off and handed on, unless it is over.
    pub(super) fn hand_on(&self) {
        self.fate.fetch_max(2, Ordering::SeqCst);
    }

    /// The run is to be broken off, and gone on with when this called execution is over.
    pub(super) fn put_aside(&self, called: ExecutionId) {
        let _ = self.waits_for.set(called);
        // One that is handed on or lost waits elsewhere.
        let _ = self.fate.compare_exchange(0, 3, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The called execution whose end it is put aside for.
    pub(super) fn waits_for(&self) -> Option<ExecutionId> {
        self.waits_for.get().copied().filter(|_| self.fate() == Fate::PutAside)
    }

    pub(super) fn fate(&self) -> Fate {
        match self.fate.load(Ordering::SeqCst) {
            0 => Fate::Own,
            1 => Fate::Lost,
            2 => Fate::HandedOn,
            _ => Fate::PutAside,
        }
    }

    pub(super) fn is_stored(&self) -> bool {
        self.stored.get() == Some(&true)
    }

    /// Makes the execution durable as running, if it is not yet.
    pub(super) async fn store(&self, writer: &Writer) -> Result<(), Error> {
        let store = || async {
            let (payload, events) = self.snapshot(None, true)?;
            writer.accept(Write::Put(Box::new(self.row.clone()), Some(payload)))?.wait().await?;
            self.journaled(events);
            Ok(true)
        };
        self.stored.get_or_try_init(store).await.map(drop)
    }

    /// The run has ended or paused: from now on only its outcome is stored. Gives whether it was stored before.
    pub(super) async fn close(&self) -> bool {
        self.over.store(true, Ordering::SeqCst);
        *self.stored.get_or_init(async || false).await
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// What is stored beside the row: `data`, and the state where the execution is not over.
    pub(super) fn payload(&self, data: Option<Vec<u8>>, with_state: bool) -> Result<Payload, serde_json::Error> {
        self.snapshot(data, with_state).map(|(payload, _)| payload)
    }

    /// The same, and how many events are in it.
    fn snapshot(&self, data: Option<Vec<u8>>, with_state: bool) -> Result<(Payload, usize), serde_json::Error> {
        let mut count = 0;
        let state = if with_state {
            let (events, calls) = (lock(&self.events), lock(&self.calls));
            count = events.len();
            let state = StateRef {
                node: &self.program.workflow().node(self.begin.node).name,
                items: &self.begin.items,
                at_ms: self.begin.at_ms,
                honour_pins: self.begin.honour_pins,
                events: &events,
                known: self.begin.known.as_deref(),
                calls: &calls,
                inline: self.program.inline.as_ref(),
                traffic: &self.begin.traffic,
            };
            Some(payload::encode(&state)?)
        } else {
            None
        };
        Ok((Payload { tenant_id: self.row.tenant_id, execution_id: self.row.id, data, state }, count))
    }

    /// Keeps the answer of a node for the caller; `false`: nobody waits for one, or one is there already.
    pub(super) fn respond(&self, response: WebhookResponse) -> bool {
        let mut kept = lock(&self.response);
        let waits = |caller: &Caller| caller.interest == Interest::FirstAnswer;
        let is_here = lock(&self.caller).as_ref().is_some_and(waits);
        let is_wanted = kept.is_none() && (is_here || *lock(&self.elsewhere) == Some(Interest::FirstAnswer));
        if is_wanted {
            *kept = Some(response);
        }
        is_wanted
    }

    /// Sends the answer of a node, if there is one and it was not sent yet.
    pub(super) async fn send_response(&self, executor: &Executor) {
        let response = lock(&self.response).take();
        if let Some(response) = response {
            self.answer(executor, Answer::Responded(response)).await;
        }
    }

    /// Sends an answer, if somebody still waits for one, here or elsewhere.
    pub(super) async fn answer(&self, executor: &Executor, answer: Answer) {
        if let Some(caller) = self.take_caller() {
            // The caller may have gone away.
            let _ = caller.answer.send(answer);
            return;
        }
        let is_elsewhere = lock(&self.elsewhere).take().is_some();
        if is_elsewhere {
            answers::leave(executor, self.row.tenant_id, self.row.id, &answer).await;
        }
    }

    /// Whether parts of the answer go anywhere.
    pub(super) fn has_reader(&self) -> bool {
        self.reader().is_some()
    }

    pub(super) fn reader(&self) -> Option<Reader> {
        match lock(&self.caller).as_ref() {
            Some(caller) => caller.parts.clone().map(Reader::Here),
            None if self.has_given_up_reader.load(Ordering::Relaxed) => None,
            None => (*lock(&self.elsewhere) == Some(Interest::Parts)).then_some(Reader::Elsewhere),
        }
    }

    /// Nobody reads in another process any more, or nobody knows.
    pub(super) fn give_up_reader(&self) {
        self.has_given_up_reader.store(true, Ordering::Relaxed);
    }

    /// The place of the next part for a reader in another process.
    pub(super) fn next_part(&self) -> i32 {
        self.parts_left.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn take_caller(&self) -> Option<Caller> {
        lock(&self.caller).take()
    }
}

impl Begin {
    /// Reads what was stored, and gives what runs: the program, unless a caller gave another one. `Err`: the node is gone,
    /// or something cannot be read.
    pub(super) fn restore(
        stored: &[u8],
        journal: Vec<(i32, Vec<u8>)>,
        mut program: Arc<Program>,
    ) -> Result<(Arc<Program>, Begin), Error> {
        let state: State = payload::decode_as(stored)?;
        if let Some(document) = &state.inline {
            let parsed = Workflow::parse(document).map_err(Error::NotRunnable)?;
            program = Arc::new(Program::inline(&program, parsed, document));
        }
        let node = program.workflow().find(&state.node).ok_or(Error::NoData)?;
        let begin = Begin {
            node,
            items: Arc::new(state.items),
            at_ms: state.at_ms,
            honour_pins: state.honour_pins,
            earlier: journal::join(state.events, journal)?,
            known: state.known.map(|known| known.prepared(program.workflow()).map(Arc::new)).transpose()?,
            calls: state.calls,
            traffic: state.traffic,
        };
        Ok((program, begin))
    }
}

/// What a run is told when its execution cannot be made durable.
pub(super) fn not_stored(error: &Error) -> ExecutionError {
    ExecutionError::new("WorkflowOperationError", "The execution was stopped because it cannot be stored")
        .describe(error.to_string())
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
