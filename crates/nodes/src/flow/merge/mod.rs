//! Merge: brings the items of several inputs together.

mod clash;
mod combine;
mod first_version;
mod sql;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, PairedItem, Value, to_index};

use crate::{NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.merge", include_str!("description.json"), execute)
        .ports(ports)
        .takes_long(asks_by_sql);

/// Most inputs a node may have.
const MAX_INPUTS: usize = 64;

fn asks_by_sql(parameters: &Object) -> bool {
    parameters.get("mode").and_then(Value::as_str) == Some("combineBySql")
}

fn ports(version: f64, parameters: &Object) -> Ports {
    if version < 2.0 {
        return Ports { inputs: 2, outputs: 1, required: RequiredInputs::Unstated };
    }
    let choose = parameters.get("mode").and_then(Value::as_str) == Some("chooseBranch");
    if version < 3.0 {
        let required = if choose { RequiredInputs::These(vec![0, 1]) } else { RequiredInputs::AtLeast(1) };
        return Ports { inputs: 2, outputs: 1, required };
    }
    Ports { inputs: input_count(parameters), outputs: 1, required: RequiredInputs::AtLeast(1) }
}

fn input_count(parameters: &Object) -> usize {
    let count = parameters.get("numberInputs").and_then(Value::as_f64).and_then(to_index);
    count.unwrap_or(2).clamp(2, MAX_INPUTS)
}

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    if context.version() < 2.0 {
        return first_version::execute(context);
    }
    match context.text("mode", 0)?.as_str() {
        "append" => Ok(append(context)),
        "combine" => combine::execute(context),
        "chooseBranch" => choose_branch(context),
        "combineBySql" => sql::execute(context),
        mode => Err(ExecutionError::operation(format!("The mode \"{mode}\" does not exist"))),
    }
}

fn append(context: &NodeContext<'_>) -> Output {
    let count = if context.version() < 3.0 { 2 } else { input_count(context.parameters) };
    let filled: Vec<usize> = (0..count).filter(|input| !context.input(*input).is_empty()).collect();
    match filled.as_slice() {
        [only] => Output { outputs: vec![context.inputs.get(*only).cloned().flatten()], ..Output::default() },
        filled => Output::items(filled.iter().flat_map(|input| context.input(*input)).cloned()),
    }
}

fn choose_branch(context: &mut NodeContext<'_>) -> NodeResult {
    let output = context.text("output", 0)?;
    let input = match output.as_str() {
        "empty" => {
            let items = context.input(0).iter().chain(context.input(1));
            let links = items.filter_map(|item| item.paired_item.clone()).collect();
            let item = Item { paired_item: Some(PairedItem::Many(links)), ..Item::empty() };
            return Ok(Output::items([item]));
        }
        "input2" => 1,
        "specifiedInput" => {
            let wanted = context.number("useDataOfInput", 0)?;
            let count = input_count(context.parameters);
            let input = wanted.and_then(to_index).and_then(|input| input.checked_sub(1)).filter(|input| *input < count);
            input.ok_or_else(|| {
                let wanted = wanted.map(millrace_model::format_number).unwrap_or_default();
                let reason = format!("The node has only {count} inputs, so selecting input {wanted} is not possible.");
                ExecutionError::operation(format!("Input {wanted} doesn't exist")).describe(reason)
            })?
        }
        _ => 0,
    };
    let items = context.inputs.get(input).cloned().flatten().unwrap_or_default();
    Ok(Output { outputs: vec![Some(items)], ..Output::default() })
}
