//! JSON values as keys of hash tables: equal exactly when they are deeply equal (key order does not count, NaN equals
//! itself). Borrows; copies nothing.

use std::hash::{Hash, Hasher};

use millrace_model::{Object, Value};
use rustc_hash::FxHasher;

/// A value compared and hashed deeply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueKey<'a>(pub &'a Value);

impl PartialEq for ValueKey<'_> {
    fn eq(&self, other: &ValueKey<'_>) -> bool {
        match (self.0, other.0) {
            (Value::Number(left), Value::Number(right)) if left.is_nan() && right.is_nan() => true,
            (left, right) => left == right,
        }
    }
}

impl Eq for ValueKey<'_> {}

impl Hash for ValueKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(self.0, state);
    }
}

/// As [`ValueKey`], for values that are not kept elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct OwnedKey(pub Value);

impl PartialEq for OwnedKey {
    fn eq(&self, other: &OwnedKey) -> bool {
        ValueKey(&self.0) == ValueKey(&other.0)
    }
}

impl Eq for OwnedKey {}

impl Hash for OwnedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(&self.0, state);
    }
}

fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Undefined => state.write_u8(0),
        Value::Null => state.write_u8(1),
        Value::Bool(flag) => {
            state.write_u8(2);
            state.write_u8(u8::from(*flag));
        }
        Value::Number(number) => {
            state.write_u8(3);
            // Both zeros are equal, and all NaN count as one.
            let bits = if *number == 0.0 {
                0
            } else if number.is_nan() {
                u64::MAX
            } else {
                number.to_bits()
            };
            state.write_u64(bits);
        }
        Value::String(text) => {
            state.write_u8(4);
            text.as_str().hash(state);
        }
        Value::Array(values) => {
            state.write_u8(5);
            values.iter().for_each(|value| hash_value(value, state));
        }
        Value::Object(object) => {
            state.write_u8(6);
            state.write_u64(hash_object(object));
        }
    }
}

/// The same for every order of the fields.
fn hash_object(object: &Object) -> u64 {
    let defined = object.iter().filter(|(_, value)| !value.is_undefined());
    defined.fold(0, |sum: u64, (key, value)| {
        let mut hasher = FxHasher::default();
        key.as_str().hash(&mut hasher);
        hash_value(value, &mut hasher);
        sum.wrapping_add(hasher.finish())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(value: &Value) -> u64 {
        let mut hasher = FxHasher::default();
        ValueKey(value).hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn equal_values_hash_alike() {
        let table = [
            (r#"{"a": 1, "b": [1, {"c": null}]}"#, r#"{"b": [1, {"c": null}], "a": 1}"#, true),
            ("0", "-0", true),
            (r#""1""#, "1", false),
            ("[1, 2]", "[2, 1]", false),
            (r#"{"a": 1}"#, r#"{"b": 1}"#, false),
            ("null", "false", false),
        ];
        for (left, right, same) in table {
            let (left, right) = (Value::from_json(left).unwrap(), Value::from_json(right).unwrap());
            assert_eq!(ValueKey(&left) == ValueKey(&right), same, "{left:?} {right:?}");
            assert_eq!(hash(&left) == hash(&right), same, "{left:?} {right:?}");
        }
        let nan = Value::Number(f64::NAN);
        assert!(ValueKey(&nan) == ValueKey(&nan) && hash(&nan) == hash(&Value::Number(-f64::NAN)));
        let absent = Value::from(Object::from([("a", 1.into()), ("b", Value::Undefined)]));
        assert_eq!(hash(&absent), hash(&Value::from_json(r#"{"a": 1}"#).unwrap()));
    }
}
