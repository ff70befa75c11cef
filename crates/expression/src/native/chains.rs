//! Reading members, and calling methods, one after the other.

use std::borrow::Cow;

use millrace_model::{Value, format_number, to_index};

use super::{
    Evaluated, Read, Stop, evaluate as evaluate_expression, methods,
    syntax::{Chain, Step},
};
use crate::{Scope, rewrite};

/// Names that objects have without holding them.
const INHERITED: [&str; 6] =
    ["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"];

pub(super) fn evaluate<'a>(chain: &'a Chain, scope: &Scope<'a>) -> Evaluated<'a> {
    let mut value = evaluate_expression(&chain.start, scope)?;
    for link in &chain.links {
        if link.optional && value.is_nullish() {
            return Ok(Cow::Owned(Value::Undefined));
        }
        value = match &link.step {
            Step::Field(name) => member(value, name)?,
            Step::Index(key) => {
                let key = evaluate_expression(key, scope)?;
                indexed(value, &key)?
            }
            Step::Call(method, arguments) => {
                if value.is_nullish() && chain.optional {
                    return Err(Stop::Fallback);
                }
                let given: Result<Vec<Read<'a>>, Stop> =
                    arguments.iter().map(|argument| evaluate_expression(argument, scope)).collect();
                Cow::Owned(methods::call(*method, &value, &given?)?)
            }
        };
    }
    Ok(value)
}

/// The member by a name known to be allowed.
fn member<'a>(value: Read<'a>, name: &str) -> Evaluated<'a> {
    match value {
        Cow::Borrowed(value) => Ok(find(value, name)?.map_or(Cow::Owned(Value::Undefined), Found::read)),
        Cow::Owned(value) => {
            Ok(Cow::Owned(find(&value, name)?.map_or(Value::Undefined, |found| found.read().into_owned())))
        }
    }
}

fn indexed<'a>(value: Read<'a>, key: &Value) -> Evaluated<'a> {
    match key {
        Value::Number(number) if value.as_array().is_some() => {
            let index = to_index(*number).ok_or(Stop::Fallback)?;
            let borrowed = if let Cow::Borrowed(value) = value { value.as_array() } else { None };
            Ok(match borrowed {
                Some(values) => values.get(index).map_or(Cow::Owned(Value::Undefined), Cow::Borrowed),
                None => Cow::Owned(value.as_array().and_then(|values| values.get(index)).cloned().unwrap_or_default()),
            })
        }
        Value::Number(number) if value.as_object().is_some() => member(value, &format_number(*number)),
        Value::String(name) if !rewrite::is_forbidden(name) => member(value, name),
        _ if value.is_nullish() => Err(Stop::Thrown),
        _ => Err(Stop::Fallback),
    }
}

enum Found<'a> {
    Field(&'a Value),
    Length(usize),
}

impl<'a> Found<'a> {
    fn read(self) -> Read<'a> {
        match self {
            Found::Field(value) => Cow::Borrowed(value),
            Found::Length(length) => Cow::Owned(Value::from(length)),
        }
    }
}

fn find<'a>(value: &'a Value, name: &str) -> Result<Option<Found<'a>>, Stop> {
    match value {
        Value::Undefined | Value::Null => Err(Stop::Thrown),
        Value::Object(object) => match object.get(name) {
            Some(value) => Ok(Some(Found::Field(value))),
            None if INHERITED.contains(&name) => Err(Stop::Fallback),
            None => Ok(None),
        },
        Value::Array(values) if name == "length" => Ok(Some(Found::Length(values.len()))),
        Value::String(text) if name == "length" => Ok(Some(Found::Length(text.encode_utf16().count()))),
        _ => Err(Stop::Fallback),
    }
}
