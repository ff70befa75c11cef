//! Compare Datasets: items only in A, the same in both, different, only in B.

mod differences;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, Str};

use crate::matching::{Comparison, Criteria, find, pairs};
use crate::{NodeContext, NodeResult, NodeType, Output, dot_path, field_list};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.compareDatasets", include_str!("description.json"), execute);

struct Plan {
    criteria: Criteria,
    skipped: Vec<Str>,
    resolve: Resolve,
    version: f64,
}

/// Which of two different items is put out.
enum Resolve {
    Both,
    First,
    Second,
    /// The preferred item with some fields of the other.
    Mix {
        prefers_first: bool,
        except: Vec<Str>,
    },
}

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let plan = Plan::of(context)?;
    let (first, second) = (context.input(0), context.input(1));
    if plan.version < 2.2 {
        plan.check_fields(first, second)?;
    }
    let found = find(&plan.criteria, first, second);
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for (at, partners) in &found.matched {
        let Some(item) = first.get(*at) else { continue };
        let mut is_same = None;
        for partner in partners.iter().filter_map(|at| second.get(*at)) {
            if plan.is_same(item, partner) {
                // Where different types may be equal, the preferred version is put out.
                let prefers_second =
                    matches!(plan.resolve, Resolve::Second) && plan.criteria.comparison != Comparison::Strict;
                is_same.get_or_insert(if prefers_second { partner } else { item });
            } else {
                different.push(plan.resolved(item, partner)?);
            }
        }
        same.extend(is_same.filter(|item| item.json.as_object().is_none_or(|json| !json.is_empty())).cloned());
    }
    let pick = |items: &[Item], places: &[usize]| places.iter().filter_map(|at| items.get(*at).cloned()).collect();
    Ok(Output::of(vec![pick(first, &found.only_first), same, different, pick(second, &found.only_second)]))
}

impl Plan {
    fn of(context: &mut NodeContext<'_>) -> Result<Plan, ExecutionError> {
        let version = context.version();
        let fuzzy = if version < 2.0 { "options.fuzzyCompare" } else { "fuzzyCompare" };
        let comparison = match (context.flag(fuzzy, 0)?, version >= 2.0) {
            (false, _) => Comparison::Strict,
            (true, nulls_as_zero) => Comparison::Fuzzy { nulls_as_zero },
        };
        let resolve = match context.text("resolve", 0)?.as_str() {
            "preferInput1" => Resolve::First,
            "preferInput2" => Resolve::Second,
            "mix" => Resolve::Mix {
                prefers_first: context.text("preferWhenMix", 0)? != "input2",
                except: field_list::split(&context.text("exceptWhenMix", 0)?),
            },
            _ => Resolve::Both,
        };
        Ok(Plan {
            criteria: Criteria {
                pairs: pairs(&context.parameter("mergeByFields.values", 0)?)?,
                comparison,
                literal: context.flag("options.disableDotNotation", 0)?,
                all_matches: context.text("options.multipleMatches", 0)? == "all",
            },
            skipped: field_list::split(&context.text("options.skipFields", 0)?),
            resolve,
            version,
        })
    }

    fn check_fields(&self, first: &[Item], second: &[Item]) -> Result<(), ExecutionError> {
        let check = |items: &[Item], field: &str, input: &str| {
            let is_there = |item: &Item| {
                let found = dot_path::get_as(&item.json, field, self.criteria.literal);
                found.is_some_and(|value| self.criteria.literal || !value.is_undefined())
            };
            if items.iter().any(is_there) {
                return Ok(());
            }
            let message = format!("Field '{field}' is not present in any of items in '{input}'");
            Err(ExecutionError::operation(message))
        };
        for pair in &self.criteria.pairs {
            check(first, &pair.first, "Input A")?;
        }
        for pair in &self.criteria.pairs {
            check(second, &pair.second, "Input B")?;
        }
        Ok(())
    }
}

/// The fields of an item; none for an item that is no object.
fn fields_of(item: &Item) -> Object {
    item.json.as_object().cloned().unwrap_or_default()
}
