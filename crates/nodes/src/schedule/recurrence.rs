//! A pace that cron expressions cannot say: every third day, every second week.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// Every `size` units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pub size: usize,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Hours,
    Days,
    /// From Monday to Sunday; the days of one week belong together.
    Weeks,
    Months,
}

impl Recurrence {
    /// Is it time again? Milliseconds since the epoch; `last` is when the rule fired before.
    pub fn is_due(&self, last: Option<i64>, now: i64, zone: &TimeZone) -> bool {
        let Some(passed) = last.and_then(|last| self.passed(last, now, zone)) else { return true };
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        passed >= size || (self.unit == Unit::Weeks && passed == 0)
    }

    /// Whole units from one moment to another, as the calendar of the zone counts them: from 23:59 to 00:01 a day.
    /// `None`: a moment that no calendar has.
    pub fn passed(&self, last: i64, now: i64, zone: &TimeZone) -> Option<i64> {
        let local = |at: i64| Some(zone.to_datetime(Timestamp::from_millisecond(at).ok()?));
        Some(count(self.unit, local(now)?) - count(self.unit, local(last)?))
    }
}

/// Number of the unit that a moment lies in.
fn count(unit: Unit, at: civil::DateTime) -> i64 {
    let epoch = civil::Date::constant(1970, 1, 5);
    let days = at.date().since(epoch).map(|span| i64::from(span.get_days())).unwrap_or_default();
    match unit {
        Unit::Hours => days * 24 + i64::from(at.hour()),
        Unit::Days => days,
        Unit::Weeks => days.div_euclid(7),
        Unit::Months => i64::from(at.year()) * 12 + i64::from(at.month()),
    }
}
