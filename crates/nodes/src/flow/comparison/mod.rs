//! The comparisons of If, Filter and Switch before conditions had their own parameter type: loose, with JavaScript's
//! rules for mixed types.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Object, Str, Value, parse_number, truthy};

use crate::field_type::{DateTime, to_text};
use crate::regular_expression::Patterns;

/// Types in the order in which their conditions are looked at.
pub(super) const TYPES: [&str; 4] = ["boolean", "dateTime", "number", "string"];

/// Does `operation` hold for the two values? `dateTime` values are read as dates first.
pub(super) fn holds(
    kind: &str,
    operation: &str,
    left: &Value,
    right: &Value,
    patterns: &mut Patterns,
) -> Result<bool, ExecutionError> {
    if kind == "dateTime" {
        let (left, right) = (Value::Number(to_time(left)?), Value::Number(to_time(right)?));
        return compare(operation, &left, &right, patterns);
    }
    compare(operation, left, right, patterns)
}

/// Does one of the groups' conditions decide? The conditions of a node as `{boolean: [...], number: [...], …}`;
/// `any`: one that holds is enough, else all must hold.
pub(super) fn pass(groups: &Value, any: bool, patterns: &mut Patterns) -> Result<bool, ExecutionError> {
    for kind in TYPES {
        let conditions = groups.get(kind).and_then(Value::as_array).unwrap_or_default();
        for condition in conditions.iter().filter_map(Value::as_object) {
            let side = |key: &str| condition.get(key).cloned().unwrap_or_default();
            let held = holds(kind, &operation_of(condition), &side("value1"), &side("value2"), patterns)?;
            if held == any {
                return Ok(any);
            }
        }
    }
    Ok(!any)
}

/// The operation that a condition or rule names.
pub(super) fn operation_of(condition: &Object) -> Str {
    condition.get("operation").and_then(Value::as_str).unwrap_or_default().into()
}

fn compare(operation: &str, left: &Value, right: &Value, patterns: &mut Patterns) -> Result<bool, ExecutionError> {
    let text = |value: &Value| if truthy(value) { value.to_js_string() } else { Str::new() };
    let contains = || text(left).contains(text(right).as_str());
    Ok(match operation {
        "after" | "larger" => ordered(left, right).is_some_and(std::cmp::Ordering::is_gt),
        "before" | "smaller" => ordered(left, right).is_some_and(std::cmp::Ordering::is_lt),
        "largerEqual" => ordered(left, right).is_some_and(std::cmp::Ordering::is_ge),
        "smallerEqual" => ordered(left, right).is_some_and(std::cmp::Ordering::is_le),
        "equal" => same(left, right),
        "notEqual" => !same(left, right),
        "contains" => contains(),
        "notContains" => !contains(),
        "startsWith" => strings(operation, left, right)?.is_some_and(|(left, right)| left.starts_with(&*right)),
        "notStartsWith" => !strings(operation, left, right)?.is_some_and(|(left, right)| left.starts_with(&*right)),
        "endsWith" => strings(operation, left, right)?.is_some_and(|(left, right)| left.ends_with(&*right)),
        "notEndsWith" => !strings(operation, left, right)?.is_some_and(|(left, right)| left.ends_with(&*right)),
        "isEmpty" => is_empty(left),
        "isNotEmpty" => !is_empty(left),
        "regex" => patterns.is_match(&text(right), &text(left))?,
        "notRegex" => !patterns.is_match(&text(right), &text(left))?,
        unknown => {
            let message = format!("The comparison operation \"{unknown}\" does not exist");
            return Err(ExecutionError::operation(message));
        }
    })
}

/// JavaScript's `===`: arrays and objects are never equal to others, `NaN` not to itself.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::Array(_) | Value::Object(_), _) => false,
        (left, right) => left == right,
    }
}

/// JavaScript's relational comparison, falsy values counting as 0.
fn ordered(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    let zero = Value::Number(0.0);
    let or_zero = |value| if truthy(value) { value } else { &zero };
    match (or_zero(left), or_zero(right)) {
        (Value::String(left), Value::String(right)) => Some(left.as_str().cmp(right.as_str())),
        (left, right) => to_number(left).partial_cmp(&to_number(right)),
    }
}

fn to_number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Object(_) | Value::Undefined => f64::NAN,
        value => parse_number(&value.to_js_string()),
    }
}

/// The two texts of a comparison that only text has; `None` where the right value is none.
fn strings(operation: &str, left: &Value, right: &Value) -> Result<Option<(Str, Str)>, ExecutionError> {
    let method = if operation.ends_with("StartsWith") || operation == "startsWith" { "startsWith" } else { "endsWith" };
    match left {
        Value::String(left) => Ok(Some((left.clone(), right.to_js_string()))),
        Value::Null | Value::Undefined => {
            let kind = left.kind();
            let message = format!("Cannot read properties of {kind} (reading '{method}')");
            Err(ExecutionError::new("TypeError", message))
        }
        _ => Err(ExecutionError::new("TypeError", format!("value1.{method} is not a function"))),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.is_nan(),
        Value::Array(values) => values.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) => false,
    }
}

/// Milliseconds since the epoch of a date given as text or number.
fn to_time(value: &Value) -> Result<f64, ExecutionError> {
    let time = match value {
        Value::Number(number) => Some(*number),
        Value::String(text) => {
            DateTime::parse(text, &jiff::tz::TimeZone::UTC).and_then(|date| Value::from(date.as_millisecond()).as_f64())
        }
        _ => None,
    };
    time.filter(|time| !time.is_nan()).ok_or_else(|| {
        let message = format!("The value \"{}\" is not a valid DateTime.", to_text(value));
        ExecutionError::operation(message)
    })
}
