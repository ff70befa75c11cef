//! What a script may return: items, or plain objects that become items; everything else is refused in n8n's words.

use millrace_model::{ExecutionError, Item, Object, Value};

/// Keys that make an object an item rather than the JSON of one.
const ITEM_KEYS: [&str; 5] = ["json", "binary", "pairedItem", "error", "index"];

/// The items of a script that ran once for all items.
pub(super) fn all_items(result: Value) -> Result<Vec<Item>, ExecutionError> {
    let list = match result {
        Value::Null => return Ok(Vec::new()),
        Value::Array(_) | Value::Object(_) => result,
        _ => {
            return Err(refused("Code doesn't return items properly", None)
                .describe("Please return an array of objects, one for each item you would like to output."));
        }
    };
    if let Value::Array(values) = &list
        && values.iter().any(has_item_key)
    {
        for (at, value) in values.iter().enumerate() {
            check_keys(value, at)?;
        }
    }
    let items = normalized(list)?;
    for (at, value) in items.iter().enumerate() {
        check_parts(value, at)?;
    }
    Ok(items.iter().map(Item::from_value).collect())
}

/// The item of a script that ran for one item; `None` for `null`.
pub(super) fn one_item(result: Value, at: usize) -> Result<Option<Item>, ExecutionError> {
    match &result {
        Value::Null => return Ok(None),
        Value::Array(values) => {
            let what = match values.first() {
                Some(first) => format!("An array of {}s was returned.", type_of(first)),
                None => "An empty array was returned.".to_owned(),
            };
            let advice = "If you need to output multiple items, please use the 'Run Once for All Items' mode instead.";
            return Err(refused("Code doesn't return a single object", Some(at)).describe(format!("{what} {advice}")));
        }
        Value::Object(_) => {}
        other => {
            let advice = "Please return an object representing the output item.";
            let text = other.to_js_string();
            return Err(refused("Code doesn't return an object", Some(at))
                .describe(format!("{advice} ('{text}' was returned instead.)")));
        }
    }
    let items = normalized(Value::array([result]))?;
    let Some(item) = items.first() else { return Ok(None) };
    check_parts(item, at)?;
    check_keys(item, at)?;
    Ok(Some(Item::from_value(item)))
}

/// Every value as an item: those that are none become the JSON of one.
pub(super) fn normalized(result: Value) -> Result<Vec<Value>, ExecutionError> {
    let values = match result {
        Value::Array(values) => values.to_vec(),
        Value::Object(object) if object.get("json").is_some_and(millrace_model::truthy) => vec![object.into()],
        other => vec![wrapped(other)],
    };
    let having = |key: &str| values.iter().filter(|value| value.get(key).is_some()).count();
    let inconsistent = || ExecutionError::operation("Inconsistent item format");
    match (having("json"), having("binary")) {
        (json, _) if json == values.len() => Ok(values),
        (1.., _) => Err(inconsistent()),
        (0, 0) => Ok(values.into_iter().map(wrapped).collect()),
        (0, binary) if binary == values.len() => Ok(values.into_iter().map(binary_apart).collect()),
        (0, _) => Err(inconsistent()),
    }
}

fn wrapped(json: Value) -> Value {
    Object::from([("json", json)]).into()
}

/// An object with a `binary` beside the fields of its JSON.
fn binary_apart(value: Value) -> Value {
    let Value::Object(mut json) = value else { return value };
    let binary = json.remove("binary").unwrap_or_default();
    Object::from([("json", json.into()), ("binary", binary)]).into()
}

fn has_item_key(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.keys().any(|key| ITEM_KEYS.contains(&key.as_str())))
}

fn check_keys(value: &Value, at: usize) -> Result<(), ExecutionError> {
    let unknown = value.as_object().and_then(|object| object.keys().find(|key| !ITEM_KEYS.contains(&key.as_str())));
    match unknown {
        None => Ok(()),
        Some(key) => Err(refused(&format!("Unknown top-level item key: {key}"), Some(at))
            .describe("Access the properties of an item under `.json`, e.g. `item.json`")),
    }
}

fn check_parts(value: &Value, at: usize) -> Result<(), ExecutionError> {
    let object = |key: &str, optional: bool| match value.get(key) {
        Some(Value::Object(_)) => Ok(()),
        None | Some(Value::Undefined) if optional => Ok(()),
        _ => Err(refused(&format!("A '{key}' property isn't an object"), Some(at))
            .describe(format!("In the returned data, every key named '{key}' must point to an object."))),
    };
    object("json", false)?;
    object("binary", true)
}

fn refused(message: &str, at: Option<usize>) -> ExecutionError {
    match at {
        Some(at) => ExecutionError::new("ValidationError", format!("{message} [item {at}]")).at_item(at),
        None => ExecutionError::new("ValidationError", message),
    }
}

/// JavaScript's `typeof`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) => "object",
        value => value.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    #[test]
    fn accepts_items_and_plain_objects() {
        let cases = [
            ("null", "[]"),
            (r#"{"a": 1}"#, r#"[{"json": {"a": 1}}]"#),
            (r#"{"json": {"a": 1}}"#, r#"[{"json": {"a": 1}}]"#),
            (r#"[{"a": 1}, {"b": 2}]"#, r#"[{"json": {"a": 1}}, {"json": {"b": 2}}]"#),
            (r#"[{"json": {}, "pairedItem": 3}]"#, r#"[{"json": {}, "pairedItem": 3}]"#),
            (r#"[{"json": {"a": 1}, "index": 4}]"#, r#"[{"json": {"a": 1}, "index": 4}]"#),
            (r#"[{"binary": {}}]"#, r#"[{"json": {}, "binary": {}}]"#),
            ("[]", "[]"),
        ];
        for (result, expected) in cases {
            let items = all_items(json(result)).unwrap();
            let items = Value::from_json(&serde_json::to_string(&items).unwrap()).unwrap();
            assert_eq!(items, json(expected), "{result}");
        }
    }

    #[test]
    fn refuses_other_results() {
        let cases = [
            ("5", "Code doesn't return items properly"),
            (r#"[{"json": {}, "name": 1}]"#, "Unknown top-level item key: name [item 0]"),
            (r#"[{"json": {}}, {"a": 1}]"#, "Unknown top-level item key: a [item 1]"),
            (r#"[{"json": 1}]"#, "A 'json' property isn't an object [item 0]"),
            ("[1, 2]", "A 'json' property isn't an object [item 0]"),
            (r#"[{"json": {}, "binary": []}]"#, "A 'binary' property isn't an object [item 0]"),
        ];
        for (result, message) in cases {
            assert_eq!(all_items(json(result)).unwrap_err().message, message, "{result}");
        }
    }

    #[test]
    fn wants_one_object_for_one_item() {
        let cases = [
            ("[1]", "Code doesn't return a single object [item 7]"),
            ("[]", "Code doesn't return a single object [item 7]"),
            (r#""text""#, "Code doesn't return an object [item 7]"),
            (r#"{"json": {}, "name": 1}"#, "Unknown top-level item key: name [item 7]"),
        ];
        for (result, message) in cases {
            assert_eq!(one_item(json(result), 7).unwrap_err().message, message, "{result}");
        }
        assert_eq!(one_item(Value::Null, 0).unwrap(), None);
        assert_eq!(one_item(json(r#"{"a": 1}"#), 0).unwrap().unwrap().json, json(r#"{"a": 1}"#));
    }
}
