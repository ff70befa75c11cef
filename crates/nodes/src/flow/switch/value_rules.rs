//! Rules of versions 1 and 2: each compares one value with another.

use millrace_model::{ExecutionError, Item, Value, to_index};

use super::{FIXED_OUTPUTS, Outputs};
use crate::flow::comparison;
use crate::regular_expression::Patterns;
use crate::{NodeContext, NodeResult, Prepared};

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let table = Table {
        kind: context.text("dataType", 0)?.to_string(),
        value: context.prepare("value1"),
        fallback: context.prepare("fallbackOutput"),
        rules: context.prepare("rules.rules"),
        by_key: context.version() >= 2.0,
    };
    let rules = table.rules.raw().as_array().map_or(0, <[Value]>::len);
    let mut outputs = Outputs::new(if table.by_key { rules } else { FIXED_OUTPUTS }, context.version());
    let mut patterns = Patterns::default();
    for (at, item) in context.items().iter().enumerate() {
        let sent = table.route(context, (at, item), &mut patterns, &mut outputs);
        outputs.or_continue(context, sent, at)?;
    }
    Ok(outputs.into_output())
}

struct Table {
    kind: String,
    value: Prepared,
    fallback: Prepared,
    rules: Prepared,
    /// A rule's place is its output (version 2), not a number that it names.
    by_key: bool,
}

impl Table {
    fn route(
        &self,
        context: &mut NodeContext<'_>,
        (at, item): (usize, &Item),
        patterns: &mut Patterns,
        outputs: &mut Outputs,
    ) -> Result<(), ExecutionError> {
        let value = self.value.at(context, at)?;
        let fallback = self.fallback.at(context, at)?;
        let rules = self.rules.at(context, at)?;
        let rules = rules.as_array().unwrap_or_default();
        for (index, rule) in rules.iter().enumerate() {
            let Some(rule) = rule.as_object() else { continue };
            let operation = comparison::operation_of(rule);
            let other = rule.get("value2").cloned().unwrap_or_default();
            if comparison::holds(&self.kind, &operation, &value, &other, patterns)? {
                let output = if self.by_key { self.output_of(rules, index).into() } else { rule_output(rule) };
                return outputs.send(&output, item, at);
            }
        }
        match fallback {
            Value::Undefined => Ok(()),
            Value::Number(-1.0) => Ok(()),
            fallback => outputs.send(&fallback, item, at),
        }
    }

    /// The first rule with the same output key.
    fn output_of(&self, rules: &[Value], index: usize) -> usize {
        let key = |rule: &Value| rule.get("outputKey").cloned();
        let own = rules.get(index).and_then(key);
        rules.iter().position(|rule| key(rule) == own).unwrap_or(index)
    }
}

fn rule_output(rule: &millrace_model::Object) -> Value {
    let output = rule.get("output").cloned().unwrap_or(Value::Number(0.0));
    match output.as_f64().and_then(to_index) {
        Some(index) => index.into(),
        None => output,
    }
}
