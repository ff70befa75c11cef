//! Cron expressions of five or six fields: read with croner, refused with the name of the field that is wrong. Pure.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Longest expression, in bytes.
const MAX_LENGTH: usize = 255;

/// Name and allowed values of each field, seconds first.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0–59"),
    ("minute", "0–59"),
    ("hour", "0–23"),
    ("day of month", "1–31, L (last), W (nearest weekday)"),
    ("month", "1–12 or JAN–DEC"),
    ("day of week", "0–7 (0 and 7 are Sunday) or SUN–SAT, 5#2 (second Friday), 5#L (last Friday)"),
];

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// An expression that was read.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub cron: Cron,
    /// Names times of day instead of a rhythm: no `*` and no step among seconds, minutes and hours. Such a time happens
    /// once a day, however the clock is put.
    pub is_fixed: bool,
    /// Six fields, seconds first; nicknames spelt out.
    pub fields: [String; 6],
}

/// Why an expression is none, in a sentence that names the field and what it may hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Fault(String);

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Expression, Fault> {
        if text.len() > MAX_LENGTH {
            return Err(Fault(format!("a cron expression is at most {MAX_LENGTH} bytes long")));
        }
        let fields = split(text)?;
        for (at, field) in fields.iter().enumerate() {
            check_field(at, field)?;
        }
        let cron = parser().parse(&fields.join(" ")).map_err(|error| Fault(error.to_string()))?;
        let is_fixed = fields.iter().take(3).all(|field| !field.contains(['*', '/', '?']));
        Ok(Expression { cron, is_fixed, fields })
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).sloppy_ranges(true).build()
}

fn split(text: &str) -> Result<[String; 6], Fault> {
    let text = text.trim();
    let spelt_out = match text.strip_prefix('@') {
        None => text,
        Some(_) => {
            let found = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(text));
            let known = || NICKNAMES.map(|(nickname, _)| nickname).join(", ");
            found.ok_or_else(|| Fault(format!("\"{text}\" is none of {}", known())))?.1
        }
    };
    let mut fields: Vec<String> = spelt_out.split_whitespace().map(str::to_owned).collect();
    if fields.len() == 5 {
        fields.insert(0, "0".to_owned());
    }
    let count = fields.len();
    fields.try_into().map_err(|_| {
        Fault(format!(
            "{count} fields: a cron expression has five (minute, hour, day of month, month, day of week), or six with \
             the second in front"
        ))
    })
}

/// Reads one field with every other one open, so that a mistake is known to be its own.
fn check_field(at: usize, field: &str) -> Result<(), Fault> {
    let mut alone = ["*"; 6];
    if let Some(place) = alone.get_mut(at) {
        *place = field;
    }
    let is_read = !field.split(',').any(str::is_empty) && parser().parse(&alone.join(" ")).is_ok();
    match FIELDS.get(at) {
        Some((name, allowed)) if !is_read => Err(Fault(format!(
            "the {name} \"{field}\" is not valid: allowed are {allowed}, *, lists (1,2), ranges (1-5) and steps (*/5)"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_their_field() {
        for (text, named) in [
            ("60 * * * *", "minute \"60\""),
            ("* 24 * * *", "hour \"24\""),
            ("* * 32 * *", "day of month \"32\""),
            ("* * 0 * *", "day of month \"0\""),
            ("* * * 13 *", "month \"13\""),
            ("* * * * 8", "day of week \"8\""),
            ("* * * * MOON", "day of week \"MOON\""),
            ("61 * * * * *", "second \"61\""),
            ("*/0 * * * *", "minute \"*/0\""),
            ("5-1 * * * *", "minute \"5-1\""),
            ("1,,2 * * * *", "minute \"1,,2\""),
            (", * * * *", "minute \",\""),
            ("* * * *", "4 fields"),
            ("* * * * * * 2026", "7 fields"),
            ("", "0 fields"),
            ("@often", "@often"),
            ("* * * * ; rm", "month \";\""),
            ("\u{1F550} * * * *", "minute"),
        ] {
            match Expression::parse(text) {
                Ok(_) => panic!("{text:?} was taken"),
                Err(fault) => assert!(fault.0.contains(named), "{text:?}: {fault}"),
            }
        }
        assert!(Expression::parse(&"1,".repeat(200)).is_err());
    }

    #[test]
    fn times_of_day_are_told_from_rhythms() {
        for (text, is_fixed) in [
            ("0 9 * * *", true),
            ("0 9,17 * * MON-FRI", true),
            ("30 2 1 * *", true),
            ("@daily", true),
            ("@hourly", false),
            ("*/5 * * * *", false),
            ("0 */2 * * *", false),
            ("* * * * * *", false),
            ("15 30 9 * * *", true),
        ] {
            assert_eq!(Expression::parse(text).unwrap().is_fixed, is_fixed, "{text}");
        }
    }
}
