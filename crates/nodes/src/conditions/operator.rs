//! The operator of a condition: the types it compares, and what is said where a value has another.

use jiff::tz::TimeZone;
use millrace_model::{ExecutionError, Object, Str, Value};

use super::Options;
use super::operation::{self, Operation};
use crate::field_type::{FieldType, Rules, Typed, to_text, validate};
use crate::regular_expression::Patterns;

#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// Type of the left value; `None` for a type that does not exist.
    kind: Option<FieldType>,
    right_kind: Option<FieldType>,
    /// The right value does not count.
    single: bool,
    operation: Operation,
}

/// Where a condition stands, for errors.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) condition: usize,
    pub(super) item: usize,
}

impl Operator {
    /// Reads the `operator` of a condition.
    pub(super) fn parse(condition: &Object) -> Operator {
        let operator = condition.get("operator");
        let named = |key: &str| operator.and_then(|operator| operator.get(key)?.as_str());
        let kind = named("type").unwrap_or_default();
        Operator {
            kind: FieldType::named(kind),
            right_kind: FieldType::named(named("rightType").unwrap_or(kind)),
            single: operator.and_then(|operator| operator.get("singleValue")).is_some_and(millrace_model::truthy),
            operation: Operation::named(named("operation").unwrap_or_default()),
        }
    }

    pub(super) fn holds(
        &self,
        left: &Value,
        right: &Value,
        options: &Options,
        place: Place,
        zone: &TimeZone,
        patterns: &mut Patterns,
    ) -> Result<bool, ExecutionError> {
        let typed_left = read(left, self.kind, options, zone);
        let typed_right = read(right, self.right_kind, options, zone);
        let (typed_left, typed_right) = match (typed_left, typed_right) {
            (Some(left), Some(right)) => (left, right),
            (Some(left), None) if self.single => (left, Typed::Value(Value::Undefined)),
            (found_left, found_right) => {
                let (left, right) = ((left, found_left.is_some()), (right, found_right.is_some()));
                return Err(self.wrong_type(left, right, options, place));
            }
        };
        let Some(kind) = self.kind else { return Ok(false) };
        operation::apply(self.operation, kind, &typed_left, &typed_right, options.ignore_case, patterns)
    }

    /// The error of a left and a right value, each with the word whether it has its type.
    fn wrong_type(
        &self,
        left: (&Value, bool),
        right: (&Value, bool),
        options: &Options,
        place: Place,
    ) -> ExecutionError {
        let kind = self.kind.map_or("any", FieldType::name);
        let right_kind = self.right_kind.map_or("any", FieldType::name);
        let ((left, left_valid), (right, right_valid)) = (left, right);
        let (left_is, right_is) = (type_of(left), type_of(right));
        if !left_valid && !right_valid && !self.single && left_is == right_is {
            let message = format!("Comparison type expects {} but both fields are {}", article(kind), article(left_is));
            return ExecutionError::operation(message).describe(general_advice(options.strict));
        }
        let (value, found, wanted, field) =
            if left_valid { (right, right_is, right_kind, "second") } else { (left, left_is, kind, "first") };
        let text = in_message(value);
        let Place { condition, item } = place;
        let message = if options.strict {
            format!("Wrong type: '{text}' is {} but was expecting {}", article(found), article(wanted))
        } else {
            format!("Conversion error: the {found} '{text}' can't be converted to {}", article(wanted))
        };
        ExecutionError::operation(format!("{message} [condition {condition}, item {item}]")).describe(advice(
            wanted,
            field,
            options.strict,
        ))
    }
}

/// A value as its operator reads it; `None` where it has the wrong type.
fn read(value: &Value, kind: Option<FieldType>, options: &Options, zone: &TimeZone) -> Option<Typed> {
    let untouched = || Some(Typed::Value(value.clone()));
    let Some(kind) = kind else { return untouched() };
    if kind == FieldType::Any || value.is_nullish() {
        return untouched();
    }
    let rules = Rules { strict: options.strict, parse_strings: true, options: &[], zone };
    match (kind, value) {
        (FieldType::Boolean, value) if !options.strict => {
            let parsed = validate("filter", value, kind, &rules).ok().filter(|_| options.version >= 2.0);
            Some(parsed.unwrap_or_else(|| Typed::Value(millrace_model::truthy(value).into())))
        }
        (FieldType::Number, Value::Number(number)) if number.is_nan() => untouched(),
        (FieldType::Number, Value::String(text))
            if !options.strict && options.version >= 3.0 && text.trim().is_empty() =>
        {
            Some(Typed::Value(Value::Null))
        }
        _ => validate("filter", value, kind, &rules).ok(),
    }
}

/// JavaScript's `typeof`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) => "object",
        value => value.kind(),
    }
}

/// JavaScript's `String(value)`.
fn in_message(value: &Value) -> Str {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_js_string(),
        value => to_text(value),
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn general_advice(strict: bool) -> &'static str {
    if strict {
        "Try changing the type of comparison. Alternatively you can enable 'Convert types where required'."
    } else {
        "Try changing the type of the comparison."
    }
}

/// How to get rid of a wrong type, as n8n's editor shows it.
fn advice(wanted: &str, field: &str, strict: bool) -> String {
    let conversion = match wanted {
        "string" => ".toString()",
        "number" => ".toNumber()",
        "boolean" => ".toBoolean()",
        _ => return general_advice(strict).to_owned(),
    };
    if !strict {
        return general_advice(strict).to_owned();
    }
    format!(
        "\n<p>Try either:</p>\n<ol>\n  <li>Enabling 'Convert types where required'</li>\n  <li>Converting the {field} \
         field to {} by adding <code>{conversion}</code></li>\n</ol>\n\t\t\t",
        article(wanted)
    )
}
