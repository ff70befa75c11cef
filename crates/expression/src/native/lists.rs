//! Methods of arrays.

use millrace_model::{Str, Value, to_index};

use super::{Read, Stop, methods::Method, operators, strings::relative};

pub(super) fn call(method: Method, values: &[Value], arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let numbers = || {
        let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
        numbers.filter(|numbers| !numbers.iter().any(|number| number.is_nan() || *number == 0.0)).ok_or(Stop::Fallback)
    };
    Ok(match method {
        Method::IsEmpty => values.is_empty().into(),
        Method::IsNotEmpty => (!values.is_empty()).into(),
        Method::First => values.first().cloned().unwrap_or_default(),
        Method::Last => values.last().cloned().unwrap_or_default(),
        Method::Sum => {
            let all: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
            all.ok_or(Stop::Fallback)?.into_iter().fold(0.0, |sum, number| sum + number).into()
        }
        Method::Min => numbers()?.into_iter().fold(f64::INFINITY, f64::min).into(),
        Method::Max => numbers()?.into_iter().fold(f64::NEG_INFINITY, f64::max).into(),
        Method::Join => join(values, arguments)?,
        Method::Includes | Method::IndexOf => find(method, values, arguments)?,
        Method::At => match arguments {
            [index] => match index.as_f64().and_then(to_index) {
                Some(index) => values.get(index).cloned().unwrap_or_default(),
                None => return Err(Stop::Fallback),
            },
            _ => return Err(Stop::Fallback),
        },
        Method::Slice => slice(values, arguments)?,
        _ => return Err(Stop::Fallback),
    })
}

fn join(values: &[Value], arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let separator = match arguments {
        [] => ",",
        [separator] => separator.as_str().ok_or(Stop::Fallback)?,
        _ => return Err(Stop::Fallback),
    };
    let mut text = Str::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text.push_str(separator);
        }
        match value {
            Value::Undefined | Value::Null => {}
            Value::String(value) => text.push_str(value),
            value => text.push_str(&operators::to_string(value)?),
        }
    }
    Ok(text.into())
}

/// `includes` and `indexOf` of a primitive value.
fn find(method: Method, values: &[Value], arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let [wanted] = arguments else { return Err(Stop::Fallback) };
    if matches!(&**wanted, Value::Array(_) | Value::Object(_)) {
        return Err(Stop::Fallback);
    }
    let nan = wanted.as_f64().is_some_and(f64::is_nan);
    let matches = |value: &Value| operators::same(value, wanted).unwrap_or(false);
    let found = values.iter().position(matches);
    Ok(match (method, found) {
        (Method::Includes, found) => (found.is_some() || (nan && values.iter().any(is_nan))).into(),
        (_, Some(at)) => Value::from(at),
        (_, None) => Value::from(-1),
    })
}

fn is_nan(value: &Value) -> bool {
    value.as_f64().is_some_and(f64::is_nan)
}

fn slice(values: &[Value], arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let position = |at: usize, absent: usize| match arguments.get(at).map(|value| &**value) {
        None | Some(Value::Undefined) => Ok(absent),
        Some(Value::Number(number)) => relative(*number, values.len(), true).ok_or(Stop::Fallback),
        Some(_) => Err(Stop::Fallback),
    };
    let (from, to) = (position(0, 0)?, position(1, values.len())?);
    Ok(Value::array(values.get(from..to.max(from)).unwrap_or_default().iter().cloned()))
}
