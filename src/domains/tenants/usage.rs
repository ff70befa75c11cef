//! What a tenant uses in a day. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// A day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(pub(super) i64);

impl Day {
    pub(super) fn of(time: Timestamp) -> Day {
        Day(time.as_millis().div_euclid(DAY_MS))
    }

    /// The first day of the same calendar month.
    pub(super) fn month_start(self) -> Day {
        let offset = self.date().map_or(0, |date| i64::from(date.day()) - 1);
        Day(self.0 - offset)
    }

    pub(super) fn minus(self, days: i64) -> Day {
        Day(self.0.saturating_sub(days))
    }

    fn date(self) -> Option<jiff::civil::Date> {
        let instant = jiff::Timestamp::from_millisecond(self.0.checked_mul(DAY_MS)?).ok()?;
        Some(instant.to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

/// `2025-01-31`
impl std::fmt::Display for Day {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.date() {
            Some(date) => write!(formatter, "{date}"),
            None => write!(formatter, "day {}", self.0),
        }
    }
}

/// Counters; signed, because databases have no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "executions": 1200, "failedExecutions": 4, "nodeRuns": 9600, "computeMs": 84000, "storageBytes": 73400320,
    "aiCostMicros": 125000
}))]
pub struct Usage {
    /// Executions that ended; called workflows count with their callers.
    pub executions: i64,
    pub failed_executions: i64,
    pub node_runs: i64,
    /// Time that executions ran, waiting left out.
    pub compute_ms: i64,
    /// What the stored data of executions take; a day's is what it was when last looked at.
    pub storage_bytes: i64,
    /// Millionths of a US dollar.
    pub ai_cost_micros: i64,
}

impl Usage {
    pub fn add(&mut self, other: Usage) {
        *self = self.plus(other);
    }

    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        Usage {
            executions: self.executions.saturating_add(other.executions),
            failed_executions: self.failed_executions.saturating_add(other.failed_executions),
            node_runs: self.node_runs.saturating_add(other.node_runs),
            compute_ms: self.compute_ms.saturating_add(other.compute_ms),
            storage_bytes: self.storage_bytes.saturating_add(other.storage_bytes),
            ai_cost_micros: self.ai_cost_micros.saturating_add(other.ai_cost_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        for (time, start) in [
            ("2025-01-31T23:59:59Z", "2025-01-01"),
            ("2025-02-01T00:00:00Z", "2025-02-01"),
            ("2024-02-29T12:00:00Z", "2024-02-01"),
            ("1969-12-31T12:00:00Z", "1969-12-01"),
        ] {
            assert_eq!(Day::of(time.parse().unwrap()).month_start().to_string(), start);
        }
    }
}
