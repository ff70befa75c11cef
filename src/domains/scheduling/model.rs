//! The words of schedules, and the rules that decide what becomes of a due time. Pure: no clock, no database.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::timetable::Timetable;
use crate::common::names::names;
use crate::common::{ScheduleId, Timestamp};

/// Missed due times that are counted one by one; beyond it the count is the least there were.
const MAX_COUNTED: u32 = 100_000;
/// Firings of a schedule that may wait for the one before.
pub(super) const MAX_QUEUED: usize = 1_000;

names! {
    /// What a due time does while an execution of the schedule before it still runs.
    Overlap {
        /// It is left out.
        Skip = "skip",
        /// One waits; others are left out.
        QueueOne = "queueOne",
        /// It waits for those before it.
        QueueAll = "queueAll",
        /// The execution that runs is stopped.
        CancelPrevious = "cancelPrevious",
        /// Both run.
        Allow = "allow",
    }
}

names! {
    /// What becomes of due times at which nothing ran to fire them.
    Misfire {
        /// Nothing.
        Skip = "skip",
        /// The last of them is made up for.
        RunOnce = "runOnce",
        /// All that are not older than `catchUpSeconds` are made up for.
        CatchUp = "catchUp",
    }
}

names! {
    /// Where a schedule stands.
    State {
        /// It fires when it is due.
        Active = "active",
        /// A person, or too many failures, stopped it.
        Paused = "paused",
        /// Its workflow is not active.
        Dormant = "dormant",
        /// It is never due again.
        Ended = "ended",
    }
}

names! {
    /// Who keeps a schedule.
    Origin {
        /// Made over the API.
        Api = "api",
        /// A trigger node of an active workflow.
        Workflow = "workflow",
    }
}

names! {
    /// Why a schedule fired.
    Cause {
        /// It was due.
        Due = "due",
        /// It was due while nothing ran.
        CatchUp = "catchUp",
        /// Somebody asked for it.
        Manual = "manual",
        /// It is made up for a time past.
        Backfill = "backfill",
    }
}

names! {
    /// What became of a due time.
    Outcome {
        /// An execution began.
        Started = "started",
        /// It waits for the execution before.
        Queued = "queued",
        /// A policy left it out.
        Skipped = "skipped",
        /// Nothing ran to fire it.
        Missed = "missed",
        /// No execution could be made.
        Failed = "failed",
    }
}

/// The part of a schedule that decides when it fires.
#[derive(Debug)]
pub(super) struct Timing<'a> {
    pub id: ScheduleId,
    pub timetable: &'a Timetable,
    pub ends_at: Option<Timestamp>,
    pub jitter: Duration,
    pub misfire: Misfire,
    pub catch_up: Duration,
}

/// What is to be done about a schedule whose time has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub missed: Option<Missed>,
    pub fire: Option<(Timestamp, Cause)>,
    /// The due time to look at next; none: the schedule has ended.
    pub next: Option<Timestamp>,
    /// The last due time that is dealt with.
    pub last: Timestamp,
}

/// Due times that are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
}

impl Timing<'_> {
    /// The due time after this one.
    pub(super) fn after(&self, due: Timestamp) -> Option<Timestamp> {
        self.within(self.timetable.next(due, Some(due)))
    }

    /// The first due time after a moment; `last`: the due time before.
    pub(super) fn first_after(&self, moment: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
        self.within(self.timetable.next(moment, last))
    }

    fn within(&self, due: Option<Timestamp>) -> Option<Timestamp> {
        due.filter(|due| self.ends_at.is_none_or(|end| *due <= end))
    }

    /// When a due time fires: later by the jitter, which is the same on every replica.
    pub(super) fn fires_at(&self, due: Timestamp) -> Timestamp {
        let span = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        if span == 0 {
            return due;
        }
        let mut hasher = DefaultHasher::new();
        (self.id, due).hash(&mut hasher);
        due.plus(Duration::from_millis(hasher.finish() % span))
    }

    /// Decides about `due`, whose time has come, and those after it. `grace`: how late a firing may be without anything
    /// having been missed.
    pub(super) fn plan(&self, due: Timestamp, now: Timestamp, grace: Duration) -> Plan {
        let tolerance = if self.misfire == Misfire::CatchUp { grace.max(self.catch_up) } else { grace };
        let is_too_late = |due: Timestamp| now.since(self.fires_at(due)) > tolerance;
        let (mut missed, mut at, mut before_last) = (None::<Missed>, Some(due), due);
        while let Some(late) = at.filter(|at| is_too_late(*at)) {
            let counted = missed.map_or(0, |missed| missed.count).saturating_add(1);
            before_last = missed.map_or(late, |missed| missed.last);
            missed = Some(Missed { first: missed.map_or(late, |missed| missed.first), last: late, count: counted });
            at = if counted < MAX_COUNTED {
                self.after(late)
            } else {
                self.first_after(now.minus(tolerance), Some(late))
            };
        }
        if let Some(made_up) = missed.filter(|_| self.misfire == Misfire::RunOnce) {
            let others = (made_up.count > 1).then(|| Missed { last: before_last, count: made_up.count - 1, ..made_up });
            return Plan { missed: others, fire: Some((made_up.last, Cause::CatchUp)), next: at, last: made_up.last };
        }
        match at.filter(|at| self.fires_at(*at) <= now) {
            Some(at) => {
                let cause = if now.since(self.fires_at(at)) > grace { Cause::CatchUp } else { Cause::Due };
                Plan { missed, fire: Some((at, cause)), next: self.after(at), last: at }
            }
            None => Plan { missed, fire: None, next: at, last: missed.map_or(due, |missed| missed.last) },
        }
    }
}

/// Whether a firing may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Start,
    /// Start, and stop what runs.
    Replace,
    Queue,
    /// Leave it out, for this reason.
    Skip(&'static str),
}

impl Overlap {
    /// `running`, `queued`: how many firings before it are not over, or wait.
    pub(super) fn admit(self, running: usize, queued: usize) -> Admission {
        const STILL_RUNS: &str = "the execution before still runs";
        const QUEUE_FULL: &str = "the execution before still runs, and as many firings wait as may";
        let is_busy = running + queued > 0;
        match self {
            Overlap::Allow => Admission::Start,
            _ if !is_busy => Admission::Start,
            Overlap::Skip => Admission::Skip(STILL_RUNS),
            Overlap::CancelPrevious => Admission::Replace,
            Overlap::QueueOne if queued == 0 => Admission::Queue,
            Overlap::QueueAll if queued < MAX_QUEUED => Admission::Queue,
            Overlap::QueueOne | Overlap::QueueAll => Admission::Skip(QUEUE_FULL),
        }
    }
}
