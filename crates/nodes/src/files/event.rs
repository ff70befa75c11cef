//! Calendar events from the parameters that iCalendar and Convert to File share.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use millrace_model::{BinaryData, ExecutionError, Item, Object, Str, Value};

use super::binary;
use super::calendar::{Attendee, Event, When, write};
use crate::NodeContext;

/// One item with the calendar file of its event.
pub(super) fn item(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let property = context.text("binaryPropertyName", index)?;
    let fields = context.parameter("additionalFields", index)?;
    let event = event(context, &fields, index)?;
    let name = text(&fields, "fileName").unwrap_or_else(|| "event.ics".into());
    let data: BinaryData = context.host.store_binary(write(&event).into(), Some(&name), Some("text/calendar"))?;
    Ok(vec![Item { binary: Some(binary::single(property, data)), ..Item::new(Object::new()) }.paired(index)])
}

fn event(context: &mut NodeContext<'_>, fields: &Value, index: usize) -> Result<Event, ExecutionError> {
    let zone = if fields.get("useWorkflowTimezone").is_some_and(millrace_model::truthy) {
        let name = context.workflow.settings.timezone.clone().unwrap_or_else(|| context.globals.timezone.clone());
        TimeZone::get(&name).unwrap_or(TimeZone::UTC)
    } else {
        TimeZone::UTC
    };
    let start = moment(&context.text("start", index)?, &zone, "start")?;
    let end = moment(&context.text("end", index)?, &zone, "end")?;
    let when = if context.flag("allDay", index)? {
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        When::Days { start: day(start), end: day(end).checked_add(1.day()).unwrap_or_else(|_| day(end)) }
    } else {
        When::Moment { start, end }
    };
    let title = context.parameter("title", index)?.to_js_string();
    let uid = match text(fields, "uid") {
        Some(uid) => uid,
        None => random_id(context),
    };
    let stamp = Timestamp::from_millisecond(context.host.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let geo = fields.pointer("geolocationUi.geolocationValues");
    let coordinate =
        |key: &str| geo.and_then(|geo| geo.get(key)).map(|value| millrace_model::parse_number(&value.to_js_string()));
    let organizer = fields.pointer("organizerUi.organizerValues");
    let attendees = fields.pointer("attendeesUi.attendeeValues").and_then(Value::as_array).unwrap_or_default();
    Ok(Event {
        uid,
        title,
        stamp,
        when,
        calendar_name: text(fields, "calName"),
        description: text(fields, "description"),
        location: text(fields, "location"),
        url: text(fields, "url"),
        geo: coordinate("lat").zip(coordinate("lon")).filter(|(lat, lon)| lat.is_finite() && lon.is_finite()),
        recurrence: text(fields, "recurrenceRule"),
        busy_status: text(fields, "busyStatus"),
        status: text(fields, "status"),
        organizer: organizer.map(|of| (text(of, "name").unwrap_or_default(), text(of, "email").unwrap_or_default())),
        attendees: attendees.iter().map(attendee).collect(),
    })
}

fn attendee(value: &Value) -> Attendee {
    Attendee {
        name: text(value, "name").unwrap_or_default(),
        email: text(value, "email").unwrap_or_default(),
        rsvp: value.get("rsvp").is_some_and(millrace_model::truthy),
    }
}

fn text(value: &Value, key: &str) -> Option<Str> {
    value.get(key).filter(|value| !value.is_nullish()).map(Value::to_js_string).filter(|text| !text.is_empty())
}

/// An ISO 8601 time; without an offset it is a time of `zone`.
fn moment(text: &str, zone: &TimeZone, name: &str) -> Result<Timestamp, ExecutionError> {
    let text = text.trim();
    let local =
        || text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)));
    let instant = text.parse::<Timestamp>().ok();
    instant.or_else(|| local()?.to_zoned(zone.clone()).ok().map(|at| at.timestamp())).ok_or_else(|| {
        let message = ecow::eco_format!("the {name} date \"{text}\" cannot be read: write it as 2024-01-31T10:00:00Z");
        ExecutionError::operation(message)
    })
}

/// 21 characters of the URL-safe alphabet: 126 random bits.
fn random_id(context: &NodeContext<'_>) -> Str {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 21];
    context.host.random(&mut bytes);
    bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63))).map(|byte| char::from(*byte)).collect()
}
