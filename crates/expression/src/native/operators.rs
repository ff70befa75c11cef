//! JavaScript's operators on JSON values. Objects as operands are left to the engine, except where they cannot matter.

use std::borrow::Cow;
use std::cmp::Ordering;

use millrace_model::{Str, Value, format_number, parse_number, truthy};

use super::{
    Evaluated, Stop,
    syntax::{Binary, Unary},
};

pub(super) fn unary(operator: Unary, operand: &Value) -> Evaluated<'static> {
    let value = match operator {
        Unary::Not => Value::Bool(!truthy(operand)),
        Unary::Minus => Value::Number(-to_number(operand)?),
        Unary::Plus => Value::Number(to_number(operand)?),
        Unary::TypeOf => Value::from(match operand {
            Value::Undefined => "undefined",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Null | Value::Array(_) | Value::Object(_) => "object",
        }),
    };
    Ok(Cow::Owned(value))
}

pub(super) fn binary(operator: Binary, left: &Value, right: &Value) -> Result<Value, Stop> {
    let numbers = || Ok::<_, Stop>((to_number(left)?, to_number(right)?));
    Ok(match operator {
        Binary::Add => return add(left, right),
        Binary::Subtract => numbers().map(|(left, right)| left - right)?.into(),
        Binary::Multiply => numbers().map(|(left, right)| left * right)?.into(),
        Binary::Divide => numbers().map(|(left, right)| left / right)?.into(),
        Binary::Remainder => numbers().map(|(left, right)| left % right)?.into(),
        Binary::Same => same(left, right)?.into(),
        Binary::NotSame => (!same(left, right)?).into(),
        Binary::Equal => equal(left, right)?.into(),
        Binary::NotEqual => (!equal(left, right)?).into(),
        Binary::Less => order(left, right)?.is_some_and(Ordering::is_lt).into(),
        Binary::LessOrEqual => order(left, right)?.is_some_and(Ordering::is_le).into(),
        Binary::Greater => order(left, right)?.is_some_and(Ordering::is_gt).into(),
        Binary::GreaterOrEqual => order(left, right)?.is_some_and(Ordering::is_ge).into(),
    })
}

/// `+`: joins as text where either side is text or becomes it.
fn add(left: &Value, right: &Value) -> Result<Value, Stop> {
    let text = |value: &Value| matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
    if !text(left) && !text(right) {
        return Ok(Value::Number(to_number(left)? + to_number(right)?));
    }
    let mut joined = to_string(left)?;
    match right {
        Value::String(right) => joined.push_str(right),
        right => joined.push_str(&to_string(right)?),
    }
    Ok(Value::String(joined))
}

/// `Number(value)`; objects are left to the engine.
pub(super) fn to_number(value: &Value) -> Result<f64, Stop> {
    match value {
        Value::Undefined => Ok(f64::NAN),
        Value::Null => Ok(0.0),
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        Value::Number(number) => Ok(*number),
        Value::String(text) if text.is_ascii() => Ok(parse_number(text)),
        Value::String(_) | Value::Array(_) | Value::Object(_) => Err(Stop::Fallback),
    }
}

/// `String(value)`; nested lists, and objects with methods of their own, are left to the engine.
pub(super) fn to_string(value: &Value) -> Result<Str, Stop> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(format_number(*number)),
        Value::Array(values) if values.iter().any(|value| matches!(value, Value::Array(_) | Value::Object(_))) => {
            Err(Stop::Fallback)
        }
        Value::Object(object) if object.contains_key("toString") || object.contains_key("valueOf") => {
            Err(Stop::Fallback)
        }
        value => Ok(value.to_js_string()),
    }
}

/// `===`. Whether two objects are one and the same only the engine knows.
pub(super) fn same(left: &Value, right: &Value) -> Result<bool, Stop> {
    match (left, right) {
        (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Number(left), Value::Number(right)) => Ok(left == right),
        (Value::String(left), Value::String(right)) => Ok(left == right),
        (Value::Array(_) | Value::Object(_), Value::Array(_) | Value::Object(_)) => Err(Stop::Fallback),
        _ => Ok(false),
    }
}

/// `==`.
fn equal(left: &Value, right: &Value) -> Result<bool, Stop> {
    match (left, right) {
        (left, right) if left.is_nullish() || right.is_nullish() => Ok(left.is_nullish() && right.is_nullish()),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => Err(Stop::Fallback),
        (Value::String(left), Value::String(right)) => Ok(left == right),
        (left, right) => Ok(to_number(left)? == to_number(right)?),
    }
}

/// The order of two values; `None` where one is NaN.
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, Stop> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(Some(left.encode_utf16().cmp(right.encode_utf16()))),
        (left, right) => Ok(to_number(left)?.partial_cmp(&to_number(right)?)),
    }
}
