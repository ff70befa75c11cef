//! Methods of numbers, and reading numbers from text.

use millrace_model::{Str, Value, format_number, parse_number, to_index};

use super::{Read, Stop, methods::Method, strings::is_space};

pub(super) fn call(method: Method, number: f64, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let places = || match arguments.first().map(|value| &**value) {
        None | Some(Value::Undefined) => Ok(0),
        Some(Value::Number(places)) => to_index(*places).filter(|places| *places <= 15).ok_or(Stop::Fallback),
        Some(_) => Err(Stop::Fallback),
    };
    let whole = |value: bool| if number.fract() == 0.0 { Ok(value) } else { Err(Stop::Fallback) };
    Ok(match method {
        Method::ToString if arguments.is_empty() => format_number(number).into(),
        Method::ToFixed => fixed(number, places()?)?.into(),
        Method::Round => match fixed(number, places()?) {
            Ok(text) => parse_number(&text).into(),
            Err(stop) => return Err(stop),
        },
        Method::Abs => number.abs().into(),
        Method::Ceil => number.ceil().into(),
        Method::Floor => number.floor().into(),
        Method::IsInteger => (number.fract() == 0.0).into(),
        Method::IsEven => whole(number % 2.0 == 0.0)?.into(),
        Method::IsOdd => whole(number % 2.0 != 0.0)?.into(),
        Method::IsEmpty => (number == 0.0 || number.is_nan()).into(),
        Method::IsNotEmpty => (number != 0.0 && !number.is_nan()).into(),
        Method::ToBoolean => (number != 0.0).into(),
        Method::ToInt => round(number).into(),
        Method::ToFloat | Method::ToNumber => number.into(),
        _ => return Err(Stop::Fallback),
    })
}

/// `Math.round`: halves upwards.
pub(super) fn round(number: f64) -> f64 {
    let floor = number.floor();
    let rounded = if number - floor >= 0.5 { floor + 1.0 } else { floor };
    rounded.copysign(number)
}

/// `toFixed`. Numbers on the edge between two results are left to the engine.
fn fixed(number: f64, places: usize) -> Result<Str, Stop> {
    let scaled = number.abs() * 10_f64.powi(i32::try_from(places).unwrap_or_default());
    if number.is_nan() || scaled >= 1e15 || (scaled.fract() - 0.5).abs() < 1e-6 {
        return Err(Stop::Fallback);
    }
    let number = if number == 0.0 { 0.0 } else { number };
    Ok(format!("{number:.places$}").into())
}

/// `parseFloat` of text that is one decimal number and nothing else.
pub(super) fn parse_float(text: &str) -> Result<f64, Stop> {
    let plain = text.trim_matches(is_space);
    let decimal = plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match parse_number(plain) {
        number if decimal && !plain.is_empty() && !number.is_nan() => Ok(number),
        _ => Err(Stop::Fallback),
    }
}

/// `parseInt` of text that begins with at most 15 decimal digits.
pub(super) fn parse_integer(text: &str) -> Result<f64, Stop> {
    let plain = text.trim_start_matches(is_space);
    let (sign, rest) = match plain.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, plain),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    match rest
        .get(..digits)
        .filter(|_| (1..=15).contains(&digits) && !hexadecimal && text.is_ascii() && !text.contains('$'))
    {
        Some(digits) => Ok(sign * parse_number(digits)),
        None => Err(Stop::Fallback),
    }
}
