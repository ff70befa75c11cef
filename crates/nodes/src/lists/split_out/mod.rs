//! Split Out: one item for each element of a list.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use indexmap::IndexMap;
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, dot_path, field_list};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.splitOut", include_str!("description.json"), execute);

/// The name under which the binaries of an item can be split.
const BINARY: &str = "$binary";

struct Plan {
    fields: Vec<Str>,
    destinations: Vec<Str>,
    include: Include,
    literal: bool,
    keep_binary: bool,
}

enum Include {
    Nothing,
    AllOthers,
    Selected(Vec<Str>),
}

pub(in crate::lists) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::new();
    for (index, item) in context.items().iter().enumerate() {
        let plan = Plan::of(context, index)?;
        plan.split(item, index, &mut made);
    }
    Ok(Output::items(made))
}

impl Plan {
    fn of(context: &mut NodeContext<'_>, index: usize) -> Result<Plan, ExecutionError> {
        let fields = context.text("fieldToSplitOut", index)?;
        let fields: Vec<Str> = fields
            .split(',')
            .map(|field| field.trim())
            .map(|field| field.strip_prefix("$json.").unwrap_or(field).into())
            .collect();
        let destinations = field_list::split(&context.text("options.destinationFieldName", index)?);
        if !destinations.is_empty() && destinations.len() != fields.len() {
            return Err(ExecutionError::operation(
                "If multiple fields to split out are given, the same number of destination fields must be given",
            ));
        }
        let include = match context.text("include", index)?.as_str() {
            "allOtherFields" => Include::AllOthers,
            "selectedOtherFields" => {
                let names = field_list::listed(context, "fieldsToInclude", "Fields To Include", index)?;
                if names.is_empty() {
                    return Err(
                        ExecutionError::operation("No fields specified").describe("Please add a field to include")
                    );
                }
                Include::Selected(names)
            }
            _ => Include::Nothing,
        };
        Ok(Plan {
            fields,
            destinations,
            include,
            literal: context.flag("options.disableDotNotation", index)?,
            keep_binary: context.flag("options.includeBinary", index)?,
        })
    }

    fn split(&self, item: &Item, index: usize, made: &mut Vec<Item>) {
        let mut parts: Vec<Item> = Vec::new();
        let single = self.fields.len() == 1;
        for (at, field) in self.fields.iter().enumerate() {
            let destination = self.destinations.get(at);
            if field == BINARY {
                for (at, (name, binary)) in item.binary.iter().flat_map(|binaries| binaries.iter()).enumerate() {
                    let binaries = IndexMap::from([(name.clone(), binary.clone())]);
                    part_at(&mut parts, at, index).binary = Some(Arc::new(binaries));
                }
                continue;
            }
            let name = destination.unwrap_or(field);
            for (at, element) in elements(dot_path::get_as(&item.json, field, self.literal)).into_iter().enumerate() {
                let part = part_at(&mut parts, at, index);
                let Value::Object(json) = &mut part.json else { continue };
                match element {
                    Value::Object(fields)
                        if matches!(self.include, Include::Nothing) && destination.is_none() && single =>
                    {
                        *json = fields;
                    }
                    Value::Array(values)
                        if matches!(self.include, Include::Nothing) && destination.is_none() && single =>
                    {
                        *json = spread(&values);
                    }
                    element => {
                        json.insert(name.clone(), element);
                    }
                }
            }
        }
        let others = match self.include {
            Include::AllOthers => self.others(item),
            _ => Object::new(),
        };
        made.extend(parts.into_iter().map(|part| self.complete(part, item, &others)));
    }

    /// The item's fields without the split ones.
    fn others(&self, item: &Item) -> Object {
        let mut others = item.json.as_object().cloned().unwrap_or_default();
        for field in &self.fields {
            if self.literal {
                others.remove(field);
            } else {
                dot_path::unset(&mut others, field);
            }
        }
        others
    }

    /// Adds the other fields that are to stay beside the split ones.
    fn complete(&self, mut part: Item, item: &Item, others: &Object) -> Item {
        if let Value::Object(json) = &mut part.json {
            match &self.include {
                Include::Nothing => {}
                Include::AllOthers => {
                    let mut others = others.clone();
                    for (key, value) in json.iter() {
                        others.insert(key.clone(), value.clone());
                    }
                    *json = others;
                }
                Include::Selected(names) => {
                    for name in names {
                        let value = dot_path::get_as(&item.json, name, self.literal).cloned();
                        json.insert(name.clone(), value.unwrap_or_default());
                    }
                }
            }
        }
        if self.keep_binary && part.binary.is_none() {
            part.binary.clone_from(&item.binary);
        }
        part
    }
}

fn part_at(parts: &mut Vec<Item>, at: usize, index: usize) -> &mut Item {
    while parts.len() <= at {
        parts.push(Item::empty().paired(index));
    }
    match parts.get_mut(at) {
        Some(part) => part,
        None => unreachable!("the list was made long enough just above"),
    }
}

/// The elements of a list, the values of an object, or a single value.
fn elements(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Undefined) => Vec::new(),
        Some(Value::Array(values)) => values.to_vec(),
        Some(Value::Object(fields)) => fields.values().cloned().collect(),
        Some(value) => vec![value.clone()],
    }
}

/// A list as an object with its indices as keys.
pub(in crate::lists) fn spread(values: &[Value]) -> Object {
    values.iter().enumerate().map(|(at, value)| (Str::from(at.to_string()), value.clone())).collect()
}
