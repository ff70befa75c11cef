//! What each operation of a condition asks of its two values.

use millrace_model::{ExecutionError, Str, Value};

use crate::field_type::{FieldType, Typed};
use crate::regular_expression::Patterns;

/// An operation, whatever type it is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Exists,
    NotExists,
    Empty,
    NotEmpty,
    Equals,
    NotEquals,
    Contains,
    NotContains,
    StartsWith,
    NotStartsWith,
    EndsWith,
    NotEndsWith,
    Matches,
    NotMatches,
    /// Greater, later.
    Above,
    Below,
    AtLeast,
    AtMost,
    IsTrue,
    IsFalse,
    LengthEquals,
    LengthNotEquals,
    LengthAbove,
    LengthBelow,
    LengthAtLeast,
    LengthAtMost,
    /// Does not exist: never holds.
    Unknown,
}

impl Operation {
    pub(super) fn named(name: &str) -> Operation {
        match name {
            "exists" => Operation::Exists,
            "notExists" => Operation::NotExists,
            "empty" => Operation::Empty,
            "notEmpty" => Operation::NotEmpty,
            "equals" => Operation::Equals,
            "notEquals" => Operation::NotEquals,
            "contains" => Operation::Contains,
            "notContains" => Operation::NotContains,
            "startsWith" => Operation::StartsWith,
            "notStartsWith" => Operation::NotStartsWith,
            "endsWith" => Operation::EndsWith,
            "notEndsWith" => Operation::NotEndsWith,
            "regex" => Operation::Matches,
            "notRegex" => Operation::NotMatches,
            "gt" | "after" => Operation::Above,
            "lt" | "before" => Operation::Below,
            "gte" | "afterOrEquals" => Operation::AtLeast,
            "lte" | "beforeOrEquals" => Operation::AtMost,
            "true" => Operation::IsTrue,
            "false" => Operation::IsFalse,
            "lengthEquals" => Operation::LengthEquals,
            "lengthNotEquals" => Operation::LengthNotEquals,
            "lengthGt" => Operation::LengthAbove,
            "lengthLt" => Operation::LengthBelow,
            "lengthGte" => Operation::LengthAtLeast,
            "lengthLte" => Operation::LengthAtMost,
            _ => Operation::Unknown,
        }
    }
}

/// Does the operation hold for two values of the type?
pub(super) fn apply(
    operation: Operation,
    kind: FieldType,
    left: &Typed,
    right: &Typed,
    ignore_case: bool,
    patterns: &mut Patterns,
) -> Result<bool, ExecutionError> {
    let exists = match left {
        Typed::Value(Value::Number(number)) => !number.is_nan(),
        Typed::Value(value) => !value.is_nullish(),
        Typed::DateTime(_) => true,
    };
    match operation {
        Operation::Exists => return Ok(exists),
        Operation::NotExists => return Ok(!exists),
        _ => {}
    }
    Ok(match kind {
        FieldType::String => return text(operation, plain(left), plain(right), ignore_case, patterns),
        FieldType::Number => match operation {
            Operation::Empty => !exists,
            Operation::NotEmpty => exists,
            _ => numbers(operation, plain(left), plain(right)),
        },
        FieldType::DateTime => match (operation, left, right) {
            (Operation::Empty, ..) => !exists,
            (Operation::NotEmpty, ..) => exists,
            (_, Typed::DateTime(left), Typed::DateTime(right)) => {
                ordered(operation, Some(left.as_millisecond().cmp(&right.as_millisecond())))
            }
            _ => false,
        },
        FieldType::Boolean => {
            let is_true = millrace_model::truthy(plain(left));
            match operation {
                Operation::Empty => !exists,
                Operation::NotEmpty => exists,
                Operation::IsTrue => is_true,
                Operation::IsFalse => !is_true,
                Operation::Equals => plain(left) == plain(right),
                Operation::NotEquals => plain(left) != plain(right),
                _ => false,
            }
        }
        FieldType::Array => array(operation, plain(left), right, ignore_case),
        FieldType::Object => {
            let empty = !millrace_model::truthy(plain(left))
                || plain(left).as_object().is_some_and(millrace_model::Object::is_empty);
            match operation {
                Operation::Empty => empty,
                Operation::NotEmpty => !empty,
                _ => false,
            }
        }
        _ => false,
    })
}

fn plain(typed: &Typed) -> &Value {
    match typed {
        Typed::Value(value) => value,
        Typed::DateTime(_) => &Value::Undefined,
    }
}

fn text(
    operation: Operation,
    left: &Value,
    right: &Value,
    ignore_case: bool,
    patterns: &mut Patterns,
) -> Result<bool, ExecutionError> {
    let pattern = matches!(operation, Operation::Matches | Operation::NotMatches);
    let folded = |value: &Value, fold: bool| match value {
        Value::String(text) if fold => Str::from(text.to_lowercase()),
        Value::String(text) => text.clone(),
        _ => Str::new(),
    };
    let (left, right) = (folded(left, ignore_case), folded(right, ignore_case && !pattern));
    let (left, right) = (left.as_str(), right.as_str());
    Ok(match operation {
        Operation::Empty => left.is_empty(),
        Operation::NotEmpty => !left.is_empty(),
        Operation::Equals => left == right,
        Operation::NotEquals => left != right,
        Operation::Contains => left.contains(right),
        Operation::NotContains => !left.contains(right),
        Operation::StartsWith => left.starts_with(right),
        Operation::NotStartsWith => !left.starts_with(right),
        Operation::EndsWith => left.ends_with(right),
        Operation::NotEndsWith => !left.ends_with(right),
        Operation::Matches => patterns.is_match(right, left)?,
        Operation::NotMatches => !patterns.is_match(right, left)?,
        _ => false,
    })
}

fn numbers(operation: Operation, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left.is_nan() || right.is_nan() => {
            operation == Operation::NotEquals
        }
        (Value::Number(left), Value::Number(right)) => ordered(operation, left.partial_cmp(right)),
        // Where a value is missing JavaScript compares `null` as 0 and `undefined` as not a number.
        (left, right) => match operation {
            Operation::Equals => left == right,
            Operation::NotEquals => left != right,
            _ => ordered(operation, as_number(left).partial_cmp(&as_number(right))),
        },
    }
}

fn as_number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Null => 0.0,
        _ => f64::NAN,
    }
}

fn ordered(operation: Operation, order: Option<std::cmp::Ordering>) -> bool {
    let Some(order) = order else { return false };
    match operation {
        Operation::Equals => order.is_eq(),
        Operation::NotEquals => order.is_ne(),
        Operation::Above => order.is_gt(),
        Operation::Below => order.is_lt(),
        Operation::AtLeast => order.is_ge(),
        Operation::AtMost => order.is_le(),
        _ => false,
    }
}

fn array(operation: Operation, left: &Value, right: &Typed, ignore_case: bool) -> bool {
    let values = left.as_array().unwrap_or_default();
    let right = plain(right);
    let length = || Value::from(values.len());
    match operation {
        Operation::Contains => contains(values, right, ignore_case),
        Operation::NotContains => !contains(values, right, ignore_case),
        Operation::Empty => values.is_empty(),
        Operation::NotEmpty => !values.is_empty(),
        Operation::LengthEquals => numbers(Operation::Equals, &length(), right),
        Operation::LengthNotEquals => numbers(Operation::NotEquals, &length(), right),
        Operation::LengthAbove => numbers(Operation::Above, &length(), right),
        Operation::LengthBelow => numbers(Operation::Below, &length(), right),
        Operation::LengthAtLeast => numbers(Operation::AtLeast, &length(), right),
        Operation::LengthAtMost => numbers(Operation::AtMost, &length(), right),
        _ => false,
    }
}

/// As JavaScript's `includes`: objects and arrays are never equal to others.
fn contains(values: &[Value], wanted: &Value, ignore_case: bool) -> bool {
    match wanted {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(wanted) if ignore_case => {
            let wanted = wanted.to_lowercase();
            values.iter().filter_map(Value::as_str).any(|value| value.to_lowercase() == wanted)
        }
        wanted => values.contains(wanted),
    }
}
