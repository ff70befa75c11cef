//! Rules of schedule nodes, by tables.

use jiff::tz::TimeZone;
use millrace_model::{Object, Value};

use super::{Recurrence, Rule, Unit, of_cron, of_interval_node, of_schedule_trigger};

fn object(text: &str) -> Object {
    Value::from_json(text).unwrap().as_object().unwrap().clone()
}

/// Seconds 5, minute 2, hour 1 of a spread day.
const SPREAD: u64 = 3600 + 120 + 5;

#[test]
fn reads_schedule_triggers() {
    let cases = [
        (r#"{"field": "seconds", "secondsInterval": 10}"#, "*/10 * * * * *", None),
        (r#"{"field": "minutes"}"#, "5 */5 * * * *", None),
        (r#"{"field": "hours", "triggerAtMinute": 30}"#, "5 30 */1 * * *", None),
        (r#"{"field": "hours", "hoursInterval": 3}"#, "5 2 */3 * * *", Some((3, Unit::Hours))),
        (r#"{"field": "hours", "hoursInterval": 13}"#, "5 2 * * * *", Some((13, Unit::Hours))),
        ("{}", "5 2 1 * * *", None),
        (r#"{"daysInterval": 2, "triggerAtHour": 9, "triggerAtMinute": 0}"#, "5 0 9 * * *", Some((2, Unit::Days))),
        (r#"{"field": "weeks", "triggerAtDay": [1, 3], "triggerAtHour": 9}"#, "5 2 9 * * 1,3", None),
        (r#"{"field": "weeks", "weeksInterval": 2}"#, "5 2 1 * * *", Some((2, Unit::Weeks))),
        (
            r#"{"field": "months", "monthsInterval": 2, "triggerAtDayOfMonth": 15}"#,
            "5 2 1 15 */2 *",
            Some((2, Unit::Months)),
        ),
        (r#"{"field": "cronExpression", "expression": " 0 15 * 1 sun "}"#, "0 15 * 1 sun", None),
    ];
    for (interval, expression, pace) in cases {
        let parameters = object(&format!(r#"{{"rule": {{"interval": [{interval}]}}}}"#));
        let pace = pace.map(|(size, unit)| Recurrence { size, unit });
        assert_eq!(
            of_schedule_trigger(&parameters, SPREAD),
            [Rule::Cron { expression: expression.into(), pace }],
            "{interval}"
        );
    }
    assert!(of_schedule_trigger(&Object::new(), 0).is_empty());
}

#[test]
fn reads_cron_nodes() {
    let cases = [
        ("{}", "5 0 14 * * *"),
        (r#"{"mode": "everyMinute"}"#, "5 * * * * *"),
        (r#"{"mode": "everyHour", "minute": 10}"#, "5 10 * * * *"),
        (r#"{"mode": "everyWeek", "weekday": "0", "hour": 8}"#, "5 0 8 * * 0"),
        (r#"{"mode": "everyMonth", "dayOfMonth": 3}"#, "5 0 14 3 * *"),
        (r#"{"mode": "everyX", "value": 10, "unit": "minutes"}"#, "5 */10 * * * *"),
        (r#"{"mode": "everyX"}"#, "5 0 */2 * * *"),
        (r#"{"mode": "custom", "cronExpression": "1 2 3 * * 1-5"}"#, "1 2 3 * * 1-5"),
    ];
    for (time, expression) in cases {
        let parameters = object(&format!(r#"{{"triggerTimes": {{"item": [{time}]}}}}"#));
        assert_eq!(of_cron(&parameters, SPREAD), [Rule::Cron { expression: expression.into(), pace: None }], "{time}");
    }
}

#[test]
fn reads_interval_nodes() {
    for (parameters, milliseconds) in [("{}", 1000), (r#"{"interval": 2, "unit": "minutes"}"#, 120_000)] {
        assert_eq!(of_interval_node(&object(parameters)), Ok(Rule::Every { milliseconds }), "{parameters}");
    }
    for parameters in [r#"{"interval": 0}"#, r#"{"interval": -1}"#, r#"{"interval": 1e9, "unit": "hours"}"#] {
        assert!(of_interval_node(&object(parameters)).is_err(), "{parameters}");
    }
}

#[test]
fn keeps_the_pace() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let cases = [
        (2, Unit::Hours, "2024-01-01T10:30:00Z", "2024-01-01T11:30:00Z", false),
        (2, Unit::Hours, "2024-01-01T10:30:00Z", "2024-01-01T12:00:00Z", true),
        (3, Unit::Days, "2024-01-30T10:00:00Z", "2024-02-01T10:00:00Z", false),
        (3, Unit::Days, "2024-01-30T10:00:00Z", "2024-02-02T10:00:00Z", true),
        (2, Unit::Weeks, "2024-01-01T10:00:00Z", "2024-01-05T10:00:00Z", true),
        (2, Unit::Weeks, "2024-01-05T10:00:00Z", "2024-01-08T10:00:00Z", false),
        (2, Unit::Weeks, "2024-01-05T10:00:00Z", "2024-01-15T10:00:00Z", true),
        (2, Unit::Months, "2023-12-31T10:00:00Z", "2024-01-31T10:00:00Z", false),
        (2, Unit::Months, "2023-12-31T10:00:00Z", "2024-02-01T10:00:00Z", true),
    ];
    for (size, unit, last, now, expected) in cases {
        let due = Recurrence { size, unit }.is_due(Some(at(last)), at(now), &TimeZone::UTC);
        assert_eq!(due, expected, "every {size} {unit:?}: {last} {now}");
    }
    assert!(Recurrence { size: 9, unit: Unit::Days }.is_due(None, 0, &TimeZone::UTC));
}
