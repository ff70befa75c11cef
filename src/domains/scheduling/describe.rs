//! A rule in words: "At 09:00 and 17:30, on Monday and Friday". Pure.

use jiff::civil::Time;

use super::cron::Expression;
use super::rule::{Calendar, Pace, PaceUnit, Rule};

const DAYS: [&str; 8] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 13] = [
    "",
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
/// Times of day that are listed one by one.
const MAX_LISTED: usize = 6;

/// The rule as a sentence without a full stop.
pub(super) fn describe(rule: &Rule) -> String {
    match rule {
        Rule::Interval { milliseconds } => format!("Every {}", span(*milliseconds)),
        Rule::Calendar(calendar) => of_calendar(calendar),
        Rule::Cron { expression, pace } => {
            let Ok(parsed) = Expression::parse(expression) else { return expression.clone() };
            let text = of_cron(&parsed).unwrap_or_else(|| fallback(&parsed));
            joined([Some(text), pace.map(of_pace)])
        }
    }
}

/// What croner says of it, for expressions beyond the usual.
fn fallback(parsed: &Expression) -> String {
    parsed.cron.describe().trim_end_matches('.').to_owned()
}

fn of_cron(parsed: &Expression) -> Option<String> {
    let [second, minute, hour, day, month, weekday] = &parsed.fields;
    let days = match (day.as_str(), weekday.as_str()) {
        ("*" | "?", "*" | "?") => None,
        ("*" | "?", weekday) => Some(format!("on {}", named_list(weekday, &DAYS, "SUNMONTUEWEDTHUFRISAT", 0)?)),
        (day, "*" | "?") => Some(format!("on {}", days_of_month(day)?)),
        // Either of them: cron's rule.
        (day, weekday) if !weekday.starts_with('+') => Some(format!(
            "on {} or on {}",
            days_of_month(day)?,
            named_list(weekday, &DAYS, "SUNMONTUEWEDTHUFRISAT", 0)?
        )),
        _ => return None,
    };
    let months = match month.as_str() {
        "*" => None,
        month => Some(format!("in {}", named_list(month, &MONTHS, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", 1)?)),
    };
    Some(joined([Some(time_of(second, minute, hour)?), days, months]))
}

/// The first three fields.
fn time_of(second: &str, minute: &str, hour: &str) -> Option<String> {
    let every = |field: &str, one: &str, many: &str| match field {
        "*" | "*/1" => Some(format!("Every {one}")),
        _ => field.strip_prefix("*/").map(|step| format!("Every {step} {many}")),
    };
    let after = |seconds: &str| {
        if seconds == "0" { String::new() } else { format!(", at {} past", counted(seconds, "second")) }
    };
    match (second, minute, hour) {
        (_, "*", "*") if numbers(second).is_none() => every(second, "second", "seconds"),
        (_, _, "*") if numbers(minute).is_none() => {
            numbers(second)?;
            Some(format!("{}{}", every(minute, "minute", "minutes")?, after(second)))
        }
        _ if numbers(hour).is_none() => {
            numbers(second)?;
            numbers(minute)?;
            let past = if minute == "0" { String::new() } else { format!(", at {} past", counted(minute, "minute")) };
            Some(format!("{}{past}{}", every(hour, "hour", "hours")?, after(second)))
        }
        _ => {
            let (hours, minutes, seconds) = (numbers(hour)?, numbers(minute)?, numbers(second)?);
            let [second] = seconds.as_slice() else { return None };
            let times: Vec<Time> = hours
                .iter()
                .flat_map(|hour| minutes.iter().map(move |minute| Time::new(*hour, *minute, *second, 0)))
                .collect::<Result<_, _>>()
                .ok()?;
            (times.len() <= MAX_LISTED).then(|| format!("At {}", and(times.iter().map(|time| clock(*time)))))
        }
    }
}

fn of_calendar(calendar: &Calendar) -> String {
    let listed = calendar.times.len() <= MAX_LISTED;
    let times = match listed {
        true => format!("At {}", and(calendar.times.iter().map(|time| clock(*time)))),
        false => format!("At {} times a day", calendar.times.len()),
    };
    let weekdays = calendar.days_of_week.iter().map(|day| format!("{day:?}"));
    let days = (!calendar.days_of_week.is_empty()).then(|| format!("on {}", and(weekdays)));
    let of_month = calendar.days_of_month.iter().map(|day| match day {
        -1 => "the last day".to_owned(),
        day if *day < 0 => format!("day {} from the end", day.unsigned_abs()),
        day => format!("day {day}"),
    });
    let of_month = (!calendar.days_of_month.is_empty()).then(|| format!("on {} of the month", and(of_month)));
    let months = calendar.months.iter().filter_map(|month| MONTHS.get(usize::try_from(*month).ok()?));
    let months = (!calendar.months.is_empty()).then(|| format!("in {}", and(months.map(ToString::to_string))));
    let except = match calendar.except.len() {
        0 => None,
        1..=3 => Some(format!("except on {}", and(calendar.except.iter().map(ToString::to_string)))),
        count => Some(format!("except on {count} dates")),
    };
    joined([Some(times), days, of_month, months, calendar.every.map(of_pace), except])
}

fn of_pace(pace: Pace) -> String {
    let unit = match pace.unit {
        PaceUnit::Hours => "hours",
        PaceUnit::Days => "days",
        PaceUnit::Weeks => "weeks",
        PaceUnit::Months => "months",
    };
    format!("every {} {unit}", pace.size)
}

/// `days of the month` of a cron expression.
fn days_of_month(field: &str) -> Option<String> {
    if field == "L" {
        return Some("the last day of the month".to_owned());
    }
    let days = numbers(field)?;
    Some(format!("day {} of the month", and(days.iter().map(ToString::to_string))))
}

/// Days of the week or months by number or by their first three letters, single, in lists and in ranges.
fn named_list(field: &str, names: &[&str], short: &str, first: usize) -> Option<String> {
    let name = |text: &str| {
        let at = match text.parse::<usize>() {
            Ok(number) => number,
            Err(_) if text.len() == 3 => short.find(&text.to_ascii_uppercase())? / 3 + first,
            Err(_) => return None,
        };
        names.get(at).copied()
    };
    let parts = field.split(',').map(|part| match part.split_once('-') {
        Some((from, to)) => Some(format!("{} to {}", name(from)?, name(to)?)),
        None => name(part).map(str::to_owned),
    });
    Some(and(parts.collect::<Option<Vec<String>>>()?.into_iter()))
}

/// A field that is a list of plain numbers.
fn numbers(field: &str) -> Option<Vec<i8>> {
    field.split(',').map(|part| part.parse().ok()).collect()
}

fn counted(numbers: &str, unit: &str) -> String {
    let s = if numbers == "1" { "" } else { "s" };
    format!("{} {unit}{s}", and(numbers.split(',').map(str::to_owned)))
}

fn clock(time: Time) -> String {
    if time.second() == 0 { time.strftime("%H:%M").to_string() } else { time.strftime("%H:%M:%S").to_string() }
}

fn span(milliseconds: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(604_800_000, "week"), (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let whole = UNITS.iter().find(|(size, _)| milliseconds >= *size && milliseconds.is_multiple_of(*size));
    match whole {
        Some((size, unit)) if milliseconds == *size => (*unit).to_owned(),
        Some((size, unit)) => format!("{} {unit}s", milliseconds / size),
        None => format!("{milliseconds} milliseconds"),
    }
}

fn and(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    match parts.pop() {
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
        None => String::new(),
    }
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_in_words() {
        for (expression, words) in [
            ("* * * * *", "Every minute"),
            ("* * * * * *", "Every second"),
            ("*/10 * * * * *", "Every 10 seconds"),
            ("*/5 * * * *", "Every 5 minutes"),
            ("30 */5 * * * *", "Every 5 minutes, at 30 seconds past"),
            ("15 * * * *", "Every hour, at 15 minutes past"),
            ("0 */2 * * *", "Every 2 hours"),
            ("@hourly", "Every hour"),
            ("@daily", "At 00:00"),
            ("30 9 * * *", "At 09:30"),
            ("15 30 9 * * *", "At 09:30:15"),
            ("0 9,17 * * MON-FRI", "At 09:00 and 17:00, on Monday to Friday"),
            ("0 9 * * 1,3,5", "At 09:00, on Monday, Wednesday and Friday"),
            ("0 9 * * 0", "At 09:00, on Sunday"),
            ("0 9 * * 7", "At 09:00, on Sunday"),
            ("0 0 1 * *", "At 00:00, on day 1 of the month"),
            ("0 0 1,15 JAN,7 *", "At 00:00, on day 1 and 15 of the month, in January and July"),
            ("0 0 L * *", "At 00:00, on the last day of the month"),
            ("0 0 13 * FRI", "At 00:00, on day 13 of the month or on Friday"),
        ] {
            let rule = Rule::Cron { expression: expression.to_owned(), pace: None };
            assert_eq!(describe(&rule), words, "{expression}");
        }
        // Beyond the usual there are words all the same.
        for expression in ["0 9 * * 5#2", "0 0 15W * *", "0 0 1 * +MON", "7-19/3 * * * *"] {
            let rule = Rule::Cron { expression: expression.to_owned(), pace: None };
            assert!(describe(&rule).len() > 10, "{expression}");
        }
    }

    #[test]
    fn other_rules_in_words() {
        for (rule, words) in [
            (r#"{"kind":"interval","milliseconds":1000}"#, "Every second"),
            (r#"{"kind":"interval","milliseconds":5400000}"#, "Every 90 minutes"),
            (r#"{"kind":"cron","expression":"0 9 * * *","pace":{"size":2,"unit":"days"}}"#, "At 09:00, every 2 days"),
            (
                r#"{"kind":"calendar","times":["09:00","17:30"],"daysOfWeek":["monday"],"except":["2025-12-26"]}"#,
                "At 09:00 and 17:30, on Monday, except on 2025-12-26",
            ),
            (
                r#"{"kind":"calendar","times":["08:00"],"daysOfMonth":[-1,15],"months":[3]}"#,
                "At 08:00, on the last day and day 15 of the month, in March",
            ),
        ] {
            assert_eq!(describe(&serde_json::from_str(rule).unwrap()), words);
        }
    }
}
