//! The order of Sort: texts by letters without regard to case, everything else as numbers; equal values fall to the
//! next field. Values that cannot be compared (text with a number, a missing field) have no order in n8n; such lists
//! are put in the order that its sorting algorithm gives them.

use std::cmp::Ordering;
use std::convert::Infallible;

use millrace_expression::tim_sort;
use millrace_model::{Value, parse_number};

use super::reversed_if;

/// What an item is sorted by in one field.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Number(f64),
    /// In lower case, as UTF-16, which is what JavaScript compares.
    Text(Vec<u16>),
    Other(Value),
}

impl Key {
    pub(super) fn of(value: Option<&Value>) -> Key {
        match value {
            Some(Value::Number(number)) => Key::Number(*number),
            Some(Value::String(text)) => Key::Text(text.to_lowercase().encode_utf16().collect()),
            Some(value) => Key::Other(value.clone()),
            None => Key::Other(Value::Undefined),
        }
    }

    fn is_equal(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Number(left), Key::Number(right)) => left == right || (left.is_nan() && right.is_nan()),
            (Key::Text(left), Key::Text(right)) => left == right,
            (Key::Other(left), Key::Other(right)) => left == right,
            _ => false,
        }
    }

    fn is_less(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Text(left), Key::Text(right)) => left < right,
            _ => self.number() < other.number(),
        }
    }

    /// JavaScript's `Number(value)`.
    fn number(&self) -> f64 {
        match self {
            Key::Number(number) => *number,
            Key::Text(text) => parse_number(&String::from_utf16_lossy(text)),
            Key::Other(Value::Null) => 0.0,
            Key::Other(Value::Bool(flag)) => f64::from(u8::from(*flag)),
            Key::Other(Value::Undefined | Value::Object(_)) => f64::NAN,
            Key::Other(other) => parse_number(&other.to_js_string()),
        }
    }
}

pub(super) struct Orders<'k> {
    /// Keys by field, then by item.
    pub keys: &'k [Vec<Key>],
    pub descending: Vec<bool>,
}

impl Orders<'_> {
    pub(super) fn sort(&self, places: &mut Vec<usize>) {
        if self.keys.iter().all(|keys| is_comparable(keys)) {
            places.sort_by(|left, right| self.compare(*left, *right));
        } else {
            let Ok(order) =
                tim_sort::<Infallible>(places.len(), |left, right| Ok(self.compare(left, right) == Ordering::Less));
            *places = order;
        }
    }

    fn compare(&self, left: usize, right: usize) -> Ordering {
        for (keys, descending) in self.keys.iter().zip(&self.descending) {
            let (Some(left), Some(right)) = (keys.get(left), keys.get(right)) else { continue };
            if !left.is_equal(right) {
                let order = if left.is_less(right) { Ordering::Less } else { Ordering::Greater };
                return reversed_if(order, *descending);
            }
        }
        Ordering::Equal
    }
}

/// Are all keys of one kind that has an order?
fn is_comparable(keys: &[Key]) -> bool {
    keys.iter().all(|key| matches!(key, Key::Number(number) if !number.is_nan()))
        || keys.iter().all(|key| matches!(key, Key::Text(_)))
}
