//! From a rule to instants, through every change of the clock. Pure: no clock of its own.
//!
//! What happens when a zone puts its clocks:
//! - a **time of day** (`30 2 * * *`, a calendar's `02:30`) happens once on every day that exists. Where the clock jumps
//!   over it, it happens when the jump is over (03:00); where the clock repeats it, it happens the first time. On a day
//!   that a zone leaves out (Apia, 2011-12-30) nothing happens;
//! - a **rhythm** (`*/15 * * * *`, a `*` or a step in seconds, minutes or hours) follows the wall clock as it is read:
//!   what is jumped over does not happen, what is repeated happens again;
//! - an **interval** knows no clocks: it counts real time.

use croner::Cron;
use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::cron::{Expression, Fault};
use super::rule::{Calendar, Pace, Rule};
use crate::common::Timestamp;

/// Candidates that may be passed over in search of one at the right pace.
const MAX_CANDIDATES: usize = 100_000;
/// Stretches between two changes of the clock that are searched: some centuries.
const MAX_STRETCHES: usize = 1_000;
/// Days that a calendar is searched for: until the next 29 February that is a given weekday, and more.
const MAX_DAYS: usize = 366 * 41;

/// A rule in a zone, ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Timetable {
    times: Times,
    pace: Option<Pace>,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
enum Times {
    Cron { cron: Box<Cron>, is_fixed: bool },
    Interval { milliseconds: i64, anchor: i64 },
    Calendar(Calendar),
}

impl Timetable {
    /// `anchor`: where an interval begins to count.
    pub(super) fn new(rule: &Rule, zone: TimeZone, anchor: Timestamp) -> Result<Timetable, Fault> {
        let (times, pace) = match rule {
            Rule::Cron { expression, pace } => {
                let Expression { cron, is_fixed, .. } = Expression::parse(expression)?;
                (Times::Cron { cron: Box::new(cron), is_fixed }, *pace)
            }
            Rule::Interval { milliseconds } => {
                let milliseconds = i64::try_from(*milliseconds).unwrap_or(i64::MAX).max(1);
                (Times::Interval { milliseconds, anchor: anchor.as_millis() }, None)
            }
            Rule::Calendar(calendar) => {
                let mut calendar = calendar.clone();
                calendar.times.sort_unstable();
                let pace = calendar.every;
                (Times::Calendar(calendar), pace)
            }
        };
        Ok(Timetable { times, pace, zone })
    }

    /// The first due time after a moment. `last`: the due time before, from which a pace counts. `None`: never again.
    pub(super) fn next(&self, after: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
        let mut at = Instant::from_millisecond(after.as_millis()).ok()?;
        for _ in 0..MAX_CANDIDATES {
            at = self.candidate(at)?;
            let candidate = Timestamp::from_millis(at.as_millisecond());
            if self.is_at_pace(candidate, last) {
                return Some(candidate);
            }
        }
        None
    }

    fn is_at_pace(&self, candidate: Timestamp, last: Option<Timestamp>) -> bool {
        let (Some(pace), Some(last)) = (self.pace, last) else { return true };
        let recurrence = pace.recurrence();
        let passed = recurrence.passed(last.as_millis(), candidate.as_millis(), &self.zone).unwrap_or(i64::MAX);
        // A calendar's times of one day belong together.
        let is_together = passed == 0 && matches!(self.times, Times::Calendar(_));
        is_together || recurrence.is_due(Some(last.as_millis()), candidate.as_millis(), &self.zone)
    }

    fn candidate(&self, after: Instant) -> Option<Instant> {
        match &self.times {
            Times::Cron { cron, is_fixed: true } => time_of_day(cron, &self.zone, after),
            Times::Cron { cron, is_fixed: false } => rhythm(cron, &self.zone, after),
            Times::Interval { milliseconds, anchor } => {
                let passed = after.as_millisecond().checked_sub(*anchor)?;
                let count = passed.div_euclid(*milliseconds).checked_add(1)?.max(0);
                Instant::from_millisecond(anchor.checked_add(count.checked_mul(*milliseconds)?)?).ok()
            }
            Times::Calendar(calendar) => of_calendar(calendar, &self.zone, after),
        }
    }
}

fn time_of_day(cron: &Cron, zone: &TimeZone, after: Instant) -> Option<Instant> {
    let mut local = zone.to_datetime(after);
    for _ in 0..MAX_STRETCHES {
        local = cron.find_next_occurrence(&local, false).ok()?;
        if let Some(at) = moment_of(local, zone).filter(|at| *at > after) {
            return Some(at);
        }
    }
    None
}

/// Searches stretch by stretch: between two changes of the clock local time runs evenly.
fn rhythm(cron: &Cron, zone: &TimeZone, after: Instant) -> Option<Instant> {
    let (mut from, mut inclusive) = (after, false);
    for _ in 0..MAX_STRETCHES {
        let offset = zone.to_offset(from);
        let found = cron.find_next_occurrence(&offset.to_datetime(from), inclusive).ok()?;
        let at = offset.to_timestamp(found).ok()?;
        match zone.following(from).next() {
            Some(change) if change.timestamp() <= at => (from, inclusive) = (change.timestamp(), true),
            _ => return Some(at),
        }
    }
    None
}

fn of_calendar(calendar: &Calendar, zone: &TimeZone, after: Instant) -> Option<Instant> {
    let mut day = zone.to_datetime(after).date();
    for _ in 0..MAX_DAYS {
        if calendar.names(day) {
            let moments = calendar.times.iter().filter_map(|time| moment_of(day.to_datetime(*time), zone));
            if let Some(at) = moments.into_iter().find(|at| *at > after) {
                return Some(at);
            }
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// When a time of day happens. `None`: its day does not exist.
fn moment_of(local: DateTime, zone: &TimeZone) -> Option<Instant> {
    let AmbiguousOffset::Gap { before, after } = zone.to_ambiguous_timestamp(local).offset() else {
        // The first of two, where there are two.
        return zone.to_ambiguous_timestamp(local).compatible().ok();
    };
    // Read with the old offset a time in the gap lies behind the change.
    let behind = before.to_timestamp(local).ok()?.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
    let change = zone.preceding(behind).next()?.timestamp();
    let (first, end) = (before.to_datetime(change), after.to_datetime(change));
    let is_whole_day = first <= local.date().to_datetime(jiff::civil::Time::midnight()) && end.date() > local.date();
    (!is_whole_day).then_some(change)
}
