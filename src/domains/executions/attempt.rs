//! One attempt at an execution: what it began with, what happened so far, whether it is stored yet, and who waits for it.
//! A short run without effects is stored once, when it is over. It is stored earlier when something leaves the process,
//! when a caller is to be answered, or when it takes long: so nothing that was seen outside can be forgotten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_engine::{Event, NodeOutcome, NodeTask, Options, Resume, Run, Start};
use millrace_model::{ExecutionError, Item, Items, NodeIndex};
use millrace_nodes::WebhookResponse;
use millrace_runner::Observer;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::answer::{Answer, Interest};
use super::error::Error;
use super::live::Caller;
use super::payload;
use super::programs::Program;
use super::repository::{Payload, Row};
use super::tenancy::Tenancy;
use super::writer::{Write, Writer};

pub(super) struct Attempt {
    /// As it stands while it runs.
    pub row: Row,
    pub program: Arc<Program>,
    pub begin: Begin,
    /// How many workflow calls are around it.
    pub depth: u32,
    pub tenancy: Tenancy,
    events: Mutex<Vec<Event>>,
    stored: OnceCell<()>,
    over: AtomicBool,
    caller: Mutex<Option<Caller>>,
    response: Mutex<Option<WebhookResponse>>,
}

/// Where an attempt begins: at a start node, or after a pause.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub node: NodeIndex,
    pub items: Items,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    pub honour_pins: bool,
    /// What happened before the pause, and how it ended.
    pub resumed: Option<(Vec<Event>, Resume)>,
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
}

impl Attempt {
    pub(super) fn new(row: Row, program: Arc<Program>, begin: Begin, depth: u32) -> Attempt {
        let events = begin.resumed.as_ref().map(|(earlier, resume)| {
            let mut events = earlier.clone();
            events.push(Event::Resumed(resume.clone()));
            events
        });
        Attempt {
            row,
            program,
            begin,
            depth,
            tenancy: Tenancy::default(),
            events: Mutex::new(events.unwrap_or_default()),
            stored: OnceCell::new(),
            over: AtomicBool::new(false),
            caller: Mutex::default(),
            response: Mutex::default(),
        }
    }

    /// Says that the row is in the database already.
    #[must_use]
    pub(super) fn stored(self) -> Attempt {
        Attempt { stored: OnceCell::new_with(Some(())), ..self }
    }

    #[must_use]
    pub(super) fn with_caller(self, caller: Option<Caller>) -> Attempt {
        Attempt { caller: Mutex::new(caller), ..self }
    }

    pub(super) fn options(&self) -> Options {
        Options { honour_pins: self.begin.honour_pins, ..Options::default() }
    }

    pub(super) fn start(&self) -> Start {
        Start { node: self.begin.node, items: Arc::clone(&self.begin.items), at_ms: self.begin.at_ms }
    }

    /// The run as it was before its pause.
    pub(super) fn rebuilt(&self, events: &[Event]) -> Run {
        let compiled = &self.program.compiled;
        let (workflow, facts) = (Arc::clone(compiled.workflow()), Arc::clone(compiled.facts()));
        let mut run = Run::new(workflow, facts, self.start(), self.options());
        for event in events {
            run.apply(event.clone());
        }
        run
    }

    /// Nodes that this attempt ran.
    pub(super) fn node_runs(&self) -> usize {
        let earlier = self.begin.resumed.as_ref().map_or(0, |(events, _)| events.len());
        let ran = |event: &&Event| matches!(event, Event::Completed(_));
        lock(&self.events).iter().skip(earlier).filter(ran).count()
    }

    pub(super) fn is_stored(&self) -> bool {
        self.stored.initialized()
    }

    /// Makes the execution durable as running, if it is not yet.
    pub(super) async fn store(&self, writer: &Writer) -> Result<(), Error> {
        let store = || async {
            let payload = self.payload(None, true)?;
            writer.accept(Write::Put(Box::new(self.row.clone()), Some(payload)))?.wait().await?;
            Ok(())
        };
        self.stored.get_or_try_init(store).await.map(drop)
    }

    /// The run has ended or paused: from now on only its outcome is stored. Gives whether it was stored before.
    pub(super) async fn close(&self) -> bool {
        self.over.store(true, Ordering::SeqCst);
        let mut was_stored = true;
        self.stored.get_or_init(|| async { was_stored = false }).await;
        was_stored
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// What is stored beside the row: `data`, and the state where the execution is not over.
    pub(super) fn payload(&self, data: Option<Vec<u8>>, with_state: bool) -> Result<Payload, serde_json::Error> {
        let state = if with_state {
            let events = lock(&self.events);
            let state = StateRef {
                node: &self.program.workflow().node(self.begin.node).name,
                items: &self.begin.items,
                at_ms: self.begin.at_ms,
                honour_pins: self.begin.honour_pins,
                events: &events,
            };
            Some(payload::encode(&state)?)
        } else {
            None
        };
        Ok(Payload { tenant_id: self.row.tenant_id, execution_id: self.row.id, data, state })
    }

    /// Keeps the answer of a node for the caller; `false`: nobody waits for one, or one is there already.
    pub(super) fn respond(&self, response: WebhookResponse) -> bool {
        let mut kept = lock(&self.response);
        let waits = |caller: &Caller| caller.interest == Interest::FirstAnswer;
        let is_wanted = kept.is_none() && lock(&self.caller).as_ref().is_some_and(waits);
        if is_wanted {
            *kept = Some(response);
        }
        is_wanted
    }

    /// Sends the answer of a node, if there is one and it was not sent yet.
    pub(super) fn send_response(&self) {
        let Some(response) = lock(&self.response).take() else { return };
        self.answer(Answer::Responded(response));
    }

    /// Sends an answer, if somebody still waits for one.
    pub(super) fn answer(&self, answer: Answer) {
        if let Some(caller) = self.take_caller() {
            // The caller may have gone away.
            let _ = caller.answer.send(answer);
        }
    }

    pub(super) fn take_caller(&self) -> Option<Caller> {
        lock(&self.caller).take()
    }
}

/// Keeps what happens, so that the run can be rebuilt after a pause.
impl Observer for Attempt {
    fn completing(&self, _: &NodeTask, outcome: &NodeOutcome) {
        lock(&self.events).push(Event::Completed(Box::new(outcome.clone())));
    }
}

impl Begin {
    /// Reads what was stored. `Err`: the node is gone, or the payload cannot be read.
    pub(super) fn restore(stored: &[u8], program: &Program) -> Result<(Begin, Vec<Event>), Error> {
        let state: State = payload::decode_as(stored)?;
        let node = program.workflow().find(&state.node).ok_or(Error::NoData)?;
        let begin = Begin {
            node,
            items: Arc::new(state.items),
            at_ms: state.at_ms,
            honour_pins: state.honour_pins,
            resumed: None,
        };
        Ok((begin, state.events))
    }
}

/// What a run is told when its execution cannot be made durable.
pub(super) fn not_stored(error: &Error) -> ExecutionError {
    ExecutionError::new("WorkflowOperationError", "The execution was stopped because it cannot be stored")
        .describe(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
