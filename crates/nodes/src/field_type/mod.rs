//! Field types and what may be converted to them: the coercion of Edit Fields, of conditions and of workflow inputs.

mod date_text;
mod legacy_date;
mod relaxed_json;
#[cfg(test)]
mod tests;

pub use date_text::DateTime;

use jiff::tz::TimeZone;
use millrace_model::{Object, Str, Value, parse_number};

/// A field type (n8n's `FieldType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    Any,
    String,
    Alphanumeric,
    Number,
    Boolean,
    DateTime,
    Time,
    Array,
    Object,
    Options,
    Url,
    Jwt,
    FormFields,
    Binary,
}

/// How strict a check is and what it may do.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// Only values that already have the type.
    pub strict: bool,
    /// Turns values into text for `String`; else anything passes as text.
    pub parse_strings: bool,
    /// Values of `Options`.
    pub options: &'a [Value],
    /// Zone of date texts that name none.
    pub zone: &'a TimeZone,
}

/// A value that has the type that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    Value(Value),
    DateTime(DateTime),
}

impl Rules<'_> {
    /// Loose, dates in UTC.
    pub const LOOSE: Rules<'static> = Rules { strict: false, parse_strings: false, options: &[], zone: &TimeZone::UTC };
}

impl FieldType {
    /// The type of this name; `None` for names that do not exist (their values all pass).
    pub fn named(name: &str) -> Option<FieldType> {
        Some(match name {
            "any" => FieldType::Any,
            "string" => FieldType::String,
            "string-alphanumeric" => FieldType::Alphanumeric,
            "number" => FieldType::Number,
            "boolean" => FieldType::Boolean,
            "dateTime" => FieldType::DateTime,
            "time" => FieldType::Time,
            "array" => FieldType::Array,
            "object" => FieldType::Object,
            "options" => FieldType::Options,
            "url" => FieldType::Url,
            "jwt" => FieldType::Jwt,
            "form-fields" => FieldType::FormFields,
            "binary" => FieldType::Binary,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            FieldType::Any => "any",
            FieldType::String => "string",
            FieldType::Alphanumeric => "string-alphanumeric",
            FieldType::Number => "number",
            FieldType::Boolean => "boolean",
            FieldType::DateTime => "dateTime",
            FieldType::Time => "time",
            FieldType::Array => "array",
            FieldType::Object => "object",
            FieldType::Options => "options",
            FieldType::Url => "url",
            FieldType::Jwt => "jwt",
            FieldType::FormFields => "form-fields",
            FieldType::Binary => "binary",
        }
    }
}

/// Checks and converts a value. `null` and `undefined` have every type; the error is n8n's message.
pub fn validate(field: &str, value: &Value, kind: FieldType, rules: &Rules<'_>) -> Result<Typed, String> {
    if value.is_nullish() {
        return Ok(Typed::Value(value.clone()));
    }
    let converted = match kind {
        FieldType::Any => Some(value.clone()),
        FieldType::String if !rules.parse_strings => Some(value.clone()),
        FieldType::String if rules.strict => value.as_str().map(|_| value.clone()),
        FieldType::String => Some(to_text(value).into()),
        FieldType::Alphanumeric => Some(to_text(value)).filter(|text| is_identifier(text)).map(Value::from),
        FieldType::Number if rules.strict => value.as_f64().map(Value::Number),
        FieldType::Number => to_number(value).map(Value::Number),
        FieldType::Boolean if rules.strict => value.as_bool().map(Value::Bool),
        FieldType::Boolean => to_boolean(value).map(Value::Bool),
        FieldType::DateTime => return to_date_time(field, value, rules),
        FieldType::Time => Some(value.to_js_string()).filter(|text| is_time(text)).map(Value::from),
        FieldType::Array => to_array(value, rules.strict),
        FieldType::Object => to_object(value, rules.strict),
        FieldType::Options => rules.options.contains(value).then(|| value.clone()),
        FieldType::Url => to_url(value),
        FieldType::Jwt => Some(value.clone()).filter(|value| value.as_str().is_some_and(is_jwt)),
        FieldType::FormFields => to_form_fields(value),
        FieldType::Binary => is_binary(value).then(|| value.clone()),
    };
    converted.map(Typed::Value).ok_or_else(|| refusal(field, value, kind, rules))
}

/// n8n's words for a value that cannot be converted.
fn refusal(field: &str, value: &Value, kind: FieldType, rules: &Rules<'_>) -> String {
    let got = described(value);
    let plain = format!("'{field}' expects a {} but we got {got}", kind.name());
    match kind {
        FieldType::Alphanumeric => {
            "Value is not a valid alphanumeric string, only letters, numbers and underscore allowed".to_owned()
        }
        FieldType::Time => format!("'{field}' expects time (hh:mm:(:ss)) but we got {got}."),
        FieldType::Options => {
            let allowed: Vec<Str> = rules.options.iter().map(Value::to_js_string).collect();
            format!("'{field}' expects one of the following values: [{}] but we got {got}", allowed.join(", "))
        }
        FieldType::Jwt => "Value is not a valid JWT token".to_owned(),
        FieldType::Binary => format!(
            "{plain}. Make sure the value is a valid binary data object with 'mimeType' and 'data' or 'id' property."
        ),
        _ => plain,
    }
}

/// How messages name a value: `array`, `object`, or the value in quotes.
fn described(value: &Value) -> String {
    match value {
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
        value => format!("'{}'", value.to_js_string()),
    }
}

/// JSON text of arrays and objects, else JavaScript's `String(value)`.
pub(crate) fn to_text(value: &Value) -> Str {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_json().into(),
        value => value.to_js_string(),
    }
}

fn to_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Object(_) => f64::NAN,
        value => parse_number(&value.to_js_string()),
    };
    (!number.is_nan()).then_some(number)
}

fn to_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => return Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => return Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => return Some(false),
        Value::String(text) if text.trim().is_empty() => return None,
        _ => {}
    }
    match to_number(value)? {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    }
}

fn to_date_time(field: &str, value: &Value, rules: &Rules<'_>) -> Result<Typed, String> {
    DateTime::parse(&value.to_js_string(), rules.zone).map(Typed::DateTime).ok_or_else(|| {
        format!(
            "'{field}' expects a dateTime but we got {} <br/><br/> Consider using <a \
             href=\"https://moment.github.io/luxon/api-docs/index.html#datetimefromformat\" \
             target=\"_blank\"><code>DateTime.fromFormat</code></a> to work with custom date formats.",
            described(value)
        )
    })
}

fn to_array(value: &Value, strict: bool) -> Option<Value> {
    match value {
        Value::Array(_) => Some(value.clone()),
        Value::String(text) if !strict => {
            let parsed = Value::from_json(text).or_else(|_| Value::from_json(&text.as_str().replace('\'', "\"")));
            parsed.ok().filter(|parsed| matches!(parsed, Value::Array(_)))
        }
        _ => None,
    }
}

fn to_object(value: &Value, strict: bool) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) if !strict => {
            let parsed = Value::from_json(text).ok().or_else(|| relaxed_json::parse_object(text));
            parsed.filter(|parsed| matches!(parsed, Value::Object(_)))
        }
        _ => None,
    }
}

/// A URL; `http://` is put before one that names no scheme.
fn to_url(value: &Value) -> Option<Value> {
    let text = value.to_js_string();
    let url: Str = if text.contains("://") { text } else { format!("http://{text}").into() };
    let begins = |rest: &str| rest.chars().next().is_some_and(|letter| !letter.is_whitespace());
    let schemes = ["http://", "https://", "ftp://", "file://"];
    let valid = schemes.iter().filter_map(|scheme| url.strip_prefix(scheme)).any(begins)
        || url.split("www.").skip(1).any(begins);
    valid.then(|| url.into())
}

fn to_form_fields(value: &Value) -> Option<Value> {
    let fields = match value {
        Value::String(text) => Value::from_json(text).ok()?,
        value => value.clone(),
    };
    let all_objects = fields.as_array()?.iter().all(|field| matches!(field, Value::Object(_)));
    all_objects.then_some(fields)
}

fn is_identifier(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// `hh:mm` or `hh:mm:ss`, an offset such as `+0200`, `+2` or `-02:00` allowed behind it.
fn is_time(text: &str) -> bool {
    let (clock, offset) = match text.find(['+', '-']).and_then(|at| text.split_at_checked(at)) {
        Some((clock, offset)) => (clock, Some(offset)),
        None => (text, None),
    };
    let pair = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = clock.split(':').collect();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let offset_valid = offset.and_then(|offset| offset.get(1..)).is_none_or(|offset| match offset.split_once(':') {
        Some((hours, minutes)) => (1..=2).contains(&hours.len()) && digits(hours) && pair(minutes),
        None => matches!(offset.len(), 1 | 2 | 4) && digits(offset),
    });
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| pair(part)) && offset_valid
}

/// Parts of base64url text joined by dots, as a JSON Web Token has them.
fn is_jwt(text: &str) -> bool {
    let encoded = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
    };
    let mut parts = text.splitn(3, '.');
    let begins = parts.next().is_some_and(encoded) && parts.next().is_some_and(encoded);
    let signed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    begins && parts.next().unwrap_or_default().bytes().all(signed)
}

fn is_binary(value: &Value) -> bool {
    let filled = |object: &Object, key: &str| object.get(key).is_some_and(millrace_model::truthy);
    value
        .as_object()
        .is_some_and(|object| filled(object, "mimeType") && (filled(object, "data") || filled(object, "id")))
}
