//! Node types for trying workflows out on the command line: fixed data, and a probe of versioned parameters.
//! Never part of a server's catalog.

use std::{sync::Arc, sync::LazyLock};

use millrace_model::{ExecutionError, Item, Object, Value};
use millrace_nodes::{Description, NodeContext, NodeResult, NodeType, Output};

use crate::{BuiltIn, Catalog, Entry};

/// The built-in node types and the helper types.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithHelpers;

impl Catalog for WithHelpers {
    fn find(&self, name: &str) -> Option<Entry> {
        let helper = HELPERS.iter().find(|helper| helper.node_type.name == name);
        match helper {
            Some(helper) => Some(Entry { node_type: helper.node_type, description: &helper.description }),
            None => BuiltIn.find(name),
        }
    }
}

struct Helper {
    node_type: &'static NodeType,
    description: LazyLock<Description>,
}

static HELPERS: [Helper; 2] = [
    Helper { node_type: &TEST_DATA, description: LazyLock::new(|| described(&TEST_DATA)) },
    Helper { node_type: &VERSION_TEST, description: LazyLock::new(|| described(&VERSION_TEST)) },
];

fn described(node_type: &NodeType) -> Description {
    let document = Value::from_json(node_type.description).unwrap_or_default();
    Description::parse(&document.as_object().cloned().unwrap_or_default())
}

static TEST_DATA: NodeType = NodeType::pure(
    "n8n-nodes-testing.testData",
    r#"{"version": 1, "inputs": ["main"], "outputs": ["main"],
        "properties": [{"displayName": "Data", "name": "data", "type": "json", "default": "[]"}]}"#,
    emit_data,
);

static VERSION_TEST: NodeType = NodeType::pure(
    "n8n-nodes-base.versionTest",
    r#"{"version": [1, 2], "inputs": ["main"], "outputs": ["main"], "properties": [
        {"displayName": "Version", "name": "versionTest", "type": "number", "default": 1,
         "displayOptions": {"show": {"@version": [1]}}},
        {"displayName": "Version", "name": "versionTest", "type": "number", "default": 2,
         "displayOptions": {"show": {"@version": [2]}}}]}"#,
    tell_version,
);

/// Puts out the elements of a JSON list, whatever comes in.
fn emit_data(context: &mut NodeContext<'_>) -> NodeResult {
    let mut data = context.parameter("data", 0)?;
    if let Value::String(text) = &data {
        let parsed = Value::from_json(text);
        data = parsed.map_err(|error| ExecutionError::operation(format!("The data is not valid JSON: {error}")))?;
    }
    Ok(Output::items(match data {
        Value::Array(values) => values.iter().cloned().map(Item::new).collect(),
        other => vec![Item::new(other)],
    }))
}

fn tell_version(context: &mut NodeContext<'_>) -> NodeResult {
    let count = context.items().len();
    let tell = |item| {
        let parameter = context.parameter("versionTest", item)?;
        let node = Value::Number(context.version());
        Ok(Item::new(Object::from([("versionFromParameter", parameter), ("versionFromNode", node)])))
    };
    let items: Result<Vec<Item>, ExecutionError> = (0..count).map(tell).collect();
    Ok(Output { outputs: vec![Some(Arc::new(items?))], ..Output::default() })
}
