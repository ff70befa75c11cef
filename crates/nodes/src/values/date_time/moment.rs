//! The format tokens of Moment.js (`YYYY-MM-DD`), for writing and reading dates. English names only, which is what
//! n8n uses.

use std::fmt::Write as _;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Tokens, longest first where one begins another.
const TOKENS: [&str; 52] = [
    "YYYYYY", "YYYY", "YY", "Y", "Qo", "Q", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDDo", "DDD", "DD", "Do", "D",
    "dddd", "ddd", "dd", "do", "d", "E", "e", "GGGG", "GG", "gggg", "gg", "WW", "Wo", "W", "ww", "wo", "w", "HH", "H",
    "hh", "h", "kk", "k", "mm", "m", "ss", "s", "A", "a", "ZZ", "Z", "zz", "z", "X", "x",
];

/// Longer forms and what they stand for.
const LOCALIZED: [(&str, &str); 10] = [
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// A piece of a format.
enum Piece<'f> {
    Token(&'f str),
    Text(&'f str),
}

/// Writes a date.
pub(super) fn format(date: &Zoned, format: &str) -> String {
    let expanded = expand(format);
    let mut text = String::new();
    for piece in pieces(&expanded) {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Token(token) => write_token(&mut text, date, token),
        }
    }
    text
}

fn expand(format: &str) -> String {
    let mut expanded = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, after)) = bracketed(rest) {
            let _ = write!(expanded, "[{literal}]");
            rest = after;
        } else if let Some((name, form)) = LOCALIZED.iter().find(|(name, _)| rest.starts_with(name)) {
            expanded.push_str(form);
            rest = rest.strip_prefix(name).unwrap_or_default();
        } else {
            expanded.push(first);
            rest = rest.strip_prefix(first).unwrap_or_default();
        }
    }
    expanded
}

fn bracketed(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[')?.split_once(']')
}

fn pieces(format: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let fraction = rest.len() - rest.trim_start_matches('S').len();
        let token = TOKENS.iter().find(|token| rest.starts_with(**token)).map(|token| token.len());
        let length = if fraction > 0 { Some(fraction.min(9)) } else { token };
        if let Some((literal, after)) = bracketed(rest) {
            found.push(Piece::Text(literal));
            rest = after;
        } else if let Some((token, after)) = length.and_then(|length| rest.split_at_checked(length)) {
            found.push(Piece::Token(token));
            rest = after;
        } else {
            let (literal, after) = rest.split_at(first.len_utf8());
            found.push(Piece::Text(literal));
            rest = after;
        }
    }
    found
}

fn ordinal(number: i32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// Days since Sunday.
fn weekday(date: &Zoned) -> usize {
    usize::try_from(date.weekday().to_sunday_zero_offset()).unwrap_or(0)
}

/// Year and week with weeks that begin on Sunday, the first being that of 1 January.
fn american_week(date: civil::Date) -> (i16, i32) {
    let week_of = |year: i16| {
        let first = civil::Date::new(year, 1, 1).ok()?;
        let start =
            first.checked_sub(jiff::Span::new().days(i64::from(first.weekday().to_sunday_zero_offset()))).ok()?;
        let days = (date - start).get_days();
        (days >= 0).then_some(days / 7 + 1)
    };
    if week_of(date.year() + 1).is_some() {
        return (date.year() + 1, 1);
    }
    (date.year(), week_of(date.year()).unwrap_or(1))
}

fn offset(date: &Zoned, colon: &str) -> String {
    let seconds = date.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

fn write_token(text: &mut String, date: &Zoned, token: &str) {
    let (hour, month, day) = (i32::from(date.hour()), i32::from(date.month()), i32::from(date.day()));
    let half = if hour % 12 == 0 { 12 } else { hour % 12 };
    let name = |names: &[&str], at: usize, length: usize| {
        names.get(at).map(|name| name.chars().take(length).collect::<String>()).unwrap_or_default()
    };
    let month_at = usize::try_from(month - 1).unwrap_or(0);
    let quarter = (month - 1) / 3 + 1;
    let iso = date.date().iso_week_date();
    let padded = |number: i32| format!("{number:02}");
    text.push_str(&match token {
        "YYYYYY" => format!("{:+07}", date.year()),
        "YYYY" => format!("{:04}", date.year()),
        "YY" => padded(i32::from(date.year()).rem_euclid(100)),
        "Y" => date.year().to_string(),
        "Q" => quarter.to_string(),
        "Qo" => ordinal(quarter),
        "MMMM" => name(&MONTHS, month_at, usize::MAX),
        "MMM" => name(&MONTHS, month_at, 3),
        "MM" => padded(month),
        "Mo" => ordinal(month),
        "M" => month.to_string(),
        "DDDD" => format!("{:03}", date.day_of_year()),
        "DDDo" => ordinal(i32::from(date.day_of_year())),
        "DDD" => date.day_of_year().to_string(),
        "DD" => padded(day),
        "Do" => ordinal(day),
        "D" => day.to_string(),
        "dddd" => name(&DAYS, weekday(date), usize::MAX),
        "ddd" => name(&DAYS, weekday(date), 3),
        "dd" => name(&DAYS, weekday(date), 2),
        "do" => ordinal(i32::try_from(weekday(date)).unwrap_or(0)),
        "d" | "e" => weekday(date).to_string(),
        "E" => date.weekday().to_monday_one_offset().to_string(),
        "GGGG" => format!("{:04}", iso.year()),
        "GG" => padded(i32::from(iso.year()).rem_euclid(100)),
        "gggg" => format!("{:04}", american_week(date.date()).0),
        "gg" => padded(i32::from(american_week(date.date()).0).rem_euclid(100)),
        "WW" => padded(i32::from(iso.week())),
        "Wo" => ordinal(i32::from(iso.week())),
        "W" => iso.week().to_string(),
        "ww" => padded(american_week(date.date()).1),
        "wo" => ordinal(american_week(date.date()).1),
        "w" => american_week(date.date()).1.to_string(),
        "HH" => padded(hour),
        "H" => hour.to_string(),
        "hh" => padded(half),
        "h" => half.to_string(),
        "kk" => padded(if hour == 0 { 24 } else { hour }),
        "k" => (if hour == 0 { 24 } else { hour }).to_string(),
        "mm" => padded(i32::from(date.minute())),
        "m" => date.minute().to_string(),
        "ss" => padded(i32::from(date.second())),
        "s" => date.second().to_string(),
        "A" => (if hour < 12 { "AM" } else { "PM" }).to_owned(),
        "a" => (if hour < 12 { "am" } else { "pm" }).to_owned(),
        "ZZ" => offset(date, ""),
        "Z" => offset(date, ":"),
        "z" | "zz" => date.strftime("%Z").to_string(),
        "X" => date.timestamp().as_second().to_string(),
        "x" => date.timestamp().as_millisecond().to_string(),
        fraction => {
            let digits = format!("{:09}", date.subsec_nanosecond());
            digits.chars().take(fraction.len()).collect()
        }
    });
}

/// The parts of a date as they are read.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    nanosecond: i32,
    afternoon: Option<bool>,
    offset: Option<Offset>,
    instant: Option<Timestamp>,
}

/// Reads a date; parts that are not given come from `now` (and its zone) when they are larger than the largest one
/// given. Strict: the whole text must fit the format.
pub(super) fn parse(text: &str, format: &str, now: &Zoned, strict: bool) -> Option<Zoned> {
    let expanded = expand(format);
    let mut parts = Parts::default();
    let mut rest = text;
    for piece in pieces(&expanded) {
        match piece {
            Piece::Text(literal) => {
                if let Some(after) = rest.strip_prefix(literal) {
                    rest = after;
                } else if strict {
                    return None;
                }
            }
            Piece::Token(token) => {
                if !strict {
                    rest = skip_to_token(rest, token);
                }
                rest = parts.read(rest, token)?;
            }
        }
    }
    if strict && !rest.is_empty() { None } else { parts.zoned(now) }
}

/// Leaves out what cannot begin a token.
fn skip_to_token<'t>(text: &'t str, token: &str) -> &'t str {
    let wanted = |letter: char| match token {
        "MMMM" | "MMM" | "dddd" | "ddd" | "dd" | "A" | "a" | "z" | "zz" => letter.is_alphabetic(),
        "Z" | "ZZ" => matches!(letter, '+' | '-' | 'Z' | 'z'),
        "X" | "x" => letter.is_ascii_digit() || letter == '-',
        _ => letter.is_ascii_digit(),
    };
    text.trim_start_matches(|letter: char| !wanted(letter))
}

/// At most so many digits at the start, and what follows.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}

/// A name, in full or its first three letters, in any case: its place and what follows.
fn named<'t>(text: &'t str, names: &[&str]) -> Option<(i8, &'t str)> {
    let fits = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let found = names.iter().enumerate().find_map(|(at, name)| {
        let short = name.get(..3)?;
        let length = if fits(name) {
            name.len()
        } else if fits(short) {
            3
        } else {
            return None;
        };
        Some((at, length))
    });
    let (at, length) = found?;
    Some((i8::try_from(at).ok()?, text.split_at_checked(length)?.1))
}

impl Parts {
    fn read<'t>(&mut self, text: &'t str, token: &str) -> Option<&'t str> {
        let small =
            |most: usize| digits(text, most).and_then(|(number, rest)| Some((i8::try_from(number).ok()?, rest)));
        let rest = match token {
            "YYYY" | "Y" | "YYYYYY" | "GGGG" | "gggg" => {
                let (year, rest) = digits(text, 4)?;
                self.year = i16::try_from(year).ok();
                rest
            }
            "YY" | "GG" | "gg" => {
                let (year, rest) = digits(text, 2)?;
                self.year = i16::try_from(if year > 68 { 1900 + year } else { 2000 + year }).ok();
                rest
            }
            "MMMM" | "MMM" => {
                let (month, rest) = named(text, &MONTHS)?;
                self.month = Some(month + 1);
                rest
            }
            "MM" | "M" | "Mo" => take(&mut self.month, small(2)?),
            "DDDD" | "DDD" => {
                let (day, rest) = digits(text, 3)?;
                self.day_of_year = i16::try_from(day).ok();
                rest
            }
            "Do" => {
                let rest = take(&mut self.day, small(2)?);
                ["st", "nd", "rd", "th"].iter().find_map(|suffix| rest.strip_prefix(suffix)).unwrap_or(rest)
            }
            "DD" | "D" => take(&mut self.day, small(2)?),
            "dddd" | "ddd" | "dd" => named(text, &DAYS)?.1,
            "HH" | "H" | "hh" | "h" | "kk" | "k" => take(&mut self.hour, small(2)?),
            "mm" | "m" => take(&mut self.minute, small(2)?),
            "ss" | "s" => take(&mut self.second, small(2)?),
            "A" | "a" => self.read_half(text)?,
            "Z" | "ZZ" => self.read_offset(text)?,
            "X" | "x" => self.read_instant(text, token)?,
            "z" | "zz" => text.trim_start_matches(|letter: char| letter.is_alphabetic()),
            _ if token.starts_with('S') => {
                let length = text.bytes().take(9).take_while(u8::is_ascii_digit).count();
                let (fraction, rest) = text.split_at_checked(length)?;
                self.nanosecond = format!("{fraction:0<9}").parse().ok()?;
                rest
            }
            _ => digits(text, 2)?.1,
        };
        Some(rest)
    }

    fn read_half<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (half, rest) = text.split_at_checked(2)?;
        self.afternoon = match half.to_ascii_lowercase().as_str() {
            "am" => Some(false),
            "pm" => Some(true),
            _ => return None,
        };
        Some(rest)
    }

    fn read_offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix(['Z', 'z']) {
            self.offset = Some(Offset::UTC);
            return Some(rest);
        }
        let (sign, rest) = text.split_at_checked(1)?;
        let (hours, rest) = digits(rest, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2).unwrap_or((0, rest));
        let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
        self.offset = Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok();
        Some(rest)
    }

    fn read_instant<'t>(&mut self, text: &'t str, token: &str) -> Option<&'t str> {
        let end =
            text.find(|letter: char| !letter.is_ascii_digit() && letter != '-' && letter != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let milliseconds = if token == "X" { number * 1000.0 } else { number };
        #[expect(clippy::as_conversions, reason = "saturates, and jiff refuses what is out of range")]
        let milliseconds = milliseconds as i64;
        self.instant = Timestamp::from_millisecond(milliseconds).ok();
        Some(rest)
    }

    fn zoned(self, now: &Zoned) -> Option<Zoned> {
        if let Some(instant) = self.instant {
            return Some(instant.to_zoned(now.time_zone().clone()));
        }
        let year = self.year.unwrap_or_else(|| now.year());
        let month = self.month.unwrap_or_else(|| if self.year.is_some() { 1 } else { now.month() });
        let first = self.year.is_some() || self.month.is_some();
        let day = self.day.unwrap_or_else(|| if first { 1 } else { now.day() });
        let mut date = civil::Date::new(year, month, day).ok()?;
        if let Some(day) = self.day_of_year {
            date = civil::Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok()?;
        }
        let hour = match (self.hour.unwrap_or(0), self.afternoon) {
            (12, Some(false)) => 0,
            (hour @ 0..12, Some(true)) => hour + 12,
            (24, None) => 0,
            (hour, _) => hour,
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let time = civil::Time::new(hour, minute, second, self.nanosecond).ok()?;
        let zone = self.offset.map_or_else(|| now.time_zone().clone(), TimeZone::fixed);
        let zoned = date.to_datetime(time).to_zoned(zone).ok()?;
        Some(zoned.with_time_zone(now.time_zone().clone()))
    }
}

fn take<'t>(part: &mut Option<i8>, (number, rest): (i8, &'t str)) -> &'t str {
    *part = Some(number);
    rest
}
