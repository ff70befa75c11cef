//! When a wait ends, in milliseconds since the epoch.

use millrace_model::{ExecutionError, Value, parse_number, truthy};

use crate::NodeContext;
use crate::field_type::{DateTime, to_text};

/// Longest wait: a hundred years.
const LONGEST_MS: f64 = 100.0 * 365.25 * 86_400_000.0;

/// After the time of `amount` and `unit`.
pub(super) fn after(context: &mut NodeContext<'_>) -> Result<i64, ExecutionError> {
    let amount = context.parameter("amount", 0)?;
    let unit = context.text("unit", 0)?;
    from_now(context, &amount, &unit)
}

/// The moment of `dateTime`.
pub(super) fn moment(context: &mut NodeContext<'_>) -> Result<i64, ExecutionError> {
    let value = context.parameter("dateTime", 0)?;
    date(context, &value, "dateTime")
}

/// The latest moment to which a call is waited for; `None` where there is no limit.
pub(super) fn limit(context: &mut NodeContext<'_>) -> Result<Option<i64>, ExecutionError> {
    if !truthy(&context.parameter("limitWaitTime", 0)?) {
        return Ok(None);
    }
    if context.text("limitType", 0)? == "atSpecifiedTime" {
        let value = context.parameter("maxDateAndTime", 0)?;
        return date(context, &value, "maxDateAndTime").map(Some);
    }
    let amount = context.parameter("resumeAmount", 0)?;
    let unit = context.text("resumeUnit", 0)?;
    from_now(context, &amount, &unit).map(Some)
}

fn from_now(context: &NodeContext<'_>, amount: &Value, unit: &str) -> Result<i64, ExecutionError> {
    let number = match amount {
        Value::Number(number) => *number,
        Value::String(text) => parse_number(text),
        _ => f64::NAN,
    };
    if number.is_nan() || number < 0.0 {
        return Err(ExecutionError::operation("Invalid wait amount. Please enter a number that is 0 or greater."));
    }
    let unit_ms = match unit {
        "seconds" => 1000.0,
        "minutes" => 60_000.0,
        "hours" => 3_600_000.0,
        "days" => 86_400_000.0,
        _ => return Err(ExecutionError::operation(format!("Invalid wait unit: {unit}"))),
    };
    let passed = (number * unit_ms).min(LONGEST_MS).trunc();
    let passed = millrace_model::to_index(passed).and_then(|passed| i64::try_from(passed).ok()).unwrap_or(0);
    Ok(context.host.now_ms().saturating_add(passed))
}

fn date(context: &NodeContext<'_>, value: &Value, parameter: &str) -> Result<i64, ExecutionError> {
    let parsed = DateTime::parse(&to_text(value), &context.zone());
    parsed.map(|date| date.as_millisecond()).ok_or_else(|| {
        let message = format!("Cannot put execution to wait because `{parameter}` parameter is not a valid date");
        ExecutionError::operation(format!("{message}. Please pick a specific date and time to wait until."))
    })
}
