//! What the engine must know of the node types of a workflow: their ports, nothing of what they do.

use millrace_model::{NodeIndex, Workflow};

/// Ports of every node of a workflow, in the order of its nodes.
#[derive(Clone, Debug, Default)]
pub struct Facts(Vec<NodeFacts>);

impl Facts {
    pub fn new(workflow: &Workflow, of: impl FnMut(NodeIndex) -> NodeFacts) -> Facts {
        Facts(workflow.indices().map(of).collect())
    }

    /// Facts of a node; those of a plain node where nothing is known.
    pub fn of(&self, node: NodeIndex) -> &NodeFacts {
        const PLAIN: NodeFacts = NodeFacts { inputs: 1, outputs: 1, required: Required::Unsaid, begins_runs: false };
        self.0.get(node.0).unwrap_or(&PLAIN)
    }
}

/// What the engine knows of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Number of `main` inputs.
    pub inputs: usize,
    /// Number of regular `main` outputs, without the extra one for errors.
    pub outputs: usize,
    pub required: Required,
    /// Triggers and webhooks: executed also without input items.
    pub begins_runs: bool,
}

impl Default for NodeFacts {
    fn default() -> NodeFacts {
        NodeFacts { inputs: 1, outputs: 1, required: Required::Unsaid, begins_runs: false }
    }
}

/// Inputs without which a node with several inputs is not executed (execution order v1 only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// Any input with items will do.
    Unsaid,
    /// At least so many.
    Count(usize),
    /// These.
    Inputs(Vec<usize>),
}
