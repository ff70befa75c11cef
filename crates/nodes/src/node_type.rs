//! What a node type declares: one static table entry a node.

use futures_util::future::BoxFuture;

use crate::{NodeContext, NodeResult};

/// A node type: its name, its parameters (as JSON data beside the code) and what it does.
#[derive(Debug)]
pub struct NodeType {
    /// Full name, such as `n8n-nodes-base.set`.
    pub name: &'static str,
    /// Description as JSON: display name, group, versions, inputs, outputs, properties with defaults and
    /// `displayOptions`, credentials; the shape of n8n's node description.
    pub description: &'static str,
    pub role: Role,
    pub behaviour: Behaviour,
    /// What it needs from the host beyond computing; the operator may switch capabilities off.
    pub needs: &'static [Capability],
}

/// How a node can begin a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Only runs with input.
    Regular,
    /// Begins runs by itself when the workflow is active (schedule, poll, event) or by hand.
    Trigger,
    /// Begins runs on an HTTP request.
    Webhook,
    /// Not executed (sticky notes).
    Annotation,
}

/// What executing a node does.
pub enum Behaviour {
    /// No effect outside the process; costs no journal entry and may be repeated freely.
    Pure(fn(&mut NodeContext<'_>) -> NodeResult),
    /// As `Pure`, but runs scripts that may take long: kept off the threads that serve others.
    Script(fn(&mut NodeContext<'_>) -> NodeResult),
    /// Reaches outside the process; its outcome is journaled before the next node starts.
    Effect(for<'a, 'b> fn(&'a mut NodeContext<'b>) -> BoxFuture<'a, NodeResult>),
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Behaviour::Pure(_) => "Pure",
            Behaviour::Script(_) => "Script",
            Behaviour::Effect(_) => "Effect",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    Network,
    Files,
    Commands,
    Workflows,
    Storage,
    Mail,
}
