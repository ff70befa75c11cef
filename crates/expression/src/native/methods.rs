//! Methods of values, n8n's and JavaScript's own, by the type of what they are called on.

use millrace_model::{Object, Value};

use super::{Read, Stop, lists, numbers, strings};
use crate::prelude;

macro_rules! methods {
    ($($variant:ident $name:literal,)*) => {
        /// A method that has a native form for some type.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(super) enum Method { $($variant),* }

        impl Method {
            pub(super) fn named(name: &str) -> Option<Method> {
                match name {
                    $($name => Some(Method::$variant),)*
                    _ => None,
                }
            }

            pub(super) fn name(self) -> &'static str {
                match self { $(Method::$variant => $name),* }
            }
        }
    };
}

methods! {
    Abs "abs",
    At "at",
    Ceil "ceil",
    EndsWith "endsWith",
    First "first",
    Floor "floor",
    HasField "hasField",
    Includes "includes",
    IndexOf "indexOf",
    IsEmpty "isEmpty",
    IsEven "isEven",
    IsInteger "isInteger",
    IsNotEmpty "isNotEmpty",
    IsOdd "isOdd",
    Join "join",
    Keys "keys",
    Last "last",
    Max "max",
    Min "min",
    PadEnd "padEnd",
    PadStart "padStart",
    Replace "replace",
    ReplaceAll "replaceAll",
    Round "round",
    Slice "slice",
    Split "split",
    StartsWith "startsWith",
    Substring "substring",
    Sum "sum",
    ToBoolean "toBoolean",
    ToFixed "toFixed",
    ToFloat "toFloat",
    ToInt "toInt",
    ToLowerCase "toLowerCase",
    ToNumber "toNumber",
    ToString "toString",
    ToUpperCase "toUpperCase",
    Trim "trim",
    TrimEnd "trimEnd",
    TrimStart "trimStart",
    Values "values",
}

/// Calls a method. What is wrong with the call, the engine says.
pub(super) fn call(method: Method, receiver: &Value, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    match receiver {
        Value::String(text) => strings::call(method, text, arguments),
        Value::Number(number) => numbers::call(method, *number, arguments),
        Value::Array(values) => lists::call(method, values, arguments),
        Value::Object(object) => of_object(method, object, arguments),
        Value::Bool(value) => match method {
            Method::IsEmpty => Ok((!*value).into()),
            Method::IsNotEmpty => Ok((*value).into()),
            Method::ToString => Ok(if *value { "true" } else { "false" }.into()),
            Method::ToBoolean => Ok((*value).into()),
            Method::ToInt | Method::ToFloat | Method::ToNumber => Ok(u8::from(*value).into()),
            _ => Err(Stop::Fallback),
        },
        Value::Undefined | Value::Null => match method {
            Method::IsEmpty => Ok(true.into()),
            Method::IsNotEmpty => Ok(false.into()),
            // n8n's own error, or JavaScript's, which n8n swallows.
            method if prelude::is_extension(method.name()) => Err(Stop::Fallback),
            _ => Err(Stop::Thrown),
        },
    }
}

fn of_object(method: Method, object: &Object, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    match (method, arguments) {
        (Method::IsEmpty, _) => Ok(object.is_empty().into()),
        (Method::IsNotEmpty, _) => Ok((!object.is_empty()).into()),
        (Method::Keys, _) => Ok(Value::array(object.keys().cloned().map(Value::String))),
        (Method::Values, _) => Ok(Value::array(object.values().cloned())),
        (Method::HasField, [name]) => match name.as_str() {
            Some(name) if object.contains_key(name) => Ok(true.into()),
            _ => Err(Stop::Fallback),
        },
        _ => Err(Stop::Fallback),
    }
}
