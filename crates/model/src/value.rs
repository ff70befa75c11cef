//! JSON values as JavaScript has them: numbers are doubles, `undefined` exists, objects keep their key order.

use std::sync::Arc;

use crate::{Object, Str, format_number};

/// A JSON value. Cloning is O(1): arrays and objects are shared and copied on first write.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// JavaScript's `undefined`: left out of objects and written as `null` in arrays when serialised.
    #[default]
    Undefined,
    Null,
    Bool(bool),
    /// May hold NaN and infinities while in memory; they are serialised as `null`.
    Number(f64),
    String(Str),
    Array(Arc<Vec<Value>>),
    Object(Object),
}

impl Value {
    /// The value at `key` of an object; `None` for other values and absent keys.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// The value at a dotted path such as `options.headers.0.name`; array elements by index.
    pub fn pointer(&self, dotted: &str) -> Option<&Value> {
        dotted.split('.').try_fold(self, |value, key| match value {
            Value::Object(object) => object.get(key),
            Value::Array(values) => values.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    pub fn as_f64(&self) -> Option<f64> {
        if let Value::Number(value) = self { Some(*value) } else { None }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(value) = self { Some(value) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(values) = self { Some(values) } else { None }
    }

    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The object to write to; `None` for other values.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The array to write to (copied first when shared); `None` for other values.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Value::Array(values) = self { Some(Arc::make_mut(values)) } else { None }
    }

    /// `undefined` or `null`.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// JavaScript's `typeof`, except that `null` is `null` and arrays are `array`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// JavaScript's `String(value)`: `[object Object]` for objects, elements joined by commas for arrays.
    pub fn to_js_string(&self) -> Str {
        match self {
            Value::Undefined => "undefined".into(),
            Value::Null => "null".into(),
            Value::Bool(value) => if *value { "true" } else { "false" }.into(),
            Value::Number(value) => format_number(*value),
            Value::String(value) => value.clone(),
            Value::Array(values) => {
                let mut text = Str::new();
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    if !value.is_nullish() {
                        text.push_str(&value.to_js_string());
                    }
                }
                text
            }
            Value::Object(_) => "[object Object]".into(),
        }
    }

    /// Compact JSON text, as `JSON.stringify(value)` writes it; `undefined` gives `null`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Parses JSON text (nesting limit 128).
    pub fn from_json(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn array(values: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(Arc::new(values.into_iter().collect()))
    }
}

/// JavaScript's truthiness.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => *value != 0.0 && !value.is_nan(),
        Value::String(value) => !value.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

macro_rules! from_number {
    ($($kind:ty),*) => { $(impl From<$kind> for Value {
        fn from(value: $kind) -> Value { Value::Number(f64::from(value)) }
    })* };
}
from_number!(f64, f32, i32, u32, i16, u16, u8);

impl From<i64> for Value {
    #[expect(
        clippy::as_conversions,
        reason = "JavaScript numbers are doubles: large integers lose precision by definition"
    )]
    fn from(value: i64) -> Value {
        Value::Number(value as f64)
    }
}

impl From<u64> for Value {
    #[expect(
        clippy::as_conversions,
        reason = "JavaScript numbers are doubles: large integers lose precision by definition"
    )]
    fn from(value: u64) -> Value {
        Value::Number(value as f64)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value::from(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::String(value.into())
    }
}

impl From<Str> for Value {
    fn from(value: Str) -> Value {
        Value::String(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Value {
        Value::Object(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Value {
        Value::Array(Arc::new(values))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Undefined, Into::into)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(value) => Value::Number(value.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(value) => Value::String(value.into()),
            serde_json::Value::Array(values) => Value::array(values.into_iter().map(Value::from)),
            serde_json::Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(key, value)| (Str::from(key), Value::from(value))).collect())
            }
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> serde_json::Value {
        serde_json::to_value(value).unwrap_or_default()
    }
}
