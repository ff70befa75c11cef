//! What a piece of text in a CSV or HTML table is: number, truth value, date or text, as spreadsheets guess.

use jiff::civil::{Date, DateTime, date};

use super::Cell;

/// Guesses the cell behind a text. Dates become serial numbers (days since 1899-12-30), as a cell's value is one.
pub(super) fn cell(text: &str) -> Cell {
    match text {
        "" => return Cell::Empty,
        "TRUE" | "true" => return Cell::Bool(true),
        "FALSE" | "false" => return Cell::Bool(false),
        _ => {}
    }
    match number(text).or_else(|| serial(text)) {
        Some(number) => Cell::Number(number),
        None => Cell::Text(text.into()),
    }
}

/// Numbers as people write them: thousands separators, a currency sign, percent, parentheses for negatives.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |text: &str| {
        let numeric =
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        if numeric && digits { text.parse::<f64>().ok().filter(|number| number.is_finite()) } else { None }
    };
    if let Some(number) = plain(text) {
        return Some(number);
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return number(inner).filter(|number| *number >= 0.0).map(|number| -number);
    }
    if let Some(inner) = text.strip_suffix('%') {
        return number(inner).map(|number| number / 100.0);
    }
    let unsigned = text.strip_prefix(['$', '€', '£']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    let rest = groups.clone().count() > 0 && groups.all(|group| group.len() == 3);
    if (first && rest) || unsigned.len() < text.len() {
        return plain(&format!("{}.{fraction}", whole.replace(',', "")));
    }
    None
}

/// The serial number of a date or date and time.
fn serial(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.bytes().next()?.is_ascii_digit() || text.len() < 6 || text.len() > 32 {
        return None;
    }
    let moment = iso(text).or_else(|| slashed(text))?;
    let days = moment.date().since(date(1899, 12, 30)).ok()?.get_days();
    let time = moment.time();
    let seconds = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    Some(f64::from(days) + f64::from(seconds) / 86_400.0)
}

/// `2024-01-31`, `2024-01-31 10:20:30`, `2024-01-31T10:20:30Z`.
fn iso(text: &str) -> Option<DateTime> {
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let text = text.trim_end_matches('Z');
    text.parse::<DateTime>()
        .ok()
        .or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())))
}

/// `1/31/2024` and `1/31/24`, month first.
fn slashed(text: &str) -> Option<DateTime> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !matches!(year.len(), 2 | 4) {
        return None;
    }
    let year: i16 = year.parse().ok()?;
    let year = match year {
        0..30 => year + 2000,
        30..100 => year + 1900,
        _ => year,
    };
    Some(Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?.to_datetime(jiff::civil::Time::midnight()))
}
