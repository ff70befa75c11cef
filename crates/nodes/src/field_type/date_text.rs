//! Dates in text: ISO 8601, RFC 2822, HTTP and SQL forms, and whatever else JavaScript's `Date.parse` reads.

use std::sync::LazyLock;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use regex::{Captures, Regex};

use super::legacy_date;

/// An instant in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct DateTime {
    zoned: Zoned,
    /// The text gave an offset rather than the name of a zone, or none.
    fixed: bool,
}

impl DateTime {
    /// Reads a date; `zone` is the one of texts that name none. `None` when no known form fits.
    pub fn parse(text: &str, zone: &TimeZone) -> Option<DateTime> {
        let text = text.trim();
        iso(text, zone)
            .or_else(|| http(text))
            .or_else(|| rfc2822(text))
            .or_else(|| sql(text, zone))
            .or_else(|| legacy_date::parse(text, zone).map(DateTime::from))
    }

    /// Milliseconds since the epoch.
    pub fn as_millisecond(&self) -> i64 {
        self.zoned.timestamp().as_millisecond()
    }

    /// As Luxon's `toISO()` writes it: milliseconds, and `Z` only for a zone that is UTC by a fixed offset.
    pub fn to_iso(&self) -> String {
        let local = self.zoned.strftime("%Y-%m-%dT%H:%M:%S.%3f");
        if self.fixed && self.zoned.offset() == Offset::UTC {
            return format!("{local}Z");
        }
        format!("{local}{}", self.zoned.strftime("%:z"))
    }

    /// As Luxon names the zone: `UTC+1`, `Europe/Rome`.
    pub fn zone_name(&self) -> String {
        if let Some(name) = self.zoned.time_zone().iana_name() {
            return name.to_owned();
        }
        match self.zoned.offset().seconds() {
            0 => "UTC".to_owned(),
            seconds => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                match minutes % 60 {
                    0 => format!("UTC{sign}{}", minutes / 60),
                    rest => format!("UTC{sign}{}:{rest:02}", minutes / 60),
                }
            }
        }
    }
}

impl From<Zoned> for DateTime {
    fn from(zoned: Zoned) -> DateTime {
        DateTime { zoned, fixed: false }
    }
}

const TIME: &str = r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,30}))?)?)?";
const OFFSET: &str = r"(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?(?:\[((?:(?:\w{1,})[/_+-]?)+)\])?";

static ISO_DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(&format!(r"^([+-]\d{{6}}|\d{{4}})(?:-?(\d\d)(?:-?(\d\d))?)?(?:T{TIME}{OFFSET})?$")));
static ISO_WEEK: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(&format!(r"^(\d{{4}})-?W(\d\d)(?:-?(\d))?(?:T{TIME}{OFFSET})?$")));
static ISO_ORDINAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(&format!(r"^(\d{{4}})-?(\d{{3}})(?:T{TIME}{OFFSET})?$")));
static SQL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"^(\d{4})-(\d\d)-(\d\d)(?:[ ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?(?: ?(?:(Z)|([+-]\d\d)(?::?(\d\d))?|([A-Za-z_]+(?:/[A-Za-z_+-]+)*))?)?)?$",
    )
});
static RFC2822: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{2,4}) (\d\d):(\d\d)(?::(\d\d))? (?:(UT|GMT|[ECMP][SD]T)|([Zz])|([+-]\d\d)(\d\d))$",
    )
});
static HTTP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ( \d|\d\d) (\d\d):(\d\d):(\d\d) (\d{4}))$",
    )
});

fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

fn captures<'t>(regex: &'static LazyLock<Option<Regex>>, text: &'t str) -> Option<Captures<'t>> {
    regex.as_ref()?.captures(text)
}

fn number<T: std::str::FromStr>(captures: &Captures<'_>, group: usize) -> Option<T> {
    captures.get(group)?.as_str().trim().parse().ok()
}

fn iso(text: &str, zone: &TimeZone) -> Option<DateTime> {
    if let Some(found) = captures(&ISO_DATE, text) {
        let date = civil::Date::new(number(&found, 1)?, number(&found, 2).unwrap_or(1), number(&found, 3).unwrap_or(1));
        return at_time(date.ok()?, &found, 4, zone);
    }
    if let Some(found) = captures(&ISO_WEEK, text) {
        let weekday = civil::Weekday::from_monday_one_offset(number(&found, 3).unwrap_or(1)).ok()?;
        let week = civil::ISOWeekDate::new(number(&found, 1)?, number(&found, 2)?, weekday).ok()?;
        return at_time(week.date(), &found, 4, zone);
    }
    let found = captures(&ISO_ORDINAL, text)?;
    let start = civil::Date::new(number(&found, 1)?, 1, 1).ok()?;
    let date = start.with().day_of_year(number(&found, 2)?).build().ok()?;
    at_time(date, &found, 3, zone)
}

fn sql(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let found = captures(&SQL, text)?;
    let date = civil::Date::new(number(&found, 1)?, number(&found, 2)?, number(&found, 3)?).ok()?;
    at_time(date, &found, 4, zone)
}

/// Puts the time of four groups (hours to fraction) and the zone of four more (`Z`, hours, minutes, name) to a date.
fn at_time(date: civil::Date, found: &Captures<'_>, first: usize, zone: &TimeZone) -> Option<DateTime> {
    let part = |offset: usize| number::<i8>(found, first + offset).unwrap_or(0);
    let fraction = found.get(first + 3).map_or("", |fraction| fraction.as_str());
    let milliseconds: i32 = format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let (date, hour) =
        if part(0) == 24 && part(1) == 0 && part(2) == 0 { (date.tomorrow().ok()?, 0) } else { (date, part(0)) };
    let time = civil::Time::new(hour, part(1), part(2), milliseconds.checked_mul(1_000_000)?).ok()?;
    let (zone, fixed) = match (found.get(first + 4), found.get(first + 5), found.get(first + 7)) {
        (_, _, Some(name)) => (TimeZone::get(name.as_str()).ok()?, false),
        (Some(_), _, _) => (TimeZone::UTC, true),
        (_, Some(hours), _) => (fixed_zone(hours.as_str(), number(found, first + 6).unwrap_or(0))?, true),
        _ => (zone.clone(), false),
    };
    Some(DateTime { zoned: date.to_datetime(time).to_zoned(zone).ok()?, fixed })
}

/// A zone at a fixed offset: signed hours and minutes.
fn fixed_zone(hours: &str, minutes: i32) -> Option<TimeZone> {
    let sign = if hours.starts_with('-') { -1 } else { 1 };
    let hours: i32 = hours.trim_start_matches(['+', '-']).parse().ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(Offset::to_time_zone)
}

fn rfc2822(text: &str) -> Option<DateTime> {
    let mut plain = String::with_capacity(text.len());
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => plain.push(if letter.is_whitespace() { ' ' } else { letter }),
            _ => {}
        }
    }
    let plain = plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let found = captures(&RFC2822, &plain)?;
    let year: i16 = number(&found, 3)?;
    let year = match found.get(3)?.len() {
        2 if year > 60 => 1900 + year,
        2 => 2000 + year,
        _ => year,
    };
    let time = civil::Time::new(number(&found, 4)?, number(&found, 5)?, number(&found, 6).unwrap_or(0), 0).ok()?;
    let date = civil::Date::new(year, month(found.get(2)?.as_str())?, number(&found, 1)?).ok()?;
    let zone = match (found.get(7), found.get(9)) {
        (Some(name), _) => fixed_zone(&legacy_date::zone_hours(&name.as_str().to_lowercase())?.to_string(), 0)?,
        (_, Some(hours)) => fixed_zone(hours.as_str(), number(&found, 10).unwrap_or(0))?,
        _ => TimeZone::UTC,
    };
    Some(DateTime { zoned: date.to_datetime(time).to_zoned(zone).ok()?, fixed: true })
}

fn http(text: &str) -> Option<DateTime> {
    let found = captures(&HTTP, text)?;
    let (day, name, year, clock) = if found.get(1).is_some() {
        (1, 2, 3, 4)
    } else if found.get(7).is_some() {
        (7, 8, 9, 10)
    } else {
        (14, 13, 18, 15)
    };
    let full: i16 = number(&found, year)?;
    let full = if year == 9 { if full > 60 { 1900 + full } else { 2000 + full } } else { full };
    let date = civil::Date::new(full, month(found.get(name)?.as_str())?, number(&found, day)?).ok()?;
    let clock = [number(&found, clock)?, number(&found, clock + 1)?, number(&found, clock + 2)?];
    let [hour, minute, second] = clock;
    let time = civil::Time::new(hour, minute, second, 0).ok()?;
    Some(DateTime { zoned: date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?, fixed: true })
}

/// The month of an English name or its first three letters, from 1.
pub(super) fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.to_lowercase();
    let at = MONTHS.iter().position(|month| name.starts_with(month))?;
    i8::try_from(at + 1).ok()
}

/// The instant in a zone.
pub(super) fn at(milliseconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Timestamp::from_millisecond(milliseconds).ok().map(|instant| instant.to_zoned(zone.clone()))
}
