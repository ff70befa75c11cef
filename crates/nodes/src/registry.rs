//! The table of all built-in node types: look-up by name, parsed descriptions. Holds no state of any tenant.

use std::sync::{LazyLock, OnceLock};

use millrace_model::Node;
use rustc_hash::FxHashMap;

use crate::{
    Description, NodeType, Ports, files, flow, lists, network, parameters, scripts, services, transform, triggers,
    values,
};

/// The groups that make up the table.
static GROUPS: [&[&NodeType]; 9] = [
    files::NODE_TYPES,
    triggers::NODE_TYPES,
    flow::NODE_TYPES,
    transform::NODE_TYPES,
    lists::NODE_TYPES,
    values::NODE_TYPES,
    scripts::NODE_TYPES,
    services::NODE_TYPES,
    network::NODE_TYPES,
];

/// Other names under which workflows know a type.
static ALIASES: [(&str, &str); 1] = [("n8n-nodes-base.workflowTrigger", "n8n-nodes-base.executeWorkflowTrigger")];

struct Entry {
    node_type: &'static NodeType,
    description: OnceLock<Description>,
}

static TABLE: LazyLock<FxHashMap<&'static str, Entry>> = LazyLock::new(|| {
    let all = GROUPS.iter().flat_map(|group| group.iter().copied());
    all.map(|node_type| (node_type.name, Entry { node_type, description: OnceLock::new() })).collect()
});

/// The node type of this full name (`n8n-nodes-base.set`) or alias.
pub fn find(name: &str) -> Option<&'static NodeType> {
    entry(name).map(|entry| entry.node_type)
}

/// All node types, in no particular order.
pub fn all() -> impl Iterator<Item = &'static NodeType> {
    TABLE.values().map(|entry| entry.node_type)
}

/// The parsed description of a type; parsed once, when first asked for.
pub fn description(node_type: &'static NodeType) -> &'static Description {
    match TABLE.get(node_type.name) {
        Some(entry) => entry.description.get_or_init(|| Description::of(node_type)),
        None => unreachable!("every node type is part of the table"),
    }
}

/// Versions of a type that workflows may name, ascending.
pub fn versions(node_type: &'static NodeType) -> &'static [f64] {
    description(node_type).versions()
}

/// Inputs and outputs of a node.
pub fn ports(node_type: &'static NodeType, node: &Node) -> Ports {
    let description = description(node_type);
    match node_type.ports {
        Some(ports) => ports(node.version, &parameters::with_defaults(description, node)),
        None => description.variant(node.version).ports(),
    }
}

fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.get(name).or_else(|| {
        let (_, target) = ALIASES.iter().find(|(alias, _)| *alias == name)?;
        TABLE.get(target)
    })
}
