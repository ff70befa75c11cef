//! Calendars as JSON, in the shape n8n's `Extract from File` gives them.

use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use millrace_model::{Object, Value};

/// Deepest nesting of components.
const MAX_DEPTH: i32 = 16;

/// Reads a calendar: `version`, `prodId`, `method`, `name`, `events`, `todos`, `journals`.
pub(crate) fn read(text: &str) -> Result<Object, String> {
    check_nesting(text)?;
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with("BEGIN:VCALENDAR") {
        return Err("the file is not a calendar".to_owned());
    }
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded).map_err(|_| "the file is not a calendar".to_owned())?;
    let mut result = Object::new();
    for property in &calendar.properties {
        let key = match property.name.as_str().to_ascii_uppercase().as_str() {
            "VERSION" => "version",
            "PRODID" => "prodId",
            "METHOD" => "method",
            "X-WR-CALNAME" => "name",
            _ => continue,
        };
        result.insert(key, unescape(property.val.as_str()));
    }
    for (kind, key) in [("VEVENT", "events"), ("VTODO", "todos"), ("VJOURNAL", "journals")] {
        let components = calendar.components.iter().filter(|component| component.name.as_str() == kind);
        let components: Vec<Value> = components.map(|component| Value::from(entry(component))).collect();
        if !components.is_empty() {
            result.insert(key, components);
        }
    }
    if result.is_empty() { Err("the file is not a calendar".to_owned()) } else { Ok(result) }
}

fn check_nesting(text: &str) -> Result<(), String> {
    let mut depth = 0;
    for line in text.lines() {
        match line.split_once(':') {
            Some((word, _)) if word.eq_ignore_ascii_case("BEGIN") => depth += 1,
            Some((word, _)) if word.eq_ignore_ascii_case("END") => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("the calendar nests components deeper than {MAX_DEPTH}"));
        }
    }
    Ok(())
}

/// An event, task or journal entry.
fn entry(component: &Component<'_>) -> Object {
    let mut entry = Object::new();
    let mut lists: [(&str, Vec<Value>); 4] =
        [("categories", vec![]), ("exceptionDates", vec![]), ("attendees", vec![]), ("comments", vec![])];
    let mut push = |key: &str, values: Vec<Value>| {
        if let Some((_, list)) = lists.iter_mut().find(|(name, _)| *name == key) {
            list.extend(values);
        }
    };
    for property in &component.properties {
        let text = property.val.as_str();
        match property.name.as_str() {
            "SUMMARY" => drop(entry.insert("summary", unescape(text))),
            "UID" => drop(entry.insert("uid", unescape(text))),
            "DESCRIPTION" => drop(entry.insert("description", unescape(text))),
            "LOCATION" => drop(entry.insert("location", unescape(text))),
            "URL" => drop(entry.insert("url", text)),
            "CLASS" => drop(entry.insert("class", text)),
            "STATUS" => drop(entry.insert("status", text)),
            "TRANSP" => drop(entry.insert("timeTransparent", text)),
            "GEO" => drop(entry.insert("geo", text)),
            "SEQUENCE" => drop(entry.insert("sequence", millrace_model::parse_number(text))),
            "PRIORITY" => drop(entry.insert("priority", text)),
            "DTSTAMP" => drop(entry.insert("stamp", date(property))),
            "DTSTART" => drop(entry.insert("start", date(property))),
            "DTEND" => drop(entry.insert("end", date(property))),
            "DUE" => drop(entry.insert("due", date(property))),
            "CREATED" => drop(entry.insert("created", date(property))),
            "LAST-MODIFIED" => drop(entry.insert("lastModified", date(property))),
            "RRULE" => drop(entry.insert("recurrenceRule", recurrence(text))),
            "ORGANIZER" => drop(entry.insert("organizer", person(property))),
            "ATTENDEE" => push("attendees", vec![person(property)]),
            "COMMENT" => push("comments", vec![unescape(text).into()]),
            "CATEGORIES" => push("categories", text.split(',').map(|name| Value::from(unescape(name))).collect()),
            "EXDATE" => push("exceptionDates", vec![date(property)]),
            _ => {}
        }
    }
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        entry.insert(key, list);
    }
    entry
}

fn parameter<'a>(property: &'a Property<'_>, key: &str) -> Option<&'a str> {
    let found = property.params.iter().find(|parameter| parameter.key.as_str().eq_ignore_ascii_case(key))?;
    found.val.as_ref().map(|value| value.as_str())
}

/// `{date, type}`, with `local` where the time is in a named zone.
fn date(property: &Property<'_>) -> Value {
    let text = property.val.as_str();
    if let Ok(day) = Date::strptime("%Y%m%d", text) {
        let iso = format!("{day}T00:00:00.000Z");
        return Object::from([("date", Value::from(iso)), ("type", Value::from("DATE"))]).into();
    }
    let utc = text.ends_with('Z');
    let Ok(local) = DateTime::strptime("%Y%m%dT%H%M%S", text.trim_end_matches('Z')) else {
        return Object::from([("date", Value::from(text)), ("type", Value::from("DATE-TIME"))]).into();
    };
    let zone = parameter(property, "TZID").filter(|_| !utc);
    let zone_found = zone.and_then(|name| TimeZone::get(name).ok());
    let instant =
        |zone: TimeZone| zone.to_zoned(local).map(|at| at.timestamp().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    let iso = instant(zone_found.unwrap_or(TimeZone::UTC)).unwrap_or_else(|_| text.to_owned());
    let mut value = Object::from([("date", Value::from(iso)), ("type", Value::from("DATE-TIME"))]);
    if let Some(zone) = zone {
        let wall = Value::from(local.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
        value.insert("local", Object::from([("date", wall), ("timezone", Value::from(zone))]));
    }
    value.into()
}

fn person(property: &Property<'_>) -> Value {
    let address = property.val.as_str();
    let email = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).and_then(|_| address.get(7..));
    let mut person = Object::from([("email", Value::from(email.unwrap_or(address)))]);
    let named = [("CN", "name"), ("ROLE", "role"), ("PARTSTAT", "partstat"), ("CUTYPE", "cutype"), ("RSVP", "rsvp")];
    for (key, field) in named {
        if let Some(value) = parameter(property, key) {
            let value = value.trim_matches('"');
            person.insert(field, if key == "RSVP" { Value::from(value == "TRUE") } else { Value::from(value) });
        }
    }
    person.into()
}

/// `FREQ=WEEKLY;COUNT=3` as `{frequency, count}`.
fn recurrence(text: &str) -> Value {
    let fields = text.split(';').filter_map(|part| part.split_once('=')).map(|(key, value)| {
        let number = value.parse::<f64>().ok();
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => ("frequency".to_owned(), Value::from(value)),
            "COUNT" | "INTERVAL" => (key.to_ascii_lowercase(), number.map_or_else(|| Value::from(value), Value::from)),
            _ => (key.to_ascii_lowercase(), Value::from(value)),
        }
    });
    Value::Object(fields.map(|(key, value)| (key.into(), value)).collect())
}

/// TEXT values (RFC 5545, 3.3.11).
fn unescape(text: &str) -> String {
    let (mut plain, mut letters) = (String::with_capacity(text.len()), text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}
