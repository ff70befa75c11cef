//! A moment as Schedule Trigger puts it out.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use millrace_model::{Object, Value};

/// What an item of a Schedule Trigger says of a moment (milliseconds since the epoch), as the zone reads it.
pub fn moment(now_ms: i64, zone: &TimeZone) -> Object {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(zone.clone());
    let text = |format: &str| Value::from(now.strftime(format).to_string());
    let day = now.day();
    let ending = match (day % 10, day) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    let clock = now.strftime("%-I:%M:%S %P");
    let date = format!("{} {day}{ending} {}, {clock}", now.strftime("%B"), now.strftime("%Y"));
    let zone = format!("{} (UTC{})", zone.iana_name().unwrap_or("UTC"), now.strftime("%:z"));
    Object::from([
        ("timestamp", text("%Y-%m-%dT%H:%M:%S.%3f%:z")),
        ("Readable date", date.into()),
        ("Readable time", clock.to_string().into()),
        ("Day of week", text("%A")),
        ("Year", text("%Y")),
        ("Month", text("%B")),
        ("Day of month", text("%d")),
        ("Hour", text("%H")),
        ("Minute", text("%M")),
        ("Second", text("%S")),
        ("Timezone", zone.into()),
    ])
}
