//! A calendar with one event, in the field order of the writer that n8n's results come from.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use millrace_model::Str;

/// An event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event {
    pub uid: Str,
    pub title: Str,
    pub stamp: Timestamp,
    pub when: When,
    pub calendar_name: Option<Str>,
    pub description: Option<Str>,
    pub location: Option<Str>,
    pub url: Option<Str>,
    /// Latitude and longitude.
    pub geo: Option<(f64, f64)>,
    pub recurrence: Option<Str>,
    /// `BUSY` or `FREE`, …
    pub busy_status: Option<Str>,
    /// `CONFIRMED`, `TENTATIVE`, `CANCELLED`.
    pub status: Option<Str>,
    pub organizer: Option<(Str, Str)>,
    pub attendees: Vec<Attendee>,
}

/// When it takes place.
#[derive(Clone, Debug)]
pub(crate) enum When {
    Moment {
        start: Timestamp,
        end: Timestamp,
    },
    /// Whole days; `end` is the first day after.
    Days {
        start: Date,
        end: Date,
    },
}

impl Default for When {
    fn default() -> When {
        When::Moment { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Attendee {
    pub name: Str,
    pub email: Str,
    pub rsvp: bool,
}

/// The calendar's text, lines ended by CR LF and folded at 75 octets.
pub(crate) fn write(event: &Event) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "PRODID:adamgibbons/ics".to_owned(),
        "METHOD:PUBLISH".to_owned(),
    ];
    lines.extend(event.calendar_name.as_ref().map(|name| format!("X-WR-CALNAME:{}", escape(name))));
    lines.push("X-PUBLISHED-TTL:PT1H".to_owned());
    lines.push("BEGIN:VEVENT".to_owned());
    lines.push(format!("UID:{}", escape(&event.uid)));
    lines.push(format!("SUMMARY:{}", escape(&event.title)));
    lines.push(format!("DTSTAMP:{}", moment(event.stamp)));
    match &event.when {
        When::Moment { start, end } => {
            lines.push(format!("DTSTART:{}", moment(*start)));
            lines.push(format!("DTEND:{}", moment(*end)));
        }
        When::Days { start, end } => {
            lines.push(format!("DTSTART;VALUE=DATE:{}", start.strftime("%Y%m%d")));
            lines.push(format!("DTEND;VALUE=DATE:{}", end.strftime("%Y%m%d")));
        }
    }
    lines.extend(event.description.as_ref().map(|text| format!("DESCRIPTION:{}", escape(text))));
    lines.extend(event.url.as_ref().map(|url| format!("URL:{url}")));
    lines.extend(event.geo.map(|(latitude, longitude)| format!("GEO:{latitude};{longitude}")));
    lines.extend(event.location.as_ref().map(|text| format!("LOCATION:{}", escape(text))));
    lines.extend(event.status.as_ref().map(|status| format!("STATUS:{}", escape(status))));
    let organizer = event.organizer.as_ref();
    lines.extend(organizer.map(|(name, email)| format!("ORGANIZER;CN={}:MAILTO:{email}", parameter(name))));
    for Attendee { name, email, rsvp } in &event.attendees {
        let rsvp = if *rsvp { "TRUE" } else { "FALSE" };
        lines.push(format!("ATTENDEE;RSVP={rsvp};CN={}:mailto:{email}", parameter(name)));
    }
    lines.extend(event.recurrence.as_ref().map(|rule| format!("RRULE:{rule}")));
    lines.extend(event.busy_status.as_ref().map(|status| format!("X-MICROSOFT-CDO-BUSYSTATUS:{}", escape(status))));
    lines.push("END:VEVENT".to_owned());
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().fold(String::new(), |mut text, line| {
        fold(&mut text, line);
        text
    })
}

fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// TEXT values (RFC 5545, 3.3.11).
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

/// Parameter values (RFC 5545, 3.1): no quotes or line breaks; quoted where a separator is inside.
fn parameter(text: &str) -> String {
    let text: String = text.chars().filter(|letter| !letter.is_control() && *letter != '"').collect();
    if text.contains([':', ';', ',']) { format!("\"{text}\"") } else { text }
}

/// Adds a content line, continued on lines that begin with a tab (RFC 5545, 3.1).
fn fold(text: &mut String, line: &str) {
    let mut room = 75;
    for letter in line.chars().filter(|letter| *letter != '\r' && *letter != '\n') {
        if letter.len_utf8() > room {
            text.push_str("\r\n\t");
            room = 74;
        }
        room -= letter.len_utf8();
        // Writing to a String cannot fail.
        let _ = text.write_char(letter);
    }
    text.push_str("\r\n");
}
