//! JSON objects with JavaScript's key order: integer keys ascending, then the others as inserted.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Str, Value};

/// Number of fields from which a hash index is kept beside the list of fields.
const INDEX_FROM: usize = 24;

/// An ordered map from string to [`Value`]. Cloning is O(1); the first write to a shared object copies its field list.
#[derive(Clone, Debug, Default)]
pub struct Object(Arc<Fields>);

#[derive(Clone, Debug, Default)]
struct Fields {
    entries: Vec<(Str, Value)>,
    /// Key to position, present from [`INDEX_FROM`] entries on.
    index: Option<FxHashMap<Str, usize>>,
}

impl Fields {
    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| name == key),
        }
    }

    fn reindex(&mut self) {
        self.index = (self.entries.len() >= INDEX_FROM)
            .then(|| self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect());
    }
}

impl Object {
    pub fn new() -> Object {
        Object::default()
    }

    pub fn with_capacity(capacity: usize) -> Object {
        Object(Arc::new(Fields { entries: Vec::with_capacity(capacity), index: None }))
    }

    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.0.position(key)?;
        self.0.entries.get(at).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.0.position(key)?;
        Arc::make_mut(&mut self.0).entries.get_mut(at).map(|(_, value)| value)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.0.position(key).is_some()
    }

    /// Sets a field; an existing key keeps its place. Returns the value it had.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        let fields = Arc::make_mut(&mut self.0);
        if let Some((_, old)) = fields.position(&key).and_then(|at| fields.entries.get_mut(at)) {
            return Some(std::mem::replace(old, value));
        }
        match integer_key(&key) {
            Some(number) => {
                let at =
                    fields.entries.partition_point(|(name, _)| integer_key(name).is_some_and(|other| other < number));
                fields.entries.insert(at, (key, value));
                fields.reindex();
            }
            None => {
                if let Some(index) = &mut fields.index {
                    index.insert(key.clone(), fields.entries.len());
                }
                fields.entries.push((key, value));
                if fields.index.is_none() && fields.entries.len() >= INDEX_FROM {
                    fields.reindex();
                }
            }
        }
        None
    }

    /// The value at `key`, an empty object put there first if there is none or it is no object.
    pub fn object_at(&mut self, key: &str) -> &mut Object {
        if !matches!(self.get(key), Some(Value::Object(_))) {
            self.insert(key, Object::new());
        }
        match self.get_mut(key) {
            Some(Value::Object(object)) => object,
            _ => unreachable!("an object was put at the key just above"),
        }
    }

    /// Takes a field out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.position(key)?;
        let fields = Arc::make_mut(&mut self.0);
        let (_, value) = fields.entries.remove(at);
        if fields.index.is_some() {
            fields.reindex();
        }
        Some(value)
    }

    /// Keeps the fields for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        let fields = Arc::make_mut(&mut self.0);
        fields.entries.retain(|(key, value)| keep(key, value));
        fields.reindex();
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &Value)> + ExactSizeIterator {
        self.0.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = (&Str, &mut Value)> {
        Arc::make_mut(&mut self.0).entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.0.entries.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.entries.iter().map(|(_, value)| value)
    }

    /// Do both handles share one allocation? (Cheap test for "unchanged".)
    pub fn same(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The number an object key stands for when JavaScript sorts it as an array index (below 2³² − 1, no leading zero).
fn integer_key(key: &str) -> Option<u32> {
    let bytes = key.as_bytes();
    match bytes {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] if bytes.len() <= 10 => key.parse().ok().filter(|number| *number != u32::MAX),
        _ => None,
    }
}

/// Key order does not count, as in JavaScript's deep equality; `undefined` fields equal absent ones.
impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        let defined = |object: &Object| object.values().filter(|value| !value.is_undefined()).count();
        self.same(other)
            || (defined(self) == defined(other)
                && self
                    .iter()
                    .filter(|(_, value)| !value.is_undefined())
                    .all(|(key, value)| other.get(key) == Some(value)))
    }
}

impl FromIterator<(Str, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(fields: I) -> Object {
        let fields = fields.into_iter();
        let mut object = Object::with_capacity(fields.size_hint().0);
        for (key, value) in fields {
            object.insert(key, value);
        }
        object
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Object {
    fn from(fields: [(&str, Value); N]) -> Object {
        fields.into_iter().map(|(key, value)| (Str::from(key), value)).collect()
    }
}
