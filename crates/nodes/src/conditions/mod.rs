//! Conditions: the `filter` parameter of If, Filter and Switch. Does an item pass?

mod operation;
mod operator;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use millrace_model::{ExecutionError, Object, Value};

use crate::context::has_expression;
use crate::regular_expression::Patterns;
use crate::{NodeContext, Prepared};
use operator::{Operator, Place};

/// A list of conditions with resolved values, and how they are joined.
#[derive(Clone, Debug)]
pub struct Conditions {
    list: Vec<(Operator, Value, Value)>,
    rules: Rules,
}

/// Conditions as a parameter holds them, prepared for asking about many items.
#[derive(Debug)]
pub(crate) struct PreparedConditions {
    form: Form,
    patterns: Patterns,
    /// Values of the item at hand, kept for the next.
    values: Vec<(Value, Value)>,
}

#[derive(Debug)]
enum Form {
    /// Only the compared values depend on the item.
    Fixed(Vec<(Operator, Prepared, Prepared)>, Rules),
    /// Even operators or options are expressions.
    Open(Prepared),
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    join: Join,
    options: Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    And,
    Or,
    /// A combinator that does not exist: nothing passes.
    Never,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    ignore_case: bool,
    strict: bool,
    /// Version of the parameter: 1, 2 (text is read as a truth value) or 3 (blank text is no number).
    version: f64,
}

impl Conditions {
    /// Reads the parameter's value; what is missing makes a condition that never holds.
    pub fn parse(value: &Value) -> Conditions {
        let list = documents(value).map(|document| {
            let side = |key: &str| document.get(key).cloned().unwrap_or_default();
            (Operator::parse(document), side("leftValue"), side("rightValue"))
        });
        Conditions { list: list.collect(), rules: Rules::parse(value) }
    }

    /// Does an item pass? The error of a value that has the wrong type names the condition and the item.
    pub fn hold(&self, item: usize, zone: &TimeZone) -> Result<bool, ExecutionError> {
        let conditions = self.list.iter().map(|(operator, left, right)| (operator, left, right));
        self.rules.hold(conditions, item, zone, &mut Patterns::default())
    }
}

impl PreparedConditions {
    pub(crate) fn new(raw: &Value) -> PreparedConditions {
        let outside = |key: &str| raw.get(key).is_some_and(has_expression);
        let open = matches!(raw, Value::String(_))
            || matches!(raw.get("conditions"), Some(Value::String(_)))
            || outside("combinator")
            || outside("options")
            || documents(raw).any(|document| document.get("operator").is_some_and(has_expression));
        let form = if open {
            Form::Open(Prepared::new(raw.clone()))
        } else {
            let list = documents(raw).map(|document| {
                let side = |key: &str| Prepared::new(document.get(key).cloned().unwrap_or_default());
                (Operator::parse(document), side("leftValue"), side("rightValue"))
            });
            Form::Fixed(list.collect(), Rules::parse(raw))
        };
        PreparedConditions { form, patterns: Patterns::default(), values: Vec::new() }
    }

    /// Does the item pass?
    pub(crate) fn hold(
        &mut self,
        context: &mut NodeContext<'_>,
        item: usize,
        zone: &TimeZone,
    ) -> Result<bool, ExecutionError> {
        match &self.form {
            Form::Open(value) => Conditions::parse(&value.at(context, item)?).hold(item, zone),
            Form::Fixed(list, rules) => {
                self.values.clear();
                for (_, left, right) in list {
                    self.values.push((left.at(context, item)?, right.at(context, item)?));
                }
                let conditions = list.iter().zip(&self.values);
                let conditions = conditions.map(|((operator, ..), (left, right))| (operator, left, right));
                rules.hold(conditions, item, zone, &mut self.patterns)
            }
        }
    }
}

impl Rules {
    fn parse(value: &Value) -> Rules {
        let join = match value.get("combinator").and_then(Value::as_str) {
            Some("and") => Join::And,
            Some("or") => Join::Or,
            _ => Join::Never,
        };
        let option = |key: &str| value.get("options").and_then(|options| options.get(key));
        let options = Options {
            ignore_case: !option("caseSensitive").is_some_and(millrace_model::truthy),
            strict: option("typeValidation").and_then(Value::as_str) == Some("strict"),
            version: option("version").and_then(Value::as_f64).unwrap_or(1.0),
        };
        Rules { join, options }
    }

    fn hold<'a>(
        &self,
        conditions: impl Iterator<Item = (&'a Operator, &'a Value, &'a Value)>,
        item: usize,
        zone: &TimeZone,
        patterns: &mut Patterns,
    ) -> Result<bool, ExecutionError> {
        for (condition, (operator, left, right)) in conditions.enumerate() {
            let holds = operator.holds(left, right, &self.options, Place { condition, item }, zone, patterns)?;
            match self.join {
                Join::And if !holds => return Ok(false),
                Join::Or if holds => return Ok(true),
                _ => {}
            }
        }
        Ok(self.join == Join::And)
    }
}

/// The documents of the single conditions.
fn documents(value: &Value) -> impl Iterator<Item = &Object> {
    value.get("conditions").and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_object)
}
