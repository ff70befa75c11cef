//! Parameters that name several fields: text separated by commas, or a list.

use millrace_model::{ExecutionError, Str, Value};

use crate::NodeContext;

/// The names; `label` is what the parameter is called in the editor.
pub(crate) fn parse(value: &Value, label: &str) -> Result<Vec<Str>, ExecutionError> {
    match value {
        Value::Undefined | Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(split(text)),
        Value::Array(names) => Ok(names.iter().map(Value::to_js_string).collect()),
        _ => Err(ExecutionError::operation(format!(
            "The '{label}' parameter must be a string of fields separated by commas or an array of strings."
        ))),
    }
}

/// The trimmed, non-empty parts between commas.
pub(crate) fn split(text: &str) -> Vec<Str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Str::from).collect()
}

/// The names as text or list; Item Lists wraps each in an object.
pub(crate) fn listed(
    context: &mut NodeContext<'_>,
    path: &str,
    label: &str,
    item: usize,
) -> Result<Vec<Str>, ExecutionError> {
    let value = context.parameter(path, item)?;
    match value.get("fields") {
        Some(fields) => {
            let entries = fields.as_array().unwrap_or_default().iter();
            Ok(entries.filter_map(|entry| entry.get("fieldName")).map(Value::to_js_string).collect())
        }
        None if matches!(value, Value::Object(_)) => Ok(Vec::new()),
        None => parse(&value, label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_and_lists() {
        assert_eq!(parse(&" a, b.c ,,d ".into(), "Fields").unwrap(), ["a", "b.c", "d"]);
        assert_eq!(parse(&Value::array(["a, b".into(), "c".into()]), "Fields").unwrap(), ["a, b", "c"]);
        assert!(parse(&Value::Null, "Fields").unwrap().is_empty());
        let message = parse(&5.into(), "Fields").unwrap_err().message;
        assert!(message.starts_with("The 'Fields' parameter must be"), "{message}");
    }
}
