//! What a node type declares: one static table entry a node.

use futures_util::future::BoxFuture;
use millrace_model::Object;

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
    /// Inputs and outputs where they depend on parameters; `None`: as many as the description lists.
    pub ports: Option<PortsOf>,
    /// May a node with these parameters take long, though its type is pure? Then it is kept off the threads that serve
    /// others, as scripts are.
    pub takes_long: Option<fn(&Object) -> bool>,
}

/// Inputs and outputs of a node by its version and its parameters (defaults filled in, expressions unresolved).
pub type PortsOf = fn(f64, &Object) -> Ports;

impl NodeType {
    /// A regular node whose execution has no effect outside the process.
    pub const fn pure(
        name: &'static str,
        description: &'static str,
        execute: fn(&mut NodeContext<'_>) -> NodeResult,
    ) -> NodeType {
        NodeType::new(name, description, Behaviour::Pure(execute))
    }

    /// A regular node with this behaviour.
    pub const fn new(name: &'static str, description: &'static str, behaviour: Behaviour) -> NodeType {
        NodeType { name, description, role: Role::Regular, behaviour, needs: &[], ports: None, takes_long: None }
    }

    #[must_use]
    pub const fn role(self, role: Role) -> NodeType {
        NodeType { role, ..self }
    }

    #[must_use]
    pub const fn needs(self, needs: &'static [Capability]) -> NodeType {
        NodeType { needs, ..self }
    }

    #[must_use]
    pub const fn takes_long(self, takes_long: fn(&Object) -> bool) -> NodeType {
        NodeType { takes_long: Some(takes_long), ..self }
    }

    #[must_use]
    pub const fn ports(self, ports: PortsOf) -> NodeType {
        NodeType { ports: Some(ports), ..self }
    }
}

/// How many `main` inputs and outputs a node has, and which inputs must have data before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    pub inputs: usize,
    pub outputs: usize,
    pub required: RequiredInputs,
}

/// Which inputs must have data before a node with several inputs runs (n8n's `requiredInputs`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RequiredInputs {
    /// The node type does not say.
    #[default]
    Unstated,
    /// Any so many of them.
    AtLeast(usize),
    /// These, by index.
    These(Vec<usize>),
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
