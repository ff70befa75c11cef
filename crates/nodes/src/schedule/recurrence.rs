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
        let local = |at: i64| Timestamp::from_millisecond(at).ok().map(|at| at.to_zoned(zone.clone()).datetime());
        let (Some(last), Some(now)) = (last.and_then(local), local(now)) else { return true };
        let passed = count(self.unit, now) - count(self.unit, last);
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        passed >= size || (self.unit == Unit::Weeks && passed == 0)
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
