//! Display options of parameters: which values of other parameters make one appear.

use millrace_model::{Object, Str, Value};
use regex::Regex;

/// Conditions of a `show` or `hide` block; `show` needs all of them, one is enough to `hide`.
#[derive(Debug, Default)]
pub struct DisplayRule {
    pub conditions: Vec<Condition>,
}

/// The values of one parameter that fulfil a rule.
#[derive(Debug)]
pub struct Condition {
    pub subject: Subject,
    /// One of them must hold.
    pub any_of: Vec<Test>,
}

/// What a condition looks at.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    /// A parameter beside this one, by dotted path.
    Sibling(Str),
    /// A parameter of the node (`/mode`).
    Root(Str),
    Version,
    /// Is the node a tool of an AI agent?
    Tool,
    Feature,
}

/// One accepted value or `_cnd` comparison.
#[derive(Debug)]
pub enum Test {
    Is(Value),
    Equal(Value),
    Not(Value),
    AtLeast(Value),
    AtMost(Value),
    Above(Value),
    Below(Value),
    Between(Value, Value),
    Includes(Value),
    StartsWith(Str),
    EndsWith(Str),
    Matches(Option<Regex>),
    Exists,
    /// A comparison that does not exist.
    Never,
}

impl DisplayRule {
    pub fn parse(document: &Value) -> DisplayRule {
        let fields = document.as_object().into_iter().flat_map(Object::iter);
        let conditions = fields.map(|(name, values)| {
            let subject = match name.as_str() {
                "@version" => Subject::Version,
                "@tool" => Subject::Tool,
                "@feature" => Subject::Feature,
                name => match name.strip_prefix('/') {
                    Some(path) => Subject::Root(path.into()),
                    None => Subject::Sibling(name.into()),
                },
            };
            let values = values.as_array().unwrap_or_else(|| std::slice::from_ref(values));
            Condition { subject, any_of: values.iter().map(Test::parse).collect() }
        });
        DisplayRule { conditions: conditions.collect() }
    }

    /// Names of the parameters beside this one that the rule looks at.
    pub(super) fn siblings(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match &condition.subject {
            Subject::Sibling(path) => Some(path.split_once('.').map_or(path.as_str(), |(first, _)| first)),
            _ => None,
        })
    }
}

impl Test {
    fn parse(document: &Value) -> Test {
        let comparison = document.get("_cnd").and_then(Value::as_object).and_then(|object| object.iter().next());
        let Some((name, target)) = comparison else { return Test::Is(document.clone()) };
        let text = || target.to_js_string();
        match name.as_str() {
            "eq" => Test::Equal(target.clone()),
            "not" => Test::Not(target.clone()),
            "gte" => Test::AtLeast(target.clone()),
            "lte" => Test::AtMost(target.clone()),
            "gt" => Test::Above(target.clone()),
            "lt" => Test::Below(target.clone()),
            "between" => {
                let bound = |key: &str| target.get(key).cloned().unwrap_or_default();
                Test::Between(bound("from"), bound("to"))
            }
            "includes" => Test::Includes(target.clone()),
            "startsWith" => Test::StartsWith(text()),
            "endsWith" => Test::EndsWith(text()),
            "regex" => Test::Matches(Regex::new(&text()).ok()),
            "exists" => Test::Exists,
            _ => Test::Never,
        }
    }

    fn holds(&self, value: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let compared = |target: &Value| compare(value, target);
        let text = |holds: &dyn Fn(&str) -> bool| value.as_str().is_some_and(holds);
        match self {
            Test::Is(target) | Test::Equal(target) => value == target,
            Test::Not(target) => value != target,
            Test::AtLeast(target) => matches!(compared(target), Some(Greater | Equal)),
            Test::AtMost(target) => matches!(compared(target), Some(Less | Equal)),
            Test::Above(target) => compared(target) == Some(Greater),
            Test::Below(target) => compared(target) == Some(Less),
            Test::Between(from, to) => {
                matches!(compared(from), Some(Greater | Equal)) && matches!(compared(to), Some(Less | Equal))
            }
            Test::Includes(target) => match value {
                Value::Array(values) => values.contains(target),
                Value::String(text) => target.as_str().is_some_and(|part| text.contains(part)),
                _ => false,
            },
            Test::StartsWith(part) => text(&|value| value.starts_with(part.as_str())),
            Test::EndsWith(part) => text(&|value| value.ends_with(part.as_str())),
            Test::Matches(regex) => text(&|value| regex.as_ref().is_some_and(|regex| regex.is_match(value))),
            Test::Exists => !value.is_nullish() && value.as_str() != Some(""),
            Test::Never => false,
        }
    }
}

/// Does one of the tests hold for the values? A `_cnd` comparison must hold for each value (`not` also for none).
pub(crate) fn evaluate_tests(tests: &[Test], values: &[Value]) -> bool {
    tests.iter().any(|test| match test {
        Test::Is(target) => values.contains(target),
        Test::Not(_) => values.iter().all(|value| test.holds(value)),
        _ => !values.is_empty() && values.iter().all(|value| test.holds(value)),
    })
}

/// JavaScript's relational comparison of two numbers, two strings or a mix of them.
fn compare(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.as_str().cmp(right)),
        _ => to_number(left)?.partial_cmp(&to_number(right)?),
    }
}

fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::String(text) => Some(millrace_model::parse_number(text)),
        Value::Null => Some(0.0),
        _ => None,
    }
}
