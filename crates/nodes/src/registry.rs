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

#[cfg(test)]
mod tests {
    use millrace_model::{Object, Value};

    use super::*;

    /// Every property in a list, those inside of others too.
    fn walk(list: &Value, place: &str, look: &mut dyn FnMut(&Object, &str)) {
        for entry in list.as_array().unwrap_or_default() {
            let Some(property) = entry.as_object() else { panic!("{place}: {entry:?} is no property") };
            look(property, place);
            let name = property.get("name").and_then(Value::as_str).unwrap_or("?");
            let place = format!("{place}.{name}");
            let options = property.get("options").unwrap_or(&Value::Null);
            match property.get("type").and_then(Value::as_str) {
                Some("collection") => walk(options, &place, look),
                Some("fixedCollection") => {
                    for group in options.as_array().unwrap_or_default() {
                        assert!(group.get("name").is_some(), "{place}: a group has no name");
                        walk(group.get("values").unwrap_or(&Value::Null), &place, look);
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn descriptions_are_complete() {
        for node_type in all() {
            let name = node_type.name;
            assert!(Value::from_json(node_type.description).is_ok(), "{name} is not valid JSON");
            let description = description(node_type);
            assert!(!description.versions().is_empty(), "{name} has no version");
            assert!(description.versions().is_sorted(), "{name}");
            let mut seen = description.versions().to_vec();
            seen.dedup();
            assert_eq!(seen, description.versions(), "{name}: a version stands in two variants");
            for variant in description.variants() {
                let short = variant.document.get("name").and_then(Value::as_str).unwrap();
                assert!(name.ends_with(&format!(".{short}")), "{name} describes itself as {short}");
                for key in ["displayName", "group", "description", "defaults", "inputs", "outputs", "properties"] {
                    assert!(variant.document.contains_key(key), "{name} has no {key}");
                }
                let properties = variant.document.get("properties").unwrap();
                walk(properties, name, &mut |property, place| {
                    for key in ["displayName", "name", "type"] {
                        assert!(
                            property.get(key).is_some_and(|value| value.as_str().is_some()),
                            "{place}: no {key} in {property:?}"
                        );
                    }
                    assert!(property.contains_key("default"), "{place}: no default in {property:?}");
                });
            }
        }
    }

    #[test]
    fn finds_by_name_and_alias() {
        assert_eq!(find("n8n-nodes-base.set").unwrap().name, "n8n-nodes-base.set");
        assert_eq!(find("n8n-nodes-base.workflowTrigger").unwrap().name, "n8n-nodes-base.executeWorkflowTrigger");
        assert!(find("set").is_none());
        let groups: usize = GROUPS.iter().map(|group| group.len()).sum();
        assert_eq!(all().count(), groups, "two types have one name");
    }

    #[test]
    fn every_version_fills_in_its_defaults() {
        for node_type in all() {
            for version in versions(node_type) {
                let node = Node { version: *version, ..Node::default() };
                let parameters = parameters::with_defaults(description(node_type), &node);
                assert!(parameters.values().all(|value| !value.is_undefined()), "{} {version}", node_type.name);
                assert!(ports(node_type, &node).outputs < 64, "{} {version}", node_type.name);
            }
        }
    }
}
