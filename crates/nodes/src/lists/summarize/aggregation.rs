//! One aggregation over the values of a field.

use std::cmp::Ordering;

use millrace_model::{Str, Value, parse_number};
use rustc_hash::FxHashSet;

use super::field_name;
use crate::value_key::ValueKey;

pub(super) struct Aggregation {
    pub field: Str,
    /// Name of the field that takes the result.
    pub output: Str,
    kind: Kind,
    include_empty: bool,
}

enum Kind {
    Append,
    Average,
    Concatenate(Str),
    Count,
    CountUnique,
    Max,
    Min,
    Sum,
}

impl Aggregation {
    pub(super) fn of(entry: &Value) -> Aggregation {
        let text = |name: &str| {
            entry.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
        };
        let separator = || match text("separateBy").as_str() {
            "other" => text("customSeparator"),
            separator => separator.into(),
        };
        let (kind, prefix) = match text("aggregation").as_str() {
            "append" => (Kind::Append, "appended_"),
            "average" => (Kind::Average, "average_"),
            "concatenate" => (Kind::Concatenate(separator()), "concatenated_"),
            "countUnique" => (Kind::CountUnique, "unique_count_"),
            "max" => (Kind::Max, "max_"),
            "min" => (Kind::Min, "min_"),
            "sum" => (Kind::Sum, "sum_"),
            _ => (Kind::Count, "count_"),
        };
        let field = text("field");
        let output = field_name(&format!("{prefix}{field}"));
        Aggregation {
            output,
            field,
            kind,
            include_empty: entry.get("includeEmpty").is_some_and(millrace_model::truthy),
        }
    }

    /// The result over the values of a group; `None` stands for a field that is not there.
    pub(super) fn of_values<'v>(&self, values: impl Iterator<Item = Option<&'v Value>> + Clone) -> Value {
        let counted = values.clone().filter(|value| self.include_empty || !is_empty(*value));
        let numbers = values.clone().filter_map(|value| value.and_then(Value::as_f64));
        match &self.kind {
            Kind::Append => Value::array(counted.map(|value| value.cloned().unwrap_or(Value::Null))),
            Kind::Average => {
                let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
                Value::Number(sum / count)
            }
            Kind::Sum => Value::Number(numbers.fold(0.0, |sum, number| sum + number)),
            Kind::Concatenate(separator) => concatenate(counted, separator),
            Kind::Count => counted.count().into(),
            Kind::CountUnique => count_unique(counted).into(),
            Kind::Max => extreme(values, Ordering::Greater),
            Kind::Min => extreme(values, Ordering::Less),
        }
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_nullish() || value.as_str() == Some(""))
}

fn concatenate<'v>(values: impl Iterator<Item = Option<&'v Value>>, separator: &str) -> Value {
    let mut text = String::new();
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push_str(separator);
        }
        match value {
            None => text.push_str("undefined"),
            Some(value @ (Value::Object(_) | Value::Array(_) | Value::Null)) => text.push_str(&value.to_json()),
            Some(value) => text.push_str(&value.to_js_string()),
        }
    }
    text.into()
}

/// Lists and objects are each their own, as in a JavaScript set.
fn count_unique<'v>(values: impl Iterator<Item = Option<&'v Value>>) -> usize {
    const ABSENT: &Value = &Value::Undefined;
    let mut seen = FxHashSet::default();
    let mut containers = 0;
    for value in values {
        match value.unwrap_or(ABSENT) {
            Value::Object(_) | Value::Array(_) => containers += 1,
            value => {
                seen.insert(ValueKey(value));
            }
        }
    }
    seen.len() + containers
}

fn extreme<'v>(values: impl Iterator<Item = Option<&'v Value>>, wanted: Ordering) -> Value {
    let mut best: Option<&Value> = None;
    for value in values.flatten().filter(|value| !is_empty(Some(value))) {
        if best.is_none_or(|best| compare(value, best) == Some(wanted)) {
            best = Some(value);
        }
    }
    best.cloned().unwrap_or(Value::Null)
}

/// JavaScript's `<` and `>`: two texts by their letters, anything else by number.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Number(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Null => 0.0,
        other => parse_number(&other.to_js_string()),
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(left.encode_utf16().cmp(right.encode_utf16())),
        _ => number(left).partial_cmp(&number(right)),
    }
}
