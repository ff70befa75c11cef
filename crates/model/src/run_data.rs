//! What the nodes of a run have done so far.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ExecutionError, Item, NodeIndex};

/// The items of one output or input, shared between the record and the nodes that read them.
pub type Items = Arc<Vec<Item>>;

/// The outputs of one node run; `None` where an output gave nothing (its branch is not followed).
pub type Outputs = Vec<Option<Items>>;

/// Shares a list of items.
pub fn items_of(items: impl IntoIterator<Item = Item>) -> Items {
    Arc::new(items.into_iter().collect())
}

/// Runs by node.
#[derive(Clone, Debug, Default)]
pub struct RunData {
    runs: Vec<Vec<NodeRun>>,
}

impl RunData {
    /// The runs of a node, oldest first.
    pub fn of(&self, node: NodeIndex) -> &[NodeRun] {
        self.runs.get(node.0).map_or(&[], Vec::as_slice)
    }

    /// The runs of a node, to add to or to replace.
    pub fn of_mut(&mut self, node: NodeIndex) -> &mut Vec<NodeRun> {
        if self.runs.len() <= node.0 {
            self.runs.resize_with(node.0 + 1, Vec::new);
        }
        match self.runs.get_mut(node.0) {
            Some(runs) => runs,
            None => unreachable!("the list was made long enough just above"),
        }
    }

    /// Items of an output of a run; `None` where there is no such run or output.
    pub fn output(&self, node: NodeIndex, run: usize, output: usize) -> Option<&Items> {
        self.of(node).get(run)?.outputs.as_ref()?.get(output)?.as_ref()
    }

    /// All nodes that ran, with their runs.
    pub fn iter(&self) -> impl Iterator<Item = (NodeIndex, &[NodeRun])> {
        self.runs
            .iter()
            .enumerate()
            .filter(|(_, runs)| !runs.is_empty())
            .map(|(at, runs)| (NodeIndex(at), runs.as_slice()))
    }
}

/// One run of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeRun {
    /// Place in the order of all node runs of the execution, from 0.
    pub execution_index: u32,
    /// Milliseconds since the epoch.
    pub start_time: i64,
    /// Milliseconds.
    pub execution_time: u64,
    /// Microseconds on a CPU, of a node that runs a script.
    pub cpu_us: u64,
    pub status: NodeStatus,
    /// Where each input came from; `None` for an input without data.
    pub source: Vec<Option<Source>>,
    /// Items of all inputs together, as the node was given them.
    pub items_in: usize,
    /// Outputs of the `main` connections; `None` when the run ended without data.
    pub outputs: Option<Outputs>,
    pub error: Option<Arc<ExecutionError>>,
    /// Lines a Code node logged.
    pub console: Vec<String>,
    /// What an AI agent handed a tool node in place of its input (n8n's `inputOverride.ai_tool`).
    pub agent_input: Option<Items>,
}

impl NodeRun {
    /// Items of all outputs together.
    pub fn items_out(&self) -> usize {
        self.outputs.iter().flatten().flatten().map(|items| items.len()).sum()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    #[default]
    Success,
    Error,
    Waiting,
    Canceled,
}

/// The output that fed an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub node: NodeIndex,
    pub output: usize,
    pub run: usize,
}
