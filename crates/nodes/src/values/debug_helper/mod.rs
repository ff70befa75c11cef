//! Debug Helper: fails on purpose, or makes up data. The same seed gives the same data, though not the data that n8n's
//! generator gives.

mod made_up;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, Value, to_index};

use crate::{NodeContext, NodeResult, NodeType, Output};
use made_up::Maker;

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.debugHelper", include_str!("description.json"), execute);

/// Most made-up entries for one item.
const MAX_COUNT: usize = 100_000;

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::new();
    for (index, item) in context.items().iter().enumerate() {
        match context.text("category", index)?.as_str() {
            "doNothing" => made.push(item.clone()),
            "outOfMemory" => {
                return Err(ExecutionError::operation("The run was refused the memory it asked for").at_item(index));
            }
            "randomData" => made.extend(random_data(context, index)?),
            _ => {
                let error = thrown(context, index)?;
                made.push(context.failed_item(error, index)?);
            }
        }
    }
    Ok(Output::items(made))
}

fn thrown(context: &mut NodeContext<'_>, index: usize) -> Result<ExecutionError, ExecutionError> {
    let message = context.text("throwErrorMessage", index)?;
    let kind = context.text("throwErrorType", index)?;
    Ok(ExecutionError::new(if kind.is_empty() { "NodeApiError".into() } else { kind }, message))
}

fn random_data(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Item>, ExecutionError> {
    let count = context.number("randomDataCount", index)?.and_then(to_index).unwrap_or(10);
    if count > MAX_COUNT {
        return Err(
            ExecutionError::operation(format!("At most {MAX_COUNT} entries can be made at once")).at_item(index)
        );
    }
    let seed = context.text("randomDataSeed", index)?;
    let mut bytes = [0u8; 8];
    context.host.random(&mut bytes);
    let mut maker = if seed.is_empty() { Maker::new(u64::from_le_bytes(bytes)) } else { Maker::seeded(&seed) };
    let kind = context.text("randomDataType", index)?;
    let alphabet = context.text("nanoidAlphabet", index)?;
    let length = context.number("nanoidLength", index)?.and_then(to_index).unwrap_or(16).min(1024);
    let entries: Vec<Value> = (0..count).map(|_| maker.entry(&kind, &alphabet, length).into()).collect();
    if context.flag("randomDataSingleArray", index)? {
        let json = Object::from([("generatedItems", entries.into())]);
        return Ok(vec![Item::new(json).paired(index)]);
    }
    Ok(entries.into_iter().map(|entry| Item::new(entry).paired(index)).collect())
}
