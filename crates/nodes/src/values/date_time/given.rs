//! The date that a parameter gives: a Luxon `DateTime` keeps its zone, everything else is read as n8n reads it.

use jiff::tz::TimeZone;
use millrace_model::{ExecutionError, Object, Str, Value, parse_number};

use crate::NodeContext;
use crate::field_type::DateTime;

/// What a parameter gave.
pub(super) enum Given {
    Luxon { milliseconds: f64, zone: Str },
    Other(Value),
}

/// A point in time and the zone in which it is looked at.
pub(super) struct Moment {
    pub milliseconds: f64,
    /// IANA name.
    pub zone: Str,
}

/// Number of digits from which a number is milliseconds, not seconds (since 1990).
const MILLISECOND_DIGITS: usize = 12;

impl Given {
    pub(super) fn of(context: &mut NodeContext<'_>, path: &str, item: usize) -> Result<Given, ExecutionError> {
        let raw = context.parameters.get(path).cloned().unwrap_or_default();
        let value = match raw.as_str().and_then(sole_expression) {
            Some(code) => {
                let marked = format!(
                    "={{{{ ((date) => DateTime.isDateTime(date) ? {{ luxonTime: date.toMillis(), luxonZone: \
                     date.zoneName }} : date)({code}\n) }}}}"
                );
                match context.resolve(&marked.into(), item) {
                    Ok(value) => value,
                    Err(_) => context.resolve(&raw, item)?,
                }
            }
            None => context.resolve(&raw, item)?,
        };
        Ok(match (value.get("luxonTime").and_then(Value::as_f64), value.get("luxonZone").and_then(Value::as_str)) {
            (Some(milliseconds), Some(zone)) => Given::Luxon { milliseconds, zone: zone.into() },
            _ => Given::Other(value),
        })
    }

    /// Reads the date; `zone` is where it is then looked at.
    pub(super) fn moment(
        self,
        context: &mut NodeContext<'_>,
        item: usize,
        zone: Option<Str>,
        format: Option<Str>,
    ) -> Result<Moment, ExecutionError> {
        let value = match self {
            Given::Luxon { milliseconds, zone } => return Ok(Moment { milliseconds, zone }),
            Given::Other(value) => value,
        };
        let invalid = || ExecutionError::operation("Invalid date format");
        if format.is_none() && value.is_undefined() {
            let milliseconds = whole(context.host.now_ms());
            return Ok(Moment { milliseconds, zone: zone.unwrap_or_else(|| "Etc/UTC".into()) });
        }
        if format.is_none()
            && let Some(milliseconds) = timestamp(&as_number(value.clone()))
        {
            return Ok(Moment { milliseconds, zone: zone.unwrap_or_else(|| "Etc/UTC".into()) });
        }
        let text = value.as_str().ok_or_else(invalid)?;
        let offset_zone = || {
            let hours = text.split('+').nth(1)?.get(..2)?.parse::<u8>().ok()?;
            Some(Str::from(format!("Etc/GMT-{hours}")))
        };
        let zone = zone.or_else(offset_zone).unwrap_or_else(|| "Etc/UTC".into());
        let milliseconds = match format {
            Some(format) => {
                let names = Object::from([("$text", text.into()), ("$format", format.into())]);
                let code = "={{ DateTime.fromFormat($text, $format).toMillis() }}";
                context.resolve_with(&code.into(), item, &names)?.as_f64().filter(|number| !number.is_nan())
            }
            None => DateTime::parse(text, &TimeZone::UTC).map(|date| whole(date.as_millisecond())),
        };
        Ok(Moment { milliseconds: milliseconds.ok_or_else(invalid)?, zone })
    }
}

/// What is no date counts as JavaScript's `Number(value)`: nothing at all is 0.
fn as_number(value: Value) -> Value {
    match value {
        Value::Null => 0.into(),
        Value::Bool(flag) => u8::from(flag).into(),
        Value::Array(_) => parse_number(&value.to_js_string()).into(),
        Value::String(text) if text.trim().is_empty() => 0.into(),
        value => value,
    }
}

/// Milliseconds of a number, or of text that is one: seconds (also with a fraction) when it is short.
pub(super) fn timestamp(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => *number,
        Value::String(text) if !text.trim().is_empty() => parse_number(text),
        _ => return None,
    };
    if !number.is_finite() {
        return None;
    }
    let number = if number.fract() == 0.0 { number } else { number * 1000.0 };
    let short = millrace_model::format_number(number).len() < MILLISECOND_DIGITS;
    Some(if short { number * 1000.0 } else { number.trunc() })
}

#[expect(clippy::as_conversions, reason = "milliseconds of any date are far below 2^53")]
pub(super) fn whole(milliseconds: i64) -> f64 {
    milliseconds as f64
}

/// The code of a parameter that is one expression and nothing else.
fn sole_expression(text: &str) -> Option<&str> {
    let code = text.strip_prefix("={{")?.strip_suffix("}}")?;
    (!code.contains("{{") && !code.contains("}}") && !code.trim().is_empty()).then_some(code)
}
