//! When a schedule is due, as data: what the database keeps of it as JSON. Pure.

use jiff::civil::{Date, Time};
use millrace_nodes::schedule::{Recurrence, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a schedule is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Rule {
    /// At the times of a cron expression, or at every n-th of its units.
    Cron {
        expression: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pace: Option<Pace>,
    },
    /// Again and again after so many milliseconds.
    Interval {
        milliseconds: u64,
    },
    Calendar(Calendar),
}

/// Times of day on the days that fulfil every condition given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "times": ["09:00", "17:30"], "daysOfWeek": ["monday", "friday"], "except": ["2025-12-26"]
}))]
pub struct Calendar {
    /// Times of day, `HH:MM` or `HH:MM:SS`; 1–288 of them.
    #[schema(value_type = Vec<String>, example = json!(["09:00", "17:30"]))]
    pub times: Vec<Time>,
    /// Only these days of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days_of_week: Vec<Weekday>,
    /// Only these days of the month; −1 is the last one, −2 the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days_of_month: Vec<i8>,
    /// Only these months, 1–12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<i8>,
    /// Not on these dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["2025-12-26"]))]
    pub except: Vec<Date>,
    /// Only every n-th day, week or month, counted from the firing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Pace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Every `size` units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pace {
    /// 1–1000.
    #[schema(example = 2)]
    pub size: u16,
    pub unit: PaceUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PaceUnit {
    Hours,
    Days,
    Weeks,
    Months,
}

impl Pace {
    pub(super) fn recurrence(self) -> Recurrence {
        let unit = match self.unit {
            PaceUnit::Hours => Unit::Hours,
            PaceUnit::Days => Unit::Days,
            PaceUnit::Weeks => Unit::Weeks,
            PaceUnit::Months => Unit::Months,
        };
        Recurrence { size: usize::from(self.size), unit }
    }
}

impl From<Recurrence> for Pace {
    fn from(recurrence: Recurrence) -> Pace {
        let unit = match recurrence.unit {
            Unit::Hours => PaceUnit::Hours,
            Unit::Days => PaceUnit::Days,
            Unit::Weeks => PaceUnit::Weeks,
            Unit::Months => PaceUnit::Months,
        };
        Pace { size: u16::try_from(recurrence.size).unwrap_or(u16::MAX), unit }
    }
}

impl From<millrace_nodes::schedule::Rule> for Rule {
    fn from(rule: millrace_nodes::schedule::Rule) -> Rule {
        match rule {
            millrace_nodes::schedule::Rule::Cron { expression, pace } => {
                Rule::Cron { expression: expression.to_string(), pace: pace.map(Pace::from) }
            }
            millrace_nodes::schedule::Rule::Every { milliseconds } => Rule::Interval { milliseconds },
        }
    }
}

impl Weekday {
    pub(super) fn of(date: Date) -> Weekday {
        match date.weekday() {
            jiff::civil::Weekday::Monday => Weekday::Monday,
            jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
            jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
            jiff::civil::Weekday::Thursday => Weekday::Thursday,
            jiff::civil::Weekday::Friday => Weekday::Friday,
            jiff::civil::Weekday::Saturday => Weekday::Saturday,
            jiff::civil::Weekday::Sunday => Weekday::Sunday,
        }
    }
}

impl Calendar {
    /// Whether the calendar names this day; its pace is another question.
    pub(super) fn names(&self, date: Date) -> bool {
        let from_end = date.day() - date.days_in_month() - 1;
        let open_or = |is_empty: bool, holds: bool| is_empty || holds;
        open_or(self.days_of_week.is_empty(), self.days_of_week.contains(&Weekday::of(date)))
            && open_or(self.months.is_empty(), self.months.contains(&date.month()))
            && open_or(
                self.days_of_month.is_empty(),
                self.days_of_month.iter().any(|day| *day == date.day() || *day == from_end),
            )
            && !self.except.contains(&date)
    }
}

impl Rule {
    /// What the database keeps.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
