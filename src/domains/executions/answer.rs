//! What somebody who waits for an execution gets.

use std::sync::Arc;

use millrace_engine::{Outcome, Run};
use millrace_model::{ExecutionError, Items, NodeIndex};
use millrace_nodes::WebhookResponse;

use super::model::Status;
use super::repository::Row;
use crate::common::ExecutionId;

/// The first of what happens.
#[derive(Debug)]
pub enum Answer {
    /// A node answered for the workflow.
    Responded(WebhookResponse),
    /// The execution is over, and stored.
    Ended(Box<Ended>),
}

/// An execution that is over.
#[derive(Debug)]
pub struct Ended {
    pub(super) row: Row,
    /// It is stored, and can be read.
    pub is_kept: bool,
    pub status: Status,
    pub error: Option<Arc<ExecutionError>>,
    /// The node that ran last, and the items of its first output that has any.
    pub last: Option<(NodeIndex, Items)>,
    /// Which run of that node it was.
    pub run_index: usize,
}

impl Ended {
    pub fn id(&self) -> ExecutionId {
        self.row.id
    }

    /// What became of a run.
    pub(super) fn of_run(row: Row, is_kept: bool, outcome: &Outcome, run: &Run) -> Ended {
        let last = run.last_node().map(|node| {
            let outputs = run.data().of(node).last().and_then(|run| run.outputs.as_ref());
            let mut with_items = outputs.into_iter().flatten().flatten().filter(|items| !items.is_empty());
            (node, with_items.next().cloned().unwrap_or_default())
        });
        let runs = run.last_node().map_or(0, |node| run.data().of(node).len());
        let run_index = runs.saturating_sub(1);
        Ended { status: row.status, row, is_kept, error: outcome.error.clone(), last, run_index }
    }
}
