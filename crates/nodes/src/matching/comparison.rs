//! Equality of two values: strict, or forgiving about types ("1" and 1, null and "").

use millrace_model::{Value, format_number};

use crate::value_key::ValueKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Strict,
    /// `nulls_as_zero`: null also equals 0 and "0".
    Fuzzy {
        nulls_as_zero: bool,
    },
}

impl Comparison {
    /// Are two values equal? A missing field is `Undefined`.
    pub(crate) fn is_equal(self, left: &Value, right: &Value) -> bool {
        let Comparison::Fuzzy { nulls_as_zero } = self else { return ValueKey(left) == ValueKey(right) };
        if *left != Value::Null && *right != Value::Null && type_of(left) == type_of(right) {
            return ValueKey(left) == ValueKey(right);
        }
        let is_zero =
            |value: &Value| *value == Value::Null || *value == Value::Number(0.0) || value.as_str() == Some("0");
        if nulls_as_zero && ((*left == Value::Null && is_zero(right)) || (*right == Value::Null && is_zero(left))) {
            return true;
        }
        let is_absent = |value: &Value| is_empty(value) || value.is_undefined();
        if (is_empty(left) && is_absent(right)) || (is_empty(right) && is_absent(left)) {
            return true;
        }
        loosely(left, right).or_else(|| loosely(right, left)).unwrap_or_else(|| ValueKey(left) == ValueKey(right))
    }
}

/// A number or truth value and the text or number that stands for it.
fn loosely(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Number(number), Value::String(text)) => Some(format_number(*number) == *text),
        (Value::Bool(flag), Value::String(text)) => {
            let text = text.to_lowercase();
            Some(if *flag { text == "true" } else { text == "false" })
        }
        (Value::Bool(flag), Value::Number(number)) => Some(*number == f64::from(u8::from(*flag))),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// JavaScript's `typeof`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) => "object",
        value => value.kind(),
    }
}
