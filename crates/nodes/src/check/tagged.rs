//! Values that JSON lacks, written as `{"$type": …}`.

use millrace_model::{Object, Value};

use crate::field_type::Typed;

/// The same object with tagged values replaced by what they stand for; dates become their ISO text.
pub(super) fn untag_object(object: &Object) -> Object {
    object.iter().map(|(key, value)| (key.clone(), untag(value))).collect()
}

fn untag(value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::array(values.iter().map(untag)),
        Value::Object(object) => match object.get("$type").and_then(Value::as_str) {
            Some("undefined") => Value::Undefined,
            Some("number") => Value::Number(match object.get("value").and_then(Value::as_str) {
                Some("Infinity") => f64::INFINITY,
                Some("-Infinity") => f64::NEG_INFINITY,
                Some("-0") => -0.0,
                _ => f64::NAN,
            }),
            Some("Date" | "DateTime" | "Duration" | "Interval") => object.get("iso").cloned().unwrap_or_default(),
            _ => untag_object(object).into(),
        },
        other => other.clone(),
    }
}

/// A converted value; a date is tagged with its ISO text and zone.
pub(super) fn tag(typed: &Typed) -> Value {
    match typed {
        Typed::Value(value) => value.clone(),
        Typed::DateTime(date) => Object::from([
            ("$type", "DateTime".into()),
            ("iso", date.to_iso().into()),
            ("zone", date.zone_name().into()),
            ("valid", true.into()),
        ])
        .into(),
    }
}
