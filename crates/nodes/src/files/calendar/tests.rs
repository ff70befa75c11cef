//! What is written is read back; folding, escaping, zones, garbage.

use jiff::civil::date;
use millrace_model::Value;

use super::*;

fn event() -> Event {
    Event {
        uid: "id-1".into(),
        title: "Plan; review, \"decide\"".into(),
        stamp: "2024-05-01T08:00:00Z".parse().unwrap(),
        when: When::Days { start: date(2024, 5, 2), end: date(2024, 5, 3) },
        description: Some("line one\nline two".into()),
        attendees: vec![Attendee { name: "Ann: lead".into(), email: "ann@example.com".into(), rsvp: true }],
        ..Event::default()
    }
}

#[test]
fn an_event_is_read_back() {
    let calendar = Value::from(read(&write(&event())).unwrap());
    let event = &calendar.get("events").unwrap().as_array().unwrap()[0];
    assert_eq!(event.get("summary"), Some(&Value::from("Plan; review, \"decide\"")));
    assert_eq!(event.get("description"), Some(&Value::from("line one\nline two")));
    assert_eq!(event.get("start").unwrap().to_json(), r#"{"date":"2024-05-02T00:00:00.000Z","type":"DATE"}"#);
    assert_eq!(event.get("stamp").unwrap().to_json(), r#"{"date":"2024-05-01T08:00:00.000Z","type":"DATE-TIME"}"#);
    let person = &event.get("attendees").unwrap().as_array().unwrap()[0];
    assert_eq!(person.to_json(), r#"{"email":"ann@example.com","name":"Ann: lead","rsvp":true}"#);
}

#[test]
fn long_lines_are_folded_at_75_octets_between_characters() {
    let text = write(&Event { title: "é".repeat(200).into(), ..event() });
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let calendar = Value::from(read(&text).unwrap());
    assert_eq!(calendar.pointer("events.0.summary"), Some(&Value::from("é".repeat(200))));
}

#[test]
fn nobody_can_smuggle_a_line_into_the_calendar() {
    let evil = "x\r\nBEGIN:VALARM\r\nX:";
    let text = write(&Event {
        title: evil.into(),
        url: Some(evil.into()),
        organizer: Some((evil.into(), evil.into())),
        ..event()
    });
    assert!(!text.split("\r\n").any(|line| line.starts_with("BEGIN:VALARM")), "{text}");
}

#[test]
fn times_in_a_zone_are_instants_with_their_wall_clock() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20240701T120000\r\n\
                RRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let calendar = Value::from(read(text).unwrap());
    let start = calendar.pointer("events.0.start").unwrap();
    assert_eq!(start.get("date"), Some(&Value::from("2024-07-01T10:00:00.000Z")));
    assert_eq!(start.pointer("local.timezone"), Some(&Value::from("Europe/Berlin")));
    let rule = calendar.pointer("events.0.recurrenceRule").unwrap();
    assert_eq!(rule.to_json(), r#"{"frequency":"WEEKLY","count":3}"#);
}

#[test]
fn what_is_no_calendar_is_an_error() {
    for text in ["", "hello", "BEGIN:VCALENDAR", "BEGIN:VEVENT\r\nEND:VEVENT", &"BEGIN:VEVENT\r\n".repeat(50_000)] {
        assert!(read(text).is_err(), "{}", text.len());
    }
}
