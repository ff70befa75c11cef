//! Loop Over Items (Split in Batches): puts its items out a few at a time, until all went round.
//!
//! The items are not copied into the node's memory: the run's record still holds them, so the memory only says which
//! output they came from and how many have been put out.

mod rounds;
#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Items, Object, to_index, truthy};

use crate::{NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs};
use rounds::Rounds;

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.splitInBatches", include_str!("description.json"), execute).ports(ports);

fn ports(version: f64, _parameters: &Object) -> Ports {
    Ports { inputs: 1, outputs: if version < 2.0 { 1 } else { 2 }, required: RequiredInputs::Unstated }
}

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let size = context.number("batchSize", 0)?.and_then(to_index).filter(|size| *size > 0);
    let size = size.ok_or_else(|| ExecutionError::operation("The batch size must be a whole number of at least 1"))?;
    let reset = context.parameter("options", 0)?.get("reset").is_some_and(truthy);
    let mut rounds = match Rounds::recall(context).filter(|_| !reset) {
        Some(rounds) => rounds.again(),
        None => Rounds::first(context, size),
    };
    let batch = rounds.take(context, size);
    let done = batch.is_empty();
    rounds.remember(context, done);
    Ok(match (context.version() < 2.0, done) {
        (true, true) => Output::default(),
        (true, false) => one(vec![batch.into()]),
        (false, true) => by_version(context, rounds.processed(context), Items::default()),
        (false, false) => by_version(context, Items::default(), batch.into()),
    })
}

/// Version 2 loops on its first output, version 3 on its second.
fn by_version(context: &NodeContext<'_>, finished: Items, looping: Items) -> Output {
    one(if context.version() < 3.0 { vec![looping, finished] } else { vec![finished, looping] })
}

fn one(outputs: Vec<Items>) -> Output {
    Output { outputs: outputs.into_iter().map(Some).collect(), ..Output::default() }
}
