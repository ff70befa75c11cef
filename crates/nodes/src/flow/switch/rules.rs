//! Rules of version 3: each is a list of conditions.

use millrace_model::{ExecutionError, Item, Value, truthy};

use super::Outputs;
use crate::conditions::PreparedConditions;
use crate::{NodeContext, NodeResult, Prepared};

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let rules = context.prepare("rules.values");
    let options = context.prepare("options");
    let zone = context.zone();
    let mut conditions: Vec<PreparedConditions> =
        rules.raw().as_array().unwrap_or_default().iter().map(prepared).collect();
    let mut outputs = Outputs::new(0, context.version());
    for (at, item) in context.items().iter().enumerate() {
        if conditions.is_empty() {
            break;
        }
        let chosen = Choice::read(&options, context, at);
        let sent = chosen.and_then(|choice| {
            if at == 0 {
                outputs = Outputs::new(conditions.len() + usize::from(choice.extra), context.version());
            }
            route(context, &mut conditions, &choice, (at, item), &zone, &mut outputs)
        });
        outputs.or_continue(context, sent, at)?;
    }
    Ok(outputs.into_output())
}

fn prepared(rule: &Value) -> PreparedConditions {
    PreparedConditions::new(rule.get("conditions").unwrap_or(&Value::Undefined))
}

/// Options of one item.
struct Choice {
    /// Also the rules behind the first that matches.
    all: bool,
    /// Items without a match go to an output of their own.
    extra: bool,
    /// Output of items without a match.
    fallback: Option<Value>,
}

impl Choice {
    fn read(options: &Prepared, context: &mut NodeContext<'_>, at: usize) -> Result<Choice, ExecutionError> {
        let options = options.at(context, at)?;
        let fallback = options.get("fallbackOutput").filter(|fallback| !fallback.is_nullish());
        let named = fallback.and_then(Value::as_str);
        Ok(Choice {
            all: options.get("allMatchingOutputs").is_some_and(truthy),
            extra: named == Some("extra"),
            fallback: fallback.filter(|_| !matches!(named, Some("none" | "extra"))).cloned(),
        })
    }
}

fn route(
    context: &mut NodeContext<'_>,
    rules: &mut [PreparedConditions],
    choice: &Choice,
    (at, item): (usize, &Item),
    zone: &jiff::tz::TimeZone,
    outputs: &mut Outputs,
) -> Result<(), ExecutionError> {
    let mut matched = false;
    for (index, rule) in rules.iter_mut().enumerate() {
        if rule.hold(context, at, zone)? {
            matched = true;
            outputs.send(&index.into(), item, at)?;
            if !choice.all {
                return Ok(());
            }
        }
    }
    if matched {
        return Ok(());
    }
    match &choice.fallback {
        _ if choice.extra => outputs.send(&rules.len().into(), item, at),
        Some(fallback) => outputs.send(fallback, item, at),
        None => Ok(()),
    }
}
