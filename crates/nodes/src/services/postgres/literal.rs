//! Values and names as SQL text. Every value becomes a literal of no stated type, so PostgreSQL reads it as what it is
//! compared with or stored in; nothing of it can end the literal.

use millrace_model::{ExecutionError, Value, format_number};

/// A name in double quotes.
pub(super) fn name(text: &str) -> Result<String, ExecutionError> {
    if text.is_empty() || text.contains('\0') {
        return Err(ExecutionError::operation("A name of a table or column is empty"));
    }
    Ok(format!("\"{}\"", text.replace('"', "\"\"")))
}

/// A value. Lists become arrays, objects JSON.
pub(super) fn value(value: &Value) -> Result<String, ExecutionError> {
    Ok(match value {
        Value::Undefined | Value::Null => "NULL".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if !number.is_finite() => format!("'{}'", format_number(*number)),
        // Behind a minus sign of the query a second one would begin a comment.
        Value::Number(number) if *number < 0.0 => format!("({})", format_number(*number)),
        Value::Number(number) => format_number(*number).to_string(),
        Value::String(text) => quoted(text)?,
        Value::Array(values) if values.is_empty() => "'{}'".to_owned(),
        Value::Array(values) => {
            let values: Result<Vec<String>, ExecutionError> = values.iter().map(self::value).collect();
            format!("ARRAY[{}]", values?.join(","))
        }
        object => quoted(&object.to_json())?,
    })
}

/// A list or object for a column: PostgreSQL's JSON where the element types of a list would not fit an array.
pub(super) fn column_value(given: &Value) -> Result<String, ExecutionError> {
    match given {
        Value::Array(values) if values.iter().any(|value| matches!(value, Value::Object(_) | Value::Array(_))) => {
            quoted(&given.to_json())
        }
        other => value(other),
    }
}

fn quoted(text: &str) -> Result<String, ExecutionError> {
    if text.contains('\0') {
        return Err(ExecutionError::operation("PostgreSQL holds no text with a null character"));
    }
    let text = text.replace('\'', "''");
    Ok(if text.contains('\\') { format!(" E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") })
}

/// Puts values in the place of `$1`, `$2:name`, `$3:csv`, `$4:json`; not inside of quotes and comments.
pub(super) fn fill(query: &str, values: &[Value]) -> Result<String, ExecutionError> {
    let mut filled = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(letter) = rest.chars().next() {
        let skipped = skipped(rest);
        if skipped > 0 {
            let (before, behind) = rest.split_at_checked(skipped).unwrap_or((rest, ""));
            filled.push_str(before);
            rest = behind;
            continue;
        }
        let behind = rest.strip_prefix('$').unwrap_or_default();
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = behind.split_at_checked(digits).unwrap_or_default();
        match number.parse::<usize>() {
            Ok(number) if letter == '$' && number > 0 => {
                let given = values.get(number - 1).ok_or_else(|| {
                    let message = format!("The query uses ${number}, but there are only {} values", values.len());
                    ExecutionError::operation(message).describe("Add it to the option \"Query Parameters\"")
                })?;
                let (text, behind) = formatted(given, behind)?;
                filled.push_str(&text);
                rest = behind;
            }
            _ => {
                filled.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    Ok(filled)
}

/// The value in the form that stands behind its number, and the query behind that.
fn formatted<'q>(given: &Value, behind: &'q str) -> Result<(String, &'q str), ExecutionError> {
    if let Some(behind) = behind.strip_prefix(":name").or_else(|| behind.strip_prefix('~')) {
        let names: Result<Vec<String>, ExecutionError> = match given {
            Value::Array(names) => names.iter().map(|text| name(&text.to_js_string())).collect(),
            Value::Object(fields) => fields.keys().map(|text| name(text)).collect(),
            other => Ok(vec![name(&other.to_js_string())?]),
        };
        return Ok((names?.join(","), behind));
    }
    if let Some(behind) = behind.strip_prefix(":csv").or_else(|| behind.strip_prefix(":list")) {
        let values: Result<Vec<String>, ExecutionError> = match given {
            Value::Array(values) => values.iter().map(value).collect(),
            Value::Object(fields) => fields.values().map(value).collect(),
            other => Ok(vec![value(other)?]),
        };
        return Ok((values?.join(","), behind));
    }
    match behind.strip_prefix(":json") {
        Some(behind) => Ok((quoted(&given.to_json())?, behind)),
        None => Ok((value(given)?, behind)),
    }
}

/// Bytes of a quoted text or a comment at the beginning; 0: there is none.
fn skipped(text: &str) -> usize {
    let until = |open: &str, close: &str| {
        let inside = text.get(open.len()..).unwrap_or_default();
        inside.find(close).map_or(text.len(), |at| open.len() + at + close.len())
    };
    if text.starts_with('\'') {
        return until("'", "'");
    }
    if text.starts_with('"') {
        return until("\"", "\"");
    }
    if text.starts_with("--") {
        return until("--", "\n");
    }
    if text.starts_with("/*") {
        return until("/*", "*/");
    }
    let Some(inside) = text.strip_prefix('$') else { return 0 };
    let Some((tag, _)) = inside.split_once('$') else { return 0 };
    let is_tag = tag.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !tag.starts_with(|letter: char| letter.is_ascii_digit());
    if is_tag { until(&format!("${tag}$"), &format!("${tag}$")) } else { 0 }
}
