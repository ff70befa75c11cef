//! What a caller asks for, checked: every mistake with the pointer of its field and what is allowed. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;
use millrace_model::{Item, Value};

use super::clockwork::Unreadable;
use super::dto::ScheduleBody;
use super::model::{Misfire, Overlap, Timing};
use super::repository::Row;
use super::rule::{Calendar, Pace, Rule};
use super::timetable::Timetable;
use crate::common::validate::visible_text;
use crate::common::{FieldError, ScheduleId, Timestamp};

const MAX_NAME: usize = 128;
const MAX_DESCRIPTION: usize = 2_000;
const MAX_EVENT: usize = 255;
/// Bytes of input data.
const MAX_INPUT: usize = 256 << 10;
const MAX_INTERVAL: u64 = 366 * 86_400;
const MAX_JITTER: u64 = 86_400;
const MAX_CATCH_UP: u64 = 366 * 86_400;
const MAX_FAILURES: u16 = 1_000;
const MAX_TIMES: usize = 288;
const MAX_EXCEPTIONS: usize = 1_000;
/// Due times between which the jitter has to fit.
const LOOKED_AT: usize = 5;

/// A definition that can be kept.
#[derive(Debug)]
pub(super) struct Definition {
    pub name: String,
    pub description: Option<String>,
    pub rule: Rule,
    pub zone: TimeZone,
    pub zone_name: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub jitter: Duration,
    pub trigger_event: Option<String>,
    /// JSON.
    pub input: Option<String>,
    pub overlap: Overlap,
    pub misfire: Misfire,
    pub catch_up: Duration,
    pub pause_after: u16,
}

impl Definition {
    /// `default_zone`: where the caller names none.
    pub(super) fn check(
        body: &ScheduleBody,
        default_zone: &str,
        now: Timestamp,
    ) -> Result<Definition, Vec<FieldError>> {
        Definition::with_rule(body, rule_of(body), default_zone, now)
    }

    /// The same for a rule that the body does not say.
    pub(super) fn with_rule(
        body: &ScheduleBody,
        rule: Result<Rule, Vec<FieldError>>,
        default_zone: &str,
        now: Timestamp,
    ) -> Result<Definition, Vec<FieldError>> {
        let mut faults = Vec::new();
        check_texts(body, &mut faults);
        check_numbers(body, &mut faults);
        check_span(body, now, &mut faults);
        let input = check_input(body.input_data.as_ref(), &mut faults);
        let zone_name = body.timezone.as_deref().unwrap_or(default_zone);
        let zone = find_zone(zone_name).map_err(|fault| faults.push(fault)).ok();
        let rule = rule.map_err(|found| faults.extend(found)).ok();
        let (Some(zone), Some(rule)) = (zone, rule) else { return Err(faults) };
        let definition = Definition {
            name: body.name.trim().to_owned(),
            description: body.description.clone().filter(|text| !text.trim().is_empty()),
            zone_name: zone.iana_name().unwrap_or(zone_name).to_owned(),
            zone,
            rule,
            starts_at: body.starts_at,
            ends_at: body.ends_at,
            jitter: Duration::from_secs(body.jitter_seconds),
            trigger_event: body.trigger_event.clone(),
            input,
            overlap: body.overlap,
            misfire: body.misfire,
            catch_up: Duration::from_secs(body.catch_up_seconds),
            pause_after: body.pause_after_failures,
        };
        definition.check_due_times(body, now, &mut faults);
        if faults.is_empty() { Ok(definition) } else { Err(faults) }
    }

    /// Refuses what is never due, and a jitter that would carry a firing beyond the next one.
    fn check_due_times(&self, body: &ScheduleBody, now: Timestamp, faults: &mut Vec<FieldError>) {
        let pointer = rule_pointer(body);
        let timetable = match self.timetable(now) {
            Ok(timetable) => timetable,
            Err(fault) => return faults.push(FieldError::new(pointer, "cron", fault.to_string())),
        };
        let from = first_search(self.starts_at, now);
        let mut due = std::iter::successors(timetable.next(from, None), |due| timetable.next(*due, Some(*due)));
        let within: Vec<Timestamp> =
            due.by_ref().take(LOOKED_AT).take_while(|due| self.ends_at.is_none_or(|end| *due <= end)).collect();
        if within.is_empty() {
            let message = "such a time never comes, or not before `endsAt`";
            return faults.push(FieldError::new(pointer, "never_due", message));
        }
        let gaps = within.iter().zip(within.iter().skip(1)).map(|(one, next)| next.since(*one));
        if let Some(gap) = gaps.min().filter(|gap| self.jitter >= *gap) {
            let message =
                format!("must be shorter than the time between two firings, which is {} seconds", gap.as_secs());
            faults.push(FieldError::new("/jitterSeconds", "jitter_too_long", message));
        }
    }

    /// Ready to be asked; `now`: where an interval begins to count that names no start.
    pub(super) fn timetable(&self, now: Timestamp) -> Result<Timetable, Unreadable> {
        Ok(Timetable::new(&self.rule, self.zone.clone(), self.starts_at.unwrap_or(now))?)
    }

    /// When the schedule with this id would fire.
    pub(super) fn timing<'a>(&self, id: ScheduleId, timetable: &'a Timetable) -> Timing<'a> {
        let (ends_at, jitter) = (self.ends_at, self.jitter);
        Timing { id, timetable, ends_at, jitter, misfire: self.misfire, catch_up: self.catch_up }
    }

    /// Writes the definition into a row.
    pub(super) fn apply(self, row: &mut Row) {
        row.name = self.name;
        row.description = self.description;
        row.rule = self.rule.to_json();
        row.zone = self.zone_name;
        row.starts_at = self.starts_at;
        row.ends_at = self.ends_at;
        row.jitter_ms = millis(self.jitter);
        row.trigger_event = self.trigger_event;
        row.input = self.input;
        row.overlap = self.overlap;
        row.misfire = self.misfire;
        row.catch_up_ms = millis(self.catch_up);
        row.pause_after = i32::from(self.pause_after);
    }
}

/// The moment after which the first due time lies.
pub(super) fn first_search(starts_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    // A start that is a due time itself counts.
    starts_at.map_or(now, |start| now.max(start.minus(Duration::from_millis(1))))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The zone of an IANA name; the error suggests names that look alike.
pub(super) fn find_zone(name: &str) -> Result<TimeZone, FieldError> {
    TimeZone::get(name).map_err(|_| {
        let database = jiff::tz::db();
        let likeness = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
        let known = database.available().map(|known| known.to_string());
        let best = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).unwrap_or_default();
        let message = format!("is no time zone; use an IANA name such as \"{best}\"");
        FieldError::new("/timezone", "unknown_zone", message)
    })
}

fn rule_pointer(body: &ScheduleBody) -> &'static str {
    match (&body.cron, body.every_seconds) {
        (Some(_), _) => "/cron",
        (None, Some(_)) => "/everySeconds",
        (None, None) => "/calendar",
    }
}

fn rule_of(body: &ScheduleBody) -> Result<Rule, Vec<FieldError>> {
    match (&body.cron, body.every_seconds, &body.calendar) {
        (Some(expression), None, None) => {
            super::cron::Expression::parse(expression)
                .map_err(|fault| vec![FieldError::new("/cron", "cron", fault.to_string())])?;
            Ok(Rule::Cron { expression: expression.trim().to_owned(), pace: None })
        }
        (None, Some(seconds), None) if (1..=MAX_INTERVAL).contains(&seconds) => {
            Ok(Rule::Interval { milliseconds: seconds * 1000 })
        }
        (None, Some(_), None) => {
            let message = format!("must be between 1 and {MAX_INTERVAL}");
            Err(vec![FieldError::new("/everySeconds", "range", message)])
        }
        (None, None, Some(calendar)) => {
            let faults = calendar_faults(calendar);
            if faults.is_empty() { Ok(Rule::Calendar(calendar.clone())) } else { Err(faults) }
        }
        (None, None, None) => {
            let message = "say when: by `cron`, `everySeconds` or `calendar`";
            Err(vec![FieldError::new("/cron", "rule_missing", message)])
        }
        _ => {
            let message = "only one of `cron`, `everySeconds` and `calendar` may be given";
            Err(vec![FieldError::new(rule_pointer(body), "rule_ambiguous", message)])
        }
    }
}

fn calendar_faults(calendar: &Calendar) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, field: &str, message: &str| {
        if !holds {
            faults.push(FieldError::new(format!("/calendar/{field}"), "range", message));
        }
    };
    require((1..=MAX_TIMES).contains(&calendar.times.len()), "times", "name 1 to 288 times of day");
    require(calendar.days_of_week.len() <= 7, "daysOfWeek", "there are seven");
    let is_day = |day: &i8| (1..=31).contains(day) || (-31..=-1).contains(day);
    require(
        calendar.days_of_month.len() <= 62 && calendar.days_of_month.iter().all(is_day),
        "daysOfMonth",
        "days are 1 to 31, or -1 (the last one) to -31",
    );
    require(
        calendar.months.len() <= 12 && calendar.months.iter().all(|month| (1..=12).contains(month)),
        "months",
        "months are 1 to 12",
    );
    require(calendar.except.len() <= MAX_EXCEPTIONS, "except", "at most 1000 dates");
    let is_pace = |pace: Pace| (1..=1000).contains(&pace.size);
    require(calendar.every.is_none_or(is_pace), "every/size", "must be between 1 and 1000");
    faults
}

fn check_texts(body: &ScheduleBody, faults: &mut Vec<FieldError>) {
    let mut check = |pointer: &str, text: Option<&str>, longest: usize| {
        let Some(text) = text else { return };
        if text.chars().count() > longest {
            let message = format!("must be at most {longest} characters long");
            faults.push(FieldError::new(pointer, "length", message));
        }
        if let Err(error) = visible_text(&text.replace('\n', " ")) {
            faults.push(FieldError::new(pointer, error.code, error.message.unwrap_or_default()));
        }
    };
    check("/name", Some(&body.name), MAX_NAME);
    check("/description", body.description.as_deref().filter(|text| !text.is_empty()), MAX_DESCRIPTION);
    check("/triggerEvent", body.trigger_event.as_deref(), MAX_EVENT);
}

fn check_numbers(body: &ScheduleBody, faults: &mut Vec<FieldError>) {
    let mut check = |pointer: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            faults.push(FieldError::new(pointer, "range", format!("must be between {least} and {most}")));
        }
    };
    check("/jitterSeconds", body.jitter_seconds, 0, MAX_JITTER);
    check("/catchUpSeconds", body.catch_up_seconds, 1, MAX_CATCH_UP);
    check("/pauseAfterFailures", u64::from(body.pause_after_failures), 0, u64::from(MAX_FAILURES));
}

fn check_span(body: &ScheduleBody, now: Timestamp, faults: &mut Vec<FieldError>) {
    let Some(end) = body.ends_at else { return };
    if body.starts_at.is_some_and(|start| start >= end) {
        faults.push(FieldError::new("/endsAt", "end_before_start", "must be later than `startsAt`"));
    } else if end <= now {
        faults.push(FieldError::new("/endsAt", "in_the_past", "must be in the future"));
    }
}

fn check_input(input: Option<&Value>, faults: &mut Vec<FieldError>) -> Option<String> {
    let input = input.filter(|input| !input.is_nullish())?;
    let is_item = |value: &Value| Item::from_value(value).json.as_object().is_some();
    let holds_items = match input {
        Value::Array(list) => list.iter().all(is_item),
        one => is_item(one),
    };
    let text = input.to_json();
    if !holds_items {
        faults.push(FieldError::new("/inputData", "wrong_type", "must be an object (one item) or a list of objects"));
    } else if text.len() > MAX_INPUT {
        faults.push(FieldError::new("/inputData", "length", format!("must be at most {MAX_INPUT} bytes of JSON")));
    }
    Some(text)
}
