//! Points in time as nodes read them from parameters and items.

use jiff::civil;
use jiff::tz::TimeZone;

/// Milliseconds since the epoch of an ISO 8601 text; a time without offset is one of the zone.
pub(crate) fn iso_to_ms(text: &str, zone: &TimeZone) -> Option<f64> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(milliseconds(timestamp));
    }
    let local = match text.parse::<civil::DateTime>() {
        Ok(local) => local,
        Err(_) => text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0),
    };
    local.to_zoned(zone.clone()).ok().map(|zoned| milliseconds(zoned.timestamp()))
}

#[expect(clippy::as_conversions, reason = "milliseconds of any date are far below 2^53")]
fn milliseconds(timestamp: jiff::Timestamp) -> f64 {
    timestamp.as_millisecond() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_iso_texts() {
        let table = [
            ("2024-01-02T03:04:05Z", Some(1_704_164_645_000.0)),
            ("2024-01-02T03:04:05+02:00", Some(1_704_157_445_000.0)),
            ("2024-01-02T03:04:05", Some(1_704_182_645_000.0)),
            ("2024-01-02", Some(1_704_171_600_000.0)),
            ("yesterday", None),
            ("", None),
        ];
        let zone = TimeZone::get("America/New_York").unwrap();
        for (text, expected) in table {
            assert_eq!(iso_to_ms(text, &zone), expected, "{text}");
        }
    }
}
