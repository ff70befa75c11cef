//! Query strings and form bodies. Queries may nest (`filter[name]=a`, `id[]=1`); bodies of forms are flat.

use std::sync::Arc;

use millrace_model::{Object, Str, Value, to_index};
use url::form_urlencoded;

/// Pairs that are read; the rest is dropped.
const MAX_PAIRS: usize = 1000;
/// Brackets that are followed; what lies deeper is one name.
const MAX_DEPTH: usize = 5;
/// Largest index of a list; larger ones are names.
const MAX_INDEX: usize = 20;

/// A query: repeated names make lists, brackets make objects and lists.
pub fn nested(text: &str) -> Object {
    let mut found = Object::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_PAIRS) {
        let keys = keys(&name);
        if let Some((first, rest)) = keys.split_first() {
            let mut slot = found.get_mut(first).map(std::mem::take).unwrap_or_default();
            put(&mut slot, rest, value.as_ref().into());
            found.insert(first.clone(), slot);
        }
    }
    found
}

/// A form body: repeated names make lists.
pub(super) fn flat(text: &str) -> Object {
    let mut found = Object::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_PAIRS) {
        let mut slot = found.get_mut(&name).map(std::mem::take).unwrap_or_default();
        add(&mut slot, value.as_ref().into());
        found.insert(name.as_ref(), slot);
    }
    found
}

/// `a[b][]` as `a`, `b`, ``.
fn keys(name: &str) -> Vec<Str> {
    let Some((first, mut rest)) = name.split_once('[').filter(|(first, _)| !first.is_empty()) else {
        return vec![name.into()];
    };
    let mut keys = vec![Str::from(first)];
    while let Some((key, after)) = rest.split_once(']') {
        keys.push(key.into());
        match after.strip_prefix('[') {
            Some(next) if keys.len() <= MAX_DEPTH => rest = next,
            Some(_) => {
                keys.push(after.into());
                return keys;
            }
            None => return keys,
        }
    }
    // A bracket that is never closed stands for itself.
    if keys.len() == 1 { vec![name.into()] } else { keys }
}

fn put(slot: &mut Value, keys: &[Str], value: Value) {
    let Some((key, rest)) = keys.split_first() else { return add(slot, value) };
    let index = key.parse::<f64>().ok().and_then(to_index).filter(|index| *index <= MAX_INDEX);
    match slot {
        Value::Array(values) if key.is_empty() || index.is_some() => {
            let values = Arc::make_mut(values);
            match index.and_then(|index| values.get_mut(index)) {
                Some(present) => put(present, rest, value),
                None => {
                    let mut made = Value::Undefined;
                    put(&mut made, rest, value);
                    values.push(made);
                }
            }
        }
        Value::Object(object) => {
            let mut inner = object.get_mut(key).map(std::mem::take).unwrap_or_default();
            put(&mut inner, rest, value);
            object.insert(key.clone(), inner);
        }
        slot => {
            *slot = if key.is_empty() || index.is_some() { Value::array([]) } else { Object::new().into() };
            put(slot, keys, value);
        }
    }
}

/// Puts a value where there may be one already: two make a list.
fn add(slot: &mut Value, value: Value) {
    match slot {
        Value::Undefined => *slot = value,
        Value::Array(values) => Arc::make_mut(values).push(value),
        present => *present = Value::array([std::mem::take(present), value]),
    }
}
