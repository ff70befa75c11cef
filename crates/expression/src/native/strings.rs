//! Methods of strings. Positions count UTF-16 units, so those with positions take only ASCII.

use millrace_model::{Str, Value, parse_number, to_index};

use super::{Read, Stop, methods::Method, numbers, operators};
use crate::prelude;

pub(super) fn call(method: Method, text: &Str, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    if prelude::is_extension(method.name()) {
        return extension(method, text, arguments);
    }
    let wanted = || match arguments {
        [only] => only.as_str().ok_or(Stop::Fallback),
        _ => Err(Stop::Fallback),
    };
    Ok(match method {
        Method::ToString => Value::String(text.clone()),
        Method::ToUpperCase => upper(text)?,
        Method::ToLowerCase => lower(text)?,
        Method::Trim => part(text, text.trim_matches(is_space)),
        Method::TrimStart => part(text, text.trim_start_matches(is_space)),
        Method::TrimEnd => part(text, text.trim_end_matches(is_space)),
        Method::Includes => text.contains(wanted()?).into(),
        Method::StartsWith => text.starts_with(wanted()?).into(),
        Method::EndsWith => text.ends_with(wanted()?).into(),
        Method::IndexOf if text.is_ascii() => text.find(wanted()?).map_or_else(|| Value::from(-1), Value::from),
        Method::Split => match wanted()? {
            "" => return Err(Stop::Fallback),
            separator => Value::array(text.split(separator).map(Value::from)),
        },
        Method::Replace | Method::ReplaceAll => return replace(method, text, arguments),
        Method::Slice | Method::Substring | Method::At if text.is_ascii() => return cut(method, text, arguments),
        Method::PadStart | Method::PadEnd if text.is_ascii() => return pad(method, text, arguments),
        _ => return Err(Stop::Fallback),
    })
}

fn extension(method: Method, text: &Str, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    // Text that is an instant has the methods of dates.
    if (24..=27).contains(&text.len()) && text.ends_with('Z') || !arguments.is_empty() {
        return Err(Stop::Fallback);
    }
    Ok(match method {
        Method::IsEmpty => text.is_empty().into(),
        Method::IsNotEmpty => (!text.is_empty()).into(),
        Method::ToBoolean if text.is_ascii() => {
            let false_words = ["", "0", "false", "no"];
            (!false_words.iter().any(|word| text.eq_ignore_ascii_case(word))).into()
        }
        Method::ToNumber if text.is_ascii() && !text.contains('$') => {
            let number = parse_number(text);
            if number.is_nan() { return Err(Stop::Fallback) } else { number.into() }
        }
        Method::ToFloat => numbers::parse_float(text)?.into(),
        Method::ToInt => numbers::parse_integer(text)?.into(),
        _ => return Err(Stop::Fallback),
    })
}

/// White space and line ends as JavaScript's `trim` knows them.
pub(super) fn is_space(letter: char) -> bool {
    (letter.is_whitespace() && letter != '\u{85}') || letter == '\u{feff}'
}

/// A part of a text; the text itself, shared, where it is the whole.
fn part(text: &Str, part: &str) -> Value {
    if part.len() == text.len() { Value::String(text.clone()) } else { part.into() }
}

/// Letters beyond the scripts whose case is the same in every version of Unicode are left to the engine.
fn is_settled(text: &str) -> bool {
    text.is_ascii()
        || text.chars().all(|letter| letter < '\u{530}' && !matches!(letter, 'Σ' | 'İ' | 'ŉ' | 'ǰ' | 'ΐ' | 'ΰ'))
}

fn upper(text: &str) -> Result<Value, Stop> {
    if is_settled(text) { Ok(text.to_uppercase().into()) } else { Err(Stop::Fallback) }
}

fn lower(text: &str) -> Result<Value, Stop> {
    if is_settled(text) { Ok(text.to_lowercase().into()) } else { Err(Stop::Fallback) }
}

/// With two strings; a `$` in the replacement has meanings of its own.
fn replace(method: Method, text: &str, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let [pattern, replacement] = arguments else { return Err(Stop::Fallback) };
    let (Some(pattern), Some(replacement)) = (pattern.as_str(), replacement.as_str()) else {
        return Err(Stop::Fallback);
    };
    if pattern.is_empty() || replacement.contains('$') {
        return Err(Stop::Fallback);
    }
    let times = if method == Method::Replace { 1 } else { usize::MAX };
    Ok(text.replacen(pattern, replacement, times).into())
}

fn cut(method: Method, text: &str, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let length = text.len();
    let position = |at: usize, absent: usize| match arguments.get(at).map(|value| &**value) {
        None | Some(Value::Undefined) => Ok(absent),
        Some(Value::Number(number)) => relative(*number, length, method == Method::Slice).ok_or(Stop::Fallback),
        Some(_) => Err(Stop::Fallback),
    };
    if method == Method::At {
        let index = match arguments {
            [index] => to_index(operators::to_number(index)?).ok_or(Stop::Fallback)?,
            _ => return Err(Stop::Fallback),
        };
        return Ok(text.get(index..=index).filter(|_| index < length).map_or(Value::Undefined, Value::from));
    }
    let (from, to) = (position(0, 0)?, position(1, length)?);
    let (from, to) = if method == Method::Substring && from > to { (to, from) } else { (from, to.max(from)) };
    text.get(from..to).map(Value::from).ok_or(Stop::Fallback)
}

/// A position within a length: negative ones count from the end, or are the start.
pub(super) fn relative(number: f64, length: usize, from_end: bool) -> Option<usize> {
    let back = to_index(-number.trunc()).filter(|_| number < 0.0);
    match back {
        Some(back) => Some(if from_end { length.saturating_sub(back) } else { 0 }),
        None => Some(to_index(number.trunc())?.min(length)),
    }
}

fn pad(method: Method, text: &Str, arguments: &[Read<'_>]) -> Result<Value, Stop> {
    let (length, filler) = match arguments {
        [length] => (length, " "),
        [length, filler] => (length, filler.as_str().filter(|filler| filler.is_ascii()).ok_or(Stop::Fallback)?),
        _ => return Err(Stop::Fallback),
    };
    let length = length.as_f64().and_then(to_index).filter(|length| *length <= 1 << 16).ok_or(Stop::Fallback)?;
    let missing = length.saturating_sub(text.len());
    if missing == 0 || filler.is_empty() {
        return Ok(Value::String(text.clone()));
    }
    let filling: String = filler.chars().cycle().take(missing).collect();
    Ok(if method == Method::PadStart { filling + text } else { format!("{text}{filling}") }.into())
}
