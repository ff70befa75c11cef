//! Where node types come from: the built-in ones, and what a host adds to them.

use millrace_model::{Node, Object};
use millrace_nodes::{Description, NodeType, Ports, registry};

/// Finds node types by their full name.
pub trait Catalog: Send + Sync {
    fn find(&self, name: &str) -> Option<Entry>;
}

/// A node type with its parsed description.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub node_type: &'static NodeType,
    pub description: &'static Description,
}

impl Entry {
    /// Inputs and outputs of a node with these parameters (defaults filled in).
    pub(crate) fn ports(&self, node: &Node, parameters: &Object) -> Ports {
        match self.node_type.ports {
            Some(ports) => ports(node.version, parameters),
            None => self.description.variant(node.version).ports(),
        }
    }
}

/// The built-in node types, nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

impl Catalog for BuiltIn {
    fn find(&self, name: &str) -> Option<Entry> {
        let node_type = registry::find(name)?;
        Some(Entry { node_type, description: registry::description(node_type) })
    }
}
