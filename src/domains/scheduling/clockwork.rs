//! Where the clock of a schedule stands: the row's due time, and how it moves on. The rows are changed here, not written.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::cron::Fault;
use super::definition::first_search;
use super::model::{Missed, State, Timing};
use super::repository::Row;
use super::rule::Rule;
use super::timetable::Timetable;
use crate::common::Timestamp;

/// Due times that are counted where they are given up together.
const MAX_COUNTED: u32 = 10_000;

/// The rule of a row cannot be read. Rows are checked before they are kept: this is a defect, or another version's rule.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the rule of the schedule cannot be read")]
    Rule(#[from] serde_json::Error),
    #[error("the zone of the schedule is not known: {0}")]
    Zone(#[from] jiff::Error),
    #[error("the cron expression of the schedule cannot be read: {0}")]
    Cron(String),
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Unreadable {
        Unreadable::Cron(fault.to_string())
    }
}

impl Row {
    pub(super) fn read_rule(&self) -> Result<Rule, Unreadable> {
        Ok(serde_json::from_str(&self.rule)?)
    }

    pub(super) fn time_zone(&self) -> Result<TimeZone, Unreadable> {
        Ok(TimeZone::get(&self.zone)?)
    }

    pub(super) fn timetable(&self) -> Result<Timetable, Unreadable> {
        Ok(Timetable::new(&self.read_rule()?, self.time_zone()?, self.anchor)?)
    }

    pub(super) fn timing<'a>(&self, timetable: &'a Timetable) -> Timing<'a> {
        Timing {
            id: self.id,
            timetable,
            ends_at: self.ends_at,
            jitter: duration(self.jitter_ms),
            misfire: self.misfire,
            catch_up: duration(self.catch_up_ms),
        }
    }

    /// Sets the next due time and what follows from it.
    pub(super) fn set_due(&mut self, timing: &Timing<'_>, due: Option<Timestamp>) {
        self.due_at = due;
        self.fire_at = due.map(|due| timing.fires_at(due));
        if due.is_none() {
            self.state = State::Ended;
        }
    }

    /// Reckons anew when its due time fires, by its jitter.
    pub(super) fn put_off(&mut self) -> Result<(), Unreadable> {
        let timetable = self.timetable()?;
        self.fire_at = self.due_at.map(|due| self.timing(&timetable).fires_at(due));
        Ok(())
    }

    /// Lets it fire from now on, or as soon as its workflow is active.
    pub(super) fn arm(&mut self, now: Timestamp) -> Result<(), Unreadable> {
        if self.version_id.is_none() {
            self.disarm(State::Dormant);
            return Ok(());
        }
        let timetable = self.timetable()?;
        let timing = self.timing(&timetable);
        let due = timing.first_after(first_search(self.starts_at, now), self.last_due_at);
        self.state = State::Active;
        self.set_due(&timing, due);
        Ok(())
    }

    /// Lets it fire no more.
    pub(super) fn disarm(&mut self, state: State) {
        self.state = state;
        self.due_at = None;
        self.fire_at = None;
    }

    /// The due times from its pause until now.
    pub(super) fn paused_over(&self, now: Timestamp) -> Result<Option<Missed>, Unreadable> {
        let Some(paused_at) = self.paused_at else { return Ok(None) };
        let timetable = self.timetable()?;
        let timing = self.timing(&timetable);
        let first = timing.first_after(first_search(self.starts_at, paused_at), self.last_due_at);
        Ok(until(&timing, first, now))
    }

    /// The due times that have come and did not fire yet.
    pub(super) fn overdue(&self, now: Timestamp) -> Result<Option<Missed>, Unreadable> {
        let Some(due) = self.due_at.filter(|due| *due <= now) else { return Ok(None) };
        let timetable = self.timetable()?;
        Ok(until(&self.timing(&timetable), Some(due), now))
    }
}

/// The due times from the first one until now.
fn until(timing: &Timing<'_>, first: Option<Timestamp>, now: Timestamp) -> Option<Missed> {
    let mut missed: Option<Missed> = None;
    let mut at = first;
    while let Some(due) = at.filter(|due| *due <= now) {
        let counted = missed.map_or(0, |missed| missed.count);
        if counted >= MAX_COUNTED {
            break;
        }
        missed = Some(Missed { first: missed.map_or(due, |missed| missed.first), last: due, count: counted + 1 });
        at = timing.after(due);
    }
    missed
}

pub(super) fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
