//! The journal of one attempt: what happened since its state was stored, made durable with each effect before the next
//! node starts. Nothing is journaled before something has left the process: until then there is nothing to remember.
//! A run is rebuilt by applying, in order, the events of its stored state and of its journal.

use async_trait::async_trait;
use millrace_engine::{Event, NodeOutcome, NodeTask, Run};
use millrace_model::ExecutionError;
use millrace_runner::Observer;
use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, not_stored};
use super::dto::{TimelineEvent, TimelineKind};
use super::error::Error;
use super::executor::Executor;
use super::payload::{self, Corrupt};
use super::repository::Append;
use super::writer::{Write, WriteError, Writer};
use super::{binaries, timeline};

/// Version of the rows written here; rows of another version are not guessed at.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct EntriesRef<'a> {
    version: u32,
    events: &'a [Event],
}

#[derive(Deserialize)]
struct Entries {
    version: u32,
    events: Vec<serde_json::Value>,
}

/// Puts events into a row.
pub(super) fn encode(events: &[Event]) -> Result<Vec<u8>, serde_json::Error> {
    payload::encode(&EntriesRef { version: VERSION, events })
}

fn decode(stored: &[u8]) -> Result<Vec<Event>, Corrupt> {
    let entries: Entries = payload::decode_as(stored)?;
    if entries.version != VERSION {
        return Err(Corrupt::Version { found: entries.version, known: VERSION });
    }
    Ok(entries.events.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}

/// All events of an execution: those of its state, then those of its journal.
pub(super) fn join(mut events: Vec<Event>, journal: Vec<(i32, Vec<u8>)>) -> Result<Vec<Event>, Error> {
    for (seq, entries) in journal {
        if usize::try_from(seq).ok() != Some(events.len()) {
            return Err(Error::Corrupt(Corrupt::Gap { found: seq, events: events.len() }));
        }
        events.extend(decode(&entries)?);
    }
    Ok(events)
}

/// Watches an attempt's run and keeps its journal.
pub(super) struct Recorder<'a> {
    pub attempt: &'a Attempt,
    pub executor: &'a Executor,
}

impl Recorder<'_> {
    /// Tells who watches the tenant's executions.
    fn tell(&self, event: impl FnOnce() -> Option<TimelineEvent>) {
        let (parts, row) = (&self.executor.0, &self.attempt.row);
        if parts.events.is_attended(row.tenant_id)
            && let Some(event) = event()
        {
            parts.telling.node(row, &event);
        }
    }
}

#[async_trait]
impl Observer for Recorder<'_> {
    fn started(&self, run: &Run, task: &NodeTask) {
        self.attempt.at(task);
        self.tell(|| {
            let node = Some(run.workflow().node(task.node).name.to_string());
            let event = TimelineEvent::at(self.executor.0.clock.now(), TimelineKind::NodeStarted);
            Some(TimelineEvent { node, execution_index: Some(task.execution_index), ..event })
        });
    }

    fn finished(&self, run: &Run, task: &NodeTask) {
        self.tell(|| {
            let done = run.data().of(task.node).last().filter(|done| done.execution_index == task.execution_index)?;
            Some(timeline::of_run(&run.workflow().node(task.node).name, done))
        });
    }

    fn completing(&self, _: &NodeTask, outcome: &NodeOutcome) {
        self.attempt.push(Event::Completed(Box::new(outcome.clone())));
        self.attempt.forget_calls();
    }

    fn has_effects(&self) -> bool {
        self.attempt.has_effects()
    }

    async fn record(&self, _: &NodeTask, outcome: &NodeOutcome) -> Result<(), ExecutionError> {
        if let Err(error) = self.attempt.binaries.keep().await {
            // The outcome does not count, so nothing names them.
            self.attempt.binaries.drop_staged();
            return Err(binaries::failed("stored", &error));
        }
        if !self.attempt.is_stored() {
            return Ok(());
        }
        match append(self.attempt, &self.executor.0.writer, outcome).await {
            Ok(()) => Ok(()),
            Err(Error::Write(WriteError::Superseded)) => {
                self.attempt.lose();
                Err(not_stored(&WriteError::Superseded.into()))
            }
            Err(error) => Err(not_stored(&error)),
        }
    }
}

async fn append(attempt: &Attempt, writer: &Writer, outcome: &NodeOutcome) -> Result<(), Error> {
    let (seq, mut events) = attempt.unjournaled();
    events.push(Event::Completed(Box::new(outcome.clone())));
    let append = Append {
        tenant: attempt.row.tenant_id,
        execution: attempt.row.id,
        attempt: attempt.row.attempt,
        seq: i32::try_from(seq).unwrap_or(i32::MAX),
        entries: encode(&events)?,
    };
    writer.finish(Write::Append(Box::new(append))).await?.wait().await?;
    attempt.journaled(seq + events.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completed(millis: i64) -> Event {
        Event::Completed(Box::new(NodeOutcome { started_ms: millis, ..NodeOutcome::success(Vec::new()) }))
    }

    fn starts(events: &[Event]) -> Vec<i64> {
        let start = |event: &Event| match event {
            Event::Completed(outcome) => outcome.started_ms,
            _ => -1,
        };
        events.iter().map(start).collect()
    }

    #[test]
    fn state_and_journal_make_one_story() {
        let journal = vec![(1, encode(&[completed(2), completed(3)]).unwrap()), (3, encode(&[completed(4)]).unwrap())];
        assert_eq!(starts(&join(vec![completed(1)], journal).unwrap()), [1, 2, 3, 4]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let row = |value: serde_json::Value| payload::encode(&value).unwrap();
        let gap = join(Vec::new(), vec![(1, encode(&[completed(1)]).unwrap())]).unwrap_err();
        assert!(matches!(gap, Error::Corrupt(Corrupt::Gap { found: 1, events: 0 })), "{gap}");
        let newer = join(Vec::new(), vec![(0, row(json!({ "version": 2, "events": [{ "Slept": 1 }] })))]).unwrap_err();
        assert!(matches!(newer, Error::Corrupt(Corrupt::Version { found: 2, known: 1 })), "{newer}");
        for broken in
            [row(json!({ "version": 1, "events": [{ "Slept": 1 }] })), row(json!([])), vec![1, 2, 3], Vec::new()]
        {
            assert!(join(Vec::new(), vec![(0, broken)]).is_err());
        }
    }
}
