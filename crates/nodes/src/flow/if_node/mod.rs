//! If: sends each item to the true or the false output.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object};

use super::comparison;
use crate::conditions::PreparedConditions;
use crate::regular_expression::Patterns;
use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType = NodeType::pure("n8n-nodes-base.if", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let (passed, failed) = if context.version() < 2.0 { split_by_comparisons(context) } else { split(context) }?;
    Ok(Output::of(vec![passed, failed]))
}

type Branches = Result<(Vec<Item>, Vec<Item>), ExecutionError>;

fn split(context: &mut NodeContext<'_>) -> Branches {
    let mut conditions = PreparedConditions::new(context.prepare("conditions").raw());
    let zone = context.zone();
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for (at, item) in context.items().iter().enumerate() {
        match conditions.hold(context, at, &zone) {
            Ok(true) => passed.push(item.clone()),
            Ok(false) => failed.push(item.clone()),
            Err(_) if context.continue_on_fail() => failed.push(item.clone()),
            Err(error) => return Err(error.at_item(at)),
        }
    }
    Ok((passed, failed))
}

/// Version 1.
fn split_by_comparisons(context: &mut NodeContext<'_>) -> Branches {
    let (join, groups) = (context.prepare("combineOperation"), context.prepare("conditions"));
    let mut patterns = Patterns::default();
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for (at, item) in context.items().iter().enumerate() {
        let decided = join
            .text(context, at)
            .and_then(|join| comparison::pass(&groups.at(context, at)?, join == "any", &mut patterns));
        match decided {
            Ok(true) => passed.push(item.clone()),
            Ok(false) => failed.push(item.clone()),
            Err(error) if context.continue_on_fail() => {
                failed.push(Item::new(Object::from([("error", error.message.into())])).paired(at));
            }
            Err(error) => return Err(error.at_item(at)),
        }
    }
    Ok((passed, failed))
}
