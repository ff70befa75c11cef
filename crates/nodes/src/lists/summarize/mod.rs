//! Summarize: counts, sums, lists and extremes over all items or over groups of them, as a pivot table does.
//! Groups are found by hashing; each item's fields are read in place.

mod aggregation;
mod groups;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, PairedItem, PairedRef, Str, Value};

use super::aggregate::all_of;
use crate::{NodeContext, NodeResult, NodeType, Output, dot_path, field_list};
use aggregation::Aggregation;
use groups::Groups;

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.summarize", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let tolerant = context.version() > 1.0 || context.flag("options.continueIfFieldNotFound", 0)?;
    // Version 1 gives the values that split as text.
    let as_text = context.version() < 1.1;
    summarize(context, tolerant, as_text, false)
}

pub(in crate::lists) fn summarize(
    context: &mut NodeContext<'_>,
    tolerant: bool,
    as_text: bool,
    groups_first: bool,
) -> NodeResult {
    let plan = Plan { groups_first, ..Plan::of(context, as_text)? };
    let items = context.items();
    if !tolerant {
        plan.check_fields(items)?;
    }
    if plan.single_item {
        let json = plan.as_tree(items, (0..items.len()).collect(), &plan.split_by);
        let item = Item { paired_item: Some(all_of(items.len())), ..Item::new(json) };
        return Ok(Output::items([item]));
    }
    let mut made = Vec::new();
    plan.as_rows(items, (0..items.len()).collect(), &plan.split_by, &mut Vec::new(), &mut made);
    Ok(Output::items(made))
}

struct Plan {
    split_by: Vec<Str>,
    aggregations: Vec<Aggregation>,
    literal: bool,
    skip_empty: bool,
    single_item: bool,
    as_text: bool,
    /// The values an item was split by come before its totals.
    groups_first: bool,
}

impl Plan {
    fn of(context: &mut NodeContext<'_>, as_text: bool) -> Result<Plan, ExecutionError> {
        let chosen = context.parameter("fieldsToSummarize.values", 0)?;
        let aggregations: Vec<Aggregation> =
            chosen.as_array().unwrap_or_default().iter().map(Aggregation::of).collect();
        if aggregations.iter().all(|aggregation| aggregation.field.is_empty()) {
            return Err(ExecutionError::operation(
                "You need to add at least one aggregation to 'Fields to Summarize' with non empty 'Field'",
            ));
        }
        Ok(Plan {
            split_by: field_list::parse(&context.parameter("fieldsToSplitBy", 0)?, "Fields to Split By")?,
            aggregations,
            literal: context.flag("options.disableDotNotation", 0)?,
            skip_empty: context.flag("options.skipEmptySplitFields", 0)?,
            single_item: context.text("options.outputFormat", 0)? == "singleItem",
            as_text,
            groups_first: false,
        })
    }

    fn check_fields(&self, items: &[Item]) -> Result<(), ExecutionError> {
        for aggregation in self.aggregations.iter().filter(|aggregation| !aggregation.field.is_empty()) {
            if !items.iter().any(|item| self.value(item, &aggregation.field).is_some()) {
                let message = format!("The field '{}' does not exist in any items", aggregation.field);
                return Err(ExecutionError::operation(message));
            }
        }
        Ok(())
    }

    fn value<'i>(&self, item: &'i Item, field: &str) -> Option<&'i Value> {
        dot_path::get_as(&item.json, field, self.literal).filter(|value| !value.is_undefined())
    }

    fn totals(&self, items: &[Item], members: &[usize]) -> Object {
        let mut json = Object::with_capacity(self.aggregations.len());
        for aggregation in &self.aggregations {
            let values =
                members.iter().filter_map(|at| items.get(*at)).map(|item| self.value(item, &aggregation.field));
            json.insert(aggregation.output.clone(), aggregation.of_values(values));
        }
        json
    }

    fn groups(&self, items: &[Item], members: Vec<usize>, field: &str) -> Groups {
        let mut groups = Groups::default();
        for at in members {
            let Some(item) = items.get(at) else { continue };
            let value = self.value(item, field).cloned().unwrap_or_default();
            if self.skip_empty && !matches!(value, Value::Number(_)) && !millrace_model::truthy(&value) {
                continue;
            }
            let key = match value {
                Value::Object(_) | Value::Array(_) => value.to_json().into(),
                value => value,
            };
            let key = if self.as_text { key.to_js_string().into() } else { key };
            groups.add(key, at);
        }
        groups
    }

    /// One item a group: its totals, then the values it was split by, innermost first.
    fn as_rows(
        &self,
        items: &[Item],
        members: Vec<usize>,
        split_by: &[Str],
        above: &mut Vec<(Str, Value)>,
        made: &mut Vec<Item>,
    ) {
        let Some((field, rest)) = split_by.split_first() else {
            let totals = self.totals(items, &members);
            let groups = above.iter().cloned();
            let totals = totals.iter().map(|(name, value)| (name.clone(), value.clone()));
            let json: Object =
                if self.groups_first { groups.chain(totals).collect() } else { totals.chain(groups.rev()).collect() };
            let links = members.into_iter().map(|at| PairedItem::One(PairedRef::item(at))).collect();
            made.push(Item { paired_item: Some(PairedItem::Many(links)), ..Item::new(json) });
            return;
        };
        for (key, members) in self.groups(items, members, field).into_iter() {
            above.push((field_name(field), key));
            self.as_rows(items, members, rest, above, made);
            above.pop();
        }
    }

    /// Groups within groups, by their values.
    fn as_tree(&self, items: &[Item], members: Vec<usize>, split_by: &[Str]) -> Object {
        let Some((field, rest)) = split_by.split_first() else { return self.totals(items, &members) };
        let mut tree = Object::new();
        for (key, members) in self.groups(items, members, field).into_iter() {
            tree.insert(key.to_js_string(), self.as_tree(items, members, rest));
        }
        tree
    }
}

/// A name as it may stand in an output: no brackets or quotes, underscores for dots and blanks.
fn field_name(name: &str) -> Str {
    let kept = name.chars().filter(|letter| !matches!(letter, '[' | ']' | '"'));
    kept.map(|letter| if matches!(letter, ' ' | '.') { '_' } else { letter }).collect::<String>().into()
}
