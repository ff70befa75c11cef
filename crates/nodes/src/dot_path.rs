//! Paths into JSON as nodes write them (`address.street`, `tags[0]`, `a["b c"]`), with lodash's rules for reading,
//! writing and removing. Expressions have their own, full language; this is only for field names in parameters.

use std::borrow::Cow;
use std::sync::Arc;

use millrace_model::{ExecutionError, Object, Str, Value};

/// Longest array that writing to an index may make.
const MAX_ARRAY: usize = 100_000;

/// Deepest nesting that writing may make: what is deeper cannot be read back from its JSON.
const MAX_DEPTH: usize = 100;

/// The value at a path. A field whose whole name is the path wins over the nested reading.
pub(crate) fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    if !is_deep(path) {
        return step(value, path);
    }
    segments(path).iter().try_fold(value, |value, key| step(value, key))
}

/// The value at a path, or only at the field of that whole name when `literal`.
pub(crate) fn get_as<'v>(value: &'v Value, path: &str, literal: bool) -> Option<&'v Value> {
    if literal { value.get(path) } else { get(value, path) }
}

/// Writes a value, making the objects and arrays on the way. An error where the object became nested too deeply.
pub(crate) fn set(object: &mut Object, path: &str, value: impl Into<Value>) -> Result<(), ExecutionError> {
    set_as(object, path, value, false)
}

/// Writes to a path, or only to the field of that whole name when `literal`.
pub(crate) fn set_as(
    object: &mut Object,
    path: &str,
    value: impl Into<Value>,
    literal: bool,
) -> Result<(), ExecutionError> {
    let value = value.into();
    if literal || object.contains_key(path) || !is_deep(path) {
        check_depth(&value, 1)?;
        object.insert(path, value);
        return Ok(());
    }
    let keys = segments(path);
    check_depth(&value, keys.len())?;
    let Some((first, rest)) = keys.split_first() else { return Ok(()) };
    let mut inner = object.remove_for_update(first);
    set_in(&mut inner, rest, value);
    object.insert(Str::from(first.as_ref()), inner);
    Ok(())
}

fn check_depth(value: &Value, above: usize) -> Result<(), ExecutionError> {
    if MAX_DEPTH.checked_sub(above).is_some_and(|levels| fits(value, levels)) {
        return Ok(());
    }
    Err(ExecutionError::operation(format!("The fields are nested more than {MAX_DEPTH} levels deep")))
}

/// Is the value nested no deeper than so many levels?
fn fits(value: &Value, levels: usize) -> bool {
    let inside = levels.checked_sub(1);
    match value {
        Value::Array(values) => inside.is_some_and(|levels| values.iter().all(|value| fits(value, levels))),
        Value::Object(object) => inside.is_some_and(|levels| object.values().all(|value| fits(value, levels))),
        _ => true,
    }
}

/// Removes the field at a path; says whether it was there.
pub(crate) fn unset(object: &mut Object, path: &str) -> bool {
    if object.contains_key(path) || !is_deep(path) {
        return object.remove(path).is_some();
    }
    let keys = segments(path);
    let Some((last, parents)) = keys.split_last() else { return false };
    let Some((first, parents)) = parents.split_first() else { return object.remove(last).is_some() };
    let Some(mut at) = object.get_mut(first) else { return false };
    for key in parents {
        let Some(inner) = step_mut(at, key) else { return false };
        at = inner;
    }
    match at {
        Value::Object(inner) => inner.remove(last).is_some(),
        Value::Array(values) => match last.parse::<usize>().ok().and_then(|index| Arc::make_mut(values).get_mut(index))
        {
            Some(hole) => !std::mem::take(hole).is_undefined(),
            None => false,
        },
        _ => false,
    }
}

/// The keys of a path.
pub(crate) fn segments(path: &str) -> Vec<Cow<'_, str>> {
    let mut keys = Vec::new();
    let mut rest = path;
    // A separator at the start or end, or two in a row, stand for the key "".
    let mut expects_key = true;
    while !rest.is_empty() {
        if let Some((key, after)) = bracketed(rest) {
            keys.push(key);
            rest = after;
            expects_key = false;
            if let Some(after) = rest.strip_prefix('.') {
                rest = after;
                expects_key = true;
            }
            continue;
        }
        let end = rest.char_indices().skip(1).find(|(_, letter)| matches!(letter, '.' | '[')).map(|(at, _)| at);
        let end = if rest.starts_with('.') { 0 } else { end.unwrap_or(rest.len()) };
        let (key, after) = rest.split_at(end);
        keys.push(Cow::Borrowed(key));
        (rest, expects_key) = match after.strip_prefix('.') {
            Some(after) => (after, true),
            None => (after, false),
        };
    }
    if expects_key {
        keys.push(Cow::Borrowed(""));
    }
    keys
}

fn is_deep(path: &str) -> bool {
    path.bytes().any(|byte| matches!(byte, b'.' | b'['))
}

/// `[0]`, `["a b"]` or `['a b']` at the start of a path, and what follows.
fn bracketed(path: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = path.strip_prefix('[')?;
    for quote in ['"', '\''] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let mut key = String::new();
            let mut letters = quoted.char_indices();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\\' => key.extend(letters.next().map(|(_, letter)| letter)),
                    letter if letter == quote => {
                        let (_, after) = quoted.split_at_checked(at + 1)?;
                        return Some((Cow::Owned(key), after.strip_prefix(']')?));
                    }
                    letter => key.push(letter),
                }
            }
            return None;
        }
    }
    let (key, after) = inner.split_once(']')?;
    (!key.contains('[')).then_some((Cow::Borrowed(key), after))
}

fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(object) => object.get(key),
        Value::Array(values) => values.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn step_mut<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(object) => object.get_mut(key),
        Value::Array(values) => Arc::make_mut(values).get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn set_in(at: &mut Value, keys: &[Cow<'_, str>], value: Value) {
    let Some((key, rest)) = keys.split_first() else {
        *at = value;
        return;
    };
    let index = key.parse::<usize>().ok().filter(|index| *index < MAX_ARRAY && (key == "0" || !key.starts_with('0')));
    if !matches!(at, Value::Object(_) | Value::Array(_)) {
        *at = if index.is_some() { Value::array([]) } else { Object::new().into() };
    }
    match (at, index) {
        (Value::Array(values), Some(index)) => {
            let values = Arc::make_mut(values);
            if values.len() <= index {
                values.resize(index + 1, Value::Undefined);
            }
            if let Some(slot) = values.get_mut(index) {
                set_in(slot, rest, value);
            }
        }
        (Value::Object(object), _) => {
            let mut inner = object.remove_for_update(key);
            set_in(&mut inner, rest, value);
            object.insert(Str::from(key.as_ref()), inner);
        }
        _ => {}
    }
}

/// Takes a value out for rewriting without moving its key.
trait TakeForUpdate {
    fn remove_for_update(&mut self, key: &str) -> Value;
}

impl TakeForUpdate for Object {
    fn remove_for_update(&mut self, key: &str) -> Value {
        self.get_mut(key).map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    #[test]
    fn splits_paths() {
        let table: [(&str, &[&str]); 8] = [
            ("a", &["a"]),
            ("a.b", &["a", "b"]),
            ("a[0].b", &["a", "0", "b"]),
            ("a['x.y'].z", &["a", "x.y", "z"]),
            ("[0][1]", &["0", "1"]),
            ("a..b", &["a", "", "b"]),
            ("a.", &["a", ""]),
            ("a[b", &["a", "[b"]),
        ];
        for (path, keys) in table {
            assert_eq!(segments(path), keys, "{path}");
        }
    }

    #[test]
    fn reads_whole_names_before_nested_ones() {
        let value = json(r#"{"a.b": 1, "a": {"b": 2, "c": [{"d": 3}]}}"#);
        assert_eq!(get(&value, "a.b"), Some(&json("1")));
        assert_eq!(get(&value, "a.c[0].d"), Some(&json("3")));
        assert_eq!(get(&value, "a.c.0.d"), Some(&json("3")));
        assert_eq!(get(&value, "a.c[1].d"), None);
        assert_eq!(get_as(&value, "a.c", true), None);
    }

    #[test]
    fn writes_and_removes() {
        let table = [
            (r#"{}"#, "a.b", r#"{"a": {"b": 9}}"#),
            (r#"{"a": 1}"#, "a.b", r#"{"a": {"b": 9}}"#),
            (r#"{"a": [1, 2]}"#, "a[1]", r#"{"a": [1, 9]}"#),
            (r#"{}"#, "a[1].c", r#"{"a": [null, {"c": 9}]}"#),
            (r#"{"a.b": 1}"#, "a.b", r#"{"a.b": 9}"#),
        ];
        for (before, path, after) in table {
            let mut value = json(before);
            set(value.as_object_mut().unwrap(), path, 9).unwrap();
            assert_eq!(value.to_json(), json(after).to_json(), "{before} {path}");
        }
        let mut value = json(r#"{"a": {"b": 1, "c": [1, {"d": 2}]}, "e": 3}"#);
        let object = value.as_object_mut().unwrap();
        assert!(unset(object, "a.b") && unset(object, "a.c[1].d") && unset(object, "e"));
        assert!(!unset(object, "a.x.y"));
        assert_eq!(value.to_json(), r#"{"a":{"c":[1,{}]}}"#);
    }

    #[test]
    fn refuses_to_nest_deeper_than_can_be_read_back() {
        let lists = |levels: usize| json(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        let table = [
            ("a.".repeat(99) + "b", Value::from(1), true),
            ("a.".repeat(100) + "b", Value::from(1), false),
            ("a.".repeat(100_000) + "b", Value::from(1), false),
            ("[0]".repeat(100_000), Value::from(1), false),
            ("a".to_owned(), lists(99), true),
            ("a".to_owned(), lists(100), false),
            ("a.b".to_owned(), lists(99), false),
        ];
        for (path, value, fits) in table {
            for literal in [false, true] {
                let mut object = Object::new();
                let written = set_as(&mut object, &path, value.clone(), literal && path.len() == 1);
                assert_eq!(written.is_ok(), fits, "{}", path.len());
                assert_eq!(object.is_empty(), !fits);
            }
        }
        let mut object = Object::new();
        assert!(set_as(&mut object, &"a.".repeat(100_000), 1, true).is_ok());
    }
}
