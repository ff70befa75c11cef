//! Filter: lets only matching items through; the others go to a second output that nothing needs to follow.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object};

use super::comparison;
use crate::conditions::PreparedConditions;
use crate::regular_expression::Patterns;
use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.filter", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut test = Test::new(context);
    let (mut kept, mut discarded) = (Vec::new(), Vec::new());
    for (at, item) in context.items().iter().enumerate() {
        match test.passes(context, at) {
            Ok(true) => kept.push(item.clone()),
            Ok(false) => discarded.push(item.clone()),
            Err(error) if context.continue_on_fail() => discarded.push(match &test {
                Test::Comparisons { .. } => Item::new(Object::from([("error", error.message.into())])).paired(at),
                Test::Conditions { .. } => item.clone(),
            }),
            Err(error) => return Err(error.at_item(at)),
        }
    }
    Ok(Output::of(vec![kept, discarded]))
}

/// What an item must fulfil.
enum Test {
    /// Version 1.
    Comparisons {
        groups: crate::Prepared,
        any: bool,
        patterns: Patterns,
    },
    Conditions {
        conditions: PreparedConditions,
        zone: jiff::tz::TimeZone,
    },
}

impl Test {
    fn new(context: &NodeContext<'_>) -> Test {
        let groups = context.prepare("conditions");
        if context.version() < 2.0 {
            let any = context.prepare("combineConditions").raw().as_str() == Some("OR");
            return Test::Comparisons { groups, any, patterns: Patterns::default() };
        }
        Test::Conditions { conditions: PreparedConditions::new(groups.raw()), zone: context.zone() }
    }

    fn passes(&mut self, context: &mut NodeContext<'_>, at: usize) -> Result<bool, ExecutionError> {
        match self {
            Test::Comparisons { groups, any, patterns } => comparison::pass(&groups.at(context, at)?, *any, patterns),
            Test::Conditions { conditions, zone } => conditions.hold(context, at, zone),
        }
    }
}
