//! Due times through every kind of change of the clock, and what is decided about them, by tables.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::model::{Admission, Cause, Misfire, Missed, Overlap, Plan, Timing};
use super::rule::{Pace, PaceUnit, Rule};
use super::timetable::Timetable;
use crate::common::{ScheduleId, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(expression: &str) -> Rule {
    Rule::Cron { expression: expression.to_owned(), pace: None }
}

fn timetable(rule: &Rule, zone: &str) -> Timetable {
    Timetable::new(rule, TimeZone::get(zone).unwrap(), at("2025-01-01T00:00:00Z")).unwrap()
}

/// The next due times as the zone reads them.
fn next(rule: &Rule, zone: &str, after: &str, count: usize) -> Vec<String> {
    let timetable = timetable(rule, zone);
    let zone = TimeZone::get(zone).unwrap();
    let first = timetable.next(at(after), None);
    let due = std::iter::successors(first, |due| timetable.next(*due, Some(*due))).take(count);
    let local = |due: Timestamp| jiff::Timestamp::from_millisecond(due.as_millis()).unwrap().to_zoned(zone.clone());
    due.map(|due| local(due).strftime("%Y-%m-%dT%H:%M%:z").to_string()).collect()
}

#[test]
fn times_of_day_happen_once_a_day() {
    for (zone, expression, after, expected) in [
        // A gap of an hour: when it is over. An hour twice: the first time.
        ("Europe/Vienna", "30 2 * * *", "2025-03-29T12:00:00Z", ["2025-03-30T03:00+02:00", "2025-03-31T02:30+02:00"]),
        ("Europe/Vienna", "30 2 * * *", "2025-10-25T12:00:00Z", ["2025-10-26T02:30+02:00", "2025-10-27T02:30+01:00"]),
        ("Europe/Vienna", "0 3 * * *", "2025-03-29T12:00:00Z", ["2025-03-30T03:00+02:00", "2025-03-31T03:00+02:00"]),
        ("America/New_York", "0 2 * * *", "2025-03-08T12:00:00Z", ["2025-03-09T03:00-04:00", "2025-03-10T02:00-04:00"]),
        // Two times of day in the same gap happen together, once.
        (
            "Europe/Vienna",
            "15,45 2 * * *",
            "2025-03-29T12:00:00Z",
            ["2025-03-30T03:00+02:00", "2025-03-31T02:15+02:00"],
        ),
        // Half an hour.
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2025-10-04T00:00:00Z",
            ["2025-10-05T02:30+11:00", "2025-10-06T02:15+11:00"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2025-04-05T00:00:00Z",
            ["2025-04-06T01:45+11:00", "2025-04-07T01:45+10:30"],
        ),
        // Two hours.
        (
            "Antarctica/Troll",
            "30 1 * * *",
            "2025-03-29T12:00:00Z",
            ["2025-03-30T03:00+02:00", "2025-03-31T01:30+02:00"],
        ),
        // At midnight, forwards and backwards.
        (
            "America/Sao_Paulo",
            "0 0 * * *",
            "2018-11-03T12:00:00Z",
            ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"],
        ),
        (
            "America/Sao_Paulo",
            "30 23 * * *",
            "2018-02-17T12:00:00Z",
            ["2018-02-17T23:30-02:00", "2018-02-18T23:30-03:00"],
        ),
        // A day that does not exist.
        ("Pacific/Apia", "0 9 * * *", "2011-12-29T12:00:00Z", ["2011-12-29T09:00-10:00", "2011-12-31T09:00+14:00"]),
        ("Pacific/Apia", "0 9 * * FRI", "2011-12-24T12:00:00Z", ["2012-01-06T09:00+14:00", "2012-01-13T09:00+14:00"]),
        // A zone that changes its mind for good, and one whose winter is the exception.
        ("Asia/Pyongyang", "45 23 * * *", "2015-08-14T00:00:00Z", ["2015-08-14T23:45+09:00", "2015-08-15T23:45+08:30"]),
        ("America/Caracas", "45 2 * * *", "2016-04-30T12:00:00Z", ["2016-05-01T03:00-04:00", "2016-05-02T02:45-04:00"]),
        (
            "Africa/Casablanca",
            "30 2 * * *",
            "2025-02-22T12:00:00Z",
            ["2025-02-23T02:30+01:00", "2025-02-24T02:30+00:00"],
        ),
        (
            "Africa/Casablanca",
            "30 2 * * *",
            "2025-04-05T12:00:00Z",
            ["2025-04-06T03:00+01:00", "2025-04-07T02:30+01:00"],
        ),
    ] {
        assert_eq!(next(&cron(expression), zone, after, 2), expected, "{expression} in {zone}");
    }
}

#[test]
fn rhythms_follow_the_clock_on_the_wall() {
    for (zone, expression, after, expected) in [
        (
            "Europe/Vienna",
            "*/30 * * * *",
            "2025-03-30T00:15:00Z",
            ["2025-03-30T01:30+01:00", "2025-03-30T03:00+02:00", "2025-03-30T03:30+02:00", "2025-03-30T04:00+02:00"],
        ),
        (
            "Europe/Vienna",
            "*/30 * * * *",
            "2025-10-26T00:15:00Z",
            ["2025-10-26T02:30+02:00", "2025-10-26T02:00+01:00", "2025-10-26T02:30+01:00", "2025-10-26T03:00+01:00"],
        ),
        (
            "Australia/Lord_Howe",
            "*/15 1 * * *",
            "2025-04-05T14:20:00Z",
            ["2025-04-06T01:30+11:00", "2025-04-06T01:45+11:00", "2025-04-06T01:30+10:30", "2025-04-06T01:45+10:30"],
        ),
        (
            "Australia/Lord_Howe",
            "*/15 2 * * *",
            "2025-10-04T12:00:00Z",
            ["2025-10-05T02:30+11:00", "2025-10-05T02:45+11:00", "2025-10-06T02:00+11:00", "2025-10-06T02:15+11:00"],
        ),
        (
            "Pacific/Apia",
            "0 */8 * * *",
            "2011-12-30T00:00:00Z",
            ["2011-12-29T16:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T08:00+14:00", "2011-12-31T16:00+14:00"],
        ),
    ] {
        assert_eq!(next(&cron(expression), zone, after, 4), expected, "{expression} in {zone}");
    }
}

/// Zones and days around which their clocks change.
const CHANGES: [(&str, &str); 8] = [
    ("Europe/Vienna", "2025-03-29T00:00:00Z"),
    ("Europe/Vienna", "2025-10-25T00:00:00Z"),
    ("Australia/Lord_Howe", "2025-10-03T12:00:00Z"),
    ("Australia/Lord_Howe", "2025-04-04T12:00:00Z"),
    ("Pacific/Apia", "2011-12-29T00:00:00Z"),
    ("America/Sao_Paulo", "2018-02-16T12:00:00Z"),
    ("America/Sao_Paulo", "2018-11-03T00:00:00Z"),
    ("Asia/Pyongyang", "2015-08-13T12:00:00Z"),
];

/// Against the slowest way to find them: every minute of three days is asked.
#[test]
fn no_minute_of_a_rhythm_is_left_out_or_made_up() {
    for (zone, start) in CHANGES {
        for expression in ["* * * * *", "*/7 * * * *", "*/20 1-3 * * *", "5 */2 * * *", "* 2 * * *"] {
            let parsed = super::cron::Expression::parse(expression).unwrap();
            let (start, zone_) = (at(start), TimeZone::get(zone).unwrap());
            let minutes = (1..3 * 24 * 60).map(|minute| start.plus(Duration::from_secs(minute * 60)));
            let matches = |moment: &Timestamp| {
                let local = zone_.to_datetime(jiff::Timestamp::from_millisecond(moment.as_millis()).unwrap());
                parsed.cron.is_time_matching(&local).unwrap()
            };
            let expected: Vec<Timestamp> = minutes.filter(matches).collect();
            let timetable = timetable(&cron(expression), zone);
            let found: Vec<Timestamp> =
                std::iter::successors(timetable.next(start, None), |due| timetable.next(*due, None))
                    .take(expected.len())
                    .collect();
            assert_eq!(found, expected, "{expression} in {zone}");
        }
    }
}

#[test]
fn every_day_that_exists_has_its_time_of_day_once() {
    for (zone, start) in CHANGES {
        for hour in 0..24 {
            for minute in [0, 15, 30, 59] {
                let timetable = timetable(&cron(&format!("{minute} {hour} * * *")), zone);
                let zone = TimeZone::get(zone).unwrap();
                let date = |due: Timestamp| {
                    zone.to_datetime(jiff::Timestamp::from_millisecond(due.as_millis()).unwrap()).date()
                };
                let mut due = timetable.next(at(start), None).unwrap();
                for _ in 0..3 {
                    let after = timetable.next(due, None).unwrap();
                    let mut tomorrow = date(due).tomorrow().unwrap();
                    if tomorrow == jiff::civil::date(2011, 12, 30) {
                        tomorrow = tomorrow.tomorrow().unwrap();
                    }
                    assert_eq!(date(after), tomorrow, "{hour}:{minute} after {due}");
                    due = after;
                }
            }
        }
    }
}

#[test]
fn intervals_count_real_time() {
    let rule = Rule::Interval { milliseconds: 7 * 3_600_000 };
    let expected = ["2025-10-25T21:00+02:00", "2025-10-26T03:00+01:00", "2025-10-26T10:00+01:00"];
    assert_eq!(next(&rule, "Europe/Vienna", "2025-10-25T14:00:00Z", 3), expected);
}

#[test]
fn calendars_combine_their_conditions() {
    let calendar = |text: &str| serde_json::from_str::<Rule>(text).unwrap();
    for (rule, expected) in [
        (
            r#"{"kind":"calendar","times":["17:00","09:00"],"daysOfWeek":["friday"]}"#,
            ["2025-02-07T09:00+01:00", "2025-02-07T17:00+01:00", "2025-02-14T09:00+01:00"],
        ),
        (
            r#"{"kind":"calendar","times":["12:00"],"daysOfMonth":[-1]}"#,
            ["2025-02-28T12:00+01:00", "2025-03-31T12:00+02:00", "2025-04-30T12:00+02:00"],
        ),
        (
            r#"{"kind":"calendar","times":["12:00"],"daysOfMonth":[13],"daysOfWeek":["friday"]}"#,
            ["2025-06-13T12:00+02:00", "2026-02-13T12:00+01:00", "2026-03-13T12:00+01:00"],
        ),
        (
            r#"{"kind":"calendar","times":["09:00"],"except":["2025-02-02"],"months":[2]}"#,
            ["2025-02-01T09:00+01:00", "2025-02-03T09:00+01:00", "2025-02-04T09:00+01:00"],
        ),
        (
            r#"{"kind":"calendar","times":["09:00","10:00"],"every":{"size":3,"unit":"days"}}"#,
            ["2025-02-01T09:00+01:00", "2025-02-01T10:00+01:00", "2025-02-04T09:00+01:00"],
        ),
    ] {
        assert_eq!(next(&calendar(rule), "Europe/Vienna", "2025-01-31T20:00:00Z", 3), expected, "{rule}");
    }
}

#[test]
fn a_pace_leaves_out_what_cron_cannot() {
    let rule =
        Rule::Cron { expression: "0 0 * * * *".to_owned(), pace: Some(Pace { size: 13, unit: PaceUnit::Hours }) };
    let expected = ["2025-02-01T01:00+00:00", "2025-02-01T14:00+00:00", "2025-02-02T03:00+00:00"];
    assert_eq!(next(&rule, "UTC", "2025-02-01T00:30:00Z", 3), expected);
}

fn timing<'a>(timetable: &'a Timetable, misfire: Misfire) -> Timing<'a> {
    let id = ScheduleId::from_uuid(uuid::Uuid::nil());
    let (jitter, catch_up) = (Duration::ZERO, Duration::from_secs(3 * 3600));
    Timing { id, timetable, ends_at: None, jitter, misfire, catch_up }
}

#[test]
fn what_was_missed_is_dealt_with_as_the_policy_says() {
    let hourly = timetable(&cron("0 * * * *"), "UTC");
    let hour = |hour: u8| at(&format!("2025-02-01T{hour:02}:00:00Z"));
    let missed = |first, last, count| Some(Missed { first: hour(first), last: hour(last), count });
    let now = at("2025-02-01T12:30:00Z");
    for (misfire, due, expected) in [
        // In time, or nearly.
        (Misfire::Skip, 13, Plan { missed: None, fire: None, next: Some(hour(13)), last: hour(13) }),
        // Down for hours.
        (Misfire::Skip, 8, Plan { missed: missed(8, 12, 5), fire: None, next: Some(hour(13)), last: hour(12) }),
        (
            Misfire::RunOnce,
            8,
            Plan {
                missed: missed(8, 11, 4),
                fire: Some((hour(12), Cause::CatchUp)),
                next: Some(hour(13)),
                last: hour(12),
            },
        ),
        (
            Misfire::RunOnce,
            12,
            Plan { missed: None, fire: Some((hour(12), Cause::CatchUp)), next: Some(hour(13)), last: hour(12) },
        ),
        (
            Misfire::CatchUp,
            8,
            Plan {
                missed: missed(8, 9, 2),
                fire: Some((hour(10), Cause::CatchUp)),
                next: Some(hour(11)),
                last: hour(10),
            },
        ),
        (
            Misfire::CatchUp,
            11,
            Plan { missed: None, fire: Some((hour(11), Cause::CatchUp)), next: Some(hour(12)), last: hour(11) },
        ),
    ] {
        let plan = timing(&hourly, misfire).plan(hour(due), now, Duration::from_secs(60));
        assert_eq!(plan, expected, "{misfire} from {due}");
    }
    let in_time = at("2025-02-01T12:00:59Z");
    let plan = timing(&hourly, Misfire::Skip).plan(hour(12), in_time, Duration::from_secs(60));
    assert_eq!(plan, Plan { missed: None, fire: Some((hour(12), Cause::Due)), next: Some(hour(13)), last: hour(12) });
}

#[test]
fn an_end_ends_it() {
    let hourly = timetable(&cron("0 * * * *"), "UTC");
    let end = at("2025-02-01T12:30:00Z");
    let timing = Timing { ends_at: Some(end), ..timing(&hourly, Misfire::Skip) };
    let due = at("2025-02-01T12:00:00Z");
    let plan = timing.plan(due, due, Duration::from_secs(60));
    assert_eq!(plan, Plan { missed: None, fire: Some((due, Cause::Due)), next: None, last: due });
}

#[test]
fn jitter_is_the_same_for_everybody_and_within_its_span() {
    let hourly = timetable(&cron("0 * * * *"), "UTC");
    let timing = Timing { jitter: Duration::from_secs(600), ..timing(&hourly, Misfire::Skip) };
    let due: Vec<Timestamp> =
        std::iter::successors(Some(at("2025-02-01T00:00:00Z")), |due| timing.after(*due)).take(50).collect();
    let delays: std::collections::BTreeSet<_> = due.iter().map(|due| timing.fires_at(*due).since(*due)).collect();
    assert!(delays.len() > 40 && delays.iter().all(|delay| *delay < Duration::from_secs(600)), "{delays:?}");
    assert!(due.iter().all(|due| timing.fires_at(*due) == timing.fires_at(*due)));
}

#[test]
fn overlaps_are_admitted_as_the_policy_says() {
    let is_skip = |admission| matches!(admission, Admission::Skip(_));
    for overlap in Overlap::ALL {
        assert_eq!(overlap.admit(0, 0), Admission::Start, "{overlap}");
    }
    assert!(is_skip(Overlap::Skip.admit(1, 0)));
    assert_eq!(Overlap::QueueOne.admit(1, 0), Admission::Queue);
    assert!(is_skip(Overlap::QueueOne.admit(1, 1)));
    assert_eq!(Overlap::QueueAll.admit(1, 5), Admission::Queue);
    assert!(is_skip(Overlap::QueueAll.admit(1, super::model::MAX_QUEUED)));
    assert_eq!(Overlap::CancelPrevious.admit(1, 0), Admission::Replace);
    assert_eq!(Overlap::Allow.admit(9, 9), Admission::Start);
}
