//! Who is told about a run while it goes on, and what of an earlier attempt is not done again.

use std::collections::VecDeque;

use async_trait::async_trait;
use millrace_engine::{NodeOutcome, NodeTask, Run};
use millrace_model::ExecutionError;

/// Told about every node; keeps the journal of effects.
#[async_trait]
pub trait Observer: Send + Sync {
    /// A node is about to be executed.
    fn started(&self, _run: &Run, _task: &NodeTask) {}

    /// The outcome of a node, before it is taken in. All of them, applied to a fresh run, give its state again.
    fn completing(&self, _task: &NodeTask, _outcome: &NodeOutcome) {}

    /// The outcome of a node has been taken in; its record is the last one of the node in the run's data, unless the
    /// node is tried again.
    fn finished(&self, _run: &Run, _task: &NodeTask) {}

    /// Whether something that the node now running did has left the process: a script may do so, too.
    fn has_effects(&self) -> bool {
        false
    }

    /// Makes the outcome of a node with an effect durable before the next node starts. An error stops the run.
    async fn record(&self, _task: &NodeTask, _outcome: &NodeOutcome) -> Result<(), ExecutionError> {
        Ok(())
    }
}

/// Watches nothing, keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// Journaled outcomes of an earlier attempt, in the order they came.
#[derive(Debug, Default)]
pub struct Replay {
    entries: VecDeque<ReplayEntry>,
}

/// A journaled outcome with the task it belongs to.
#[derive(Debug)]
pub struct ReplayEntry {
    pub node: millrace_model::NodeIndex,
    pub run_index: usize,
    pub attempt: u32,
    pub outcome: NodeOutcome,
}

impl Replay {
    pub fn new(entries: impl IntoIterator<Item = ReplayEntry>) -> Replay {
        Replay { entries: entries.into_iter().collect() }
    }

    /// The outcome of this task, if it was executed before.
    pub(crate) fn take(&mut self, task: &NodeTask) -> Option<NodeOutcome> {
        let is_it = |entry: &ReplayEntry| {
            entry.node == task.node && entry.run_index == task.run_index && entry.attempt == task.attempt
        };
        let at = self.entries.iter().position(is_it)?;
        self.entries.remove(at).map(|entry| entry.outcome)
    }
}
