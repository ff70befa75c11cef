//! The workflow model: nodes, connections, settings. Parsed in `workflow_parse`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Item, Items, Object, Str, Value};

/// Position of a node in [`Workflow::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIndex(pub usize);

/// A workflow, ready to be validated and run. The document it came from is kept by whoever stores it.
#[derive(Clone, Debug, Default)]
pub struct Workflow {
    pub id: Str,
    pub name: Str,
    pub active: bool,
    pub nodes: Vec<Node>,
    pub connections: Connections,
    pub settings: Settings,
    /// Items fixed by the editor, by node name.
    pub pin_data: FxHashMap<Str, Items>,
    pub static_data: Object,
    pub(crate) by_name: FxHashMap<Str, NodeIndex>,
}

impl Workflow {
    pub fn node(&self, index: NodeIndex) -> &Node {
        match self.nodes.get(index.0) {
            Some(node) => node,
            None => unreachable!("a NodeIndex is only made by the workflow it belongs to"),
        }
    }

    pub fn find(&self, name: &str) -> Option<NodeIndex> {
        self.by_name.get(name).copied()
    }

    pub fn indices(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        (0..self.nodes.len()).map(NodeIndex)
    }
}

/// One node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub id: Str,
    pub name: Str,
    /// Full type name, such as `n8n-nodes-base.set`.
    pub kind: Str,
    pub version: f64,
    /// As written: expressions unresolved, defaults left out.
    pub parameters: Object,
    /// With the type's defaults, once the types are known; `None` before that.
    pub with_defaults: Option<Object>,
    /// Credential type to `{id, name}`.
    pub credentials: Object,
    /// x (right) and y (down) in the editor.
    pub position: (f64, f64),
    pub disabled: bool,
    pub on_error: ErrorPolicy,
    pub retry_on_fail: bool,
    /// 2 to 5; 3 by default.
    pub max_tries: u32,
    /// Milliseconds, 0 to 5,000; 1,000 by default.
    pub wait_between_tries: u64,
    pub execute_once: bool,
    pub always_output_data: bool,
    pub webhook_id: Option<Str>,
    /// The whole node as written, for expressions that read it.
    pub document: Object,
}

impl Node {
    /// Parameters as expressions see them (`$parameter`, `$('Node').params`): defaults filled in, expressions as written.
    pub fn shown_parameters(&self) -> &Object {
        self.with_defaults.as_ref().unwrap_or(&self.parameters)
    }
}

/// What a failing node does to the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorPolicy {
    #[default]
    Stop,
    /// The failed item goes on with an `error` field on the regular output.
    ContinueRegular,
    /// Failed items go to an extra last output.
    ContinueError,
}

/// Where an output leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub node: NodeIndex,
    /// Input index at the target.
    pub input: usize,
}

/// Edges by source node, type and output.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// `main` edges: source node, then output.
    pub(crate) outgoing: Vec<Vec<Vec<Connection>>>,
    /// `main` edges backwards: target node, then input.
    pub(crate) incoming: Vec<Vec<Vec<(NodeIndex, usize)>>>,
    /// Edges of other types (`ai_tool`, `ai_languageModel`, …): type, source, target, input.
    pub other: Vec<(Str, NodeIndex, Connection)>,
    /// The document has a member for them, be it empty.
    pub is_written: bool,
}

impl Connections {
    /// Targets of an output, in the order written.
    pub fn from_output(&self, node: NodeIndex, output: usize) -> &[Connection] {
        self.outgoing.get(node.0).and_then(|outputs| outputs.get(output)).map_or(&[], Vec::as_slice)
    }

    /// Targets of all outputs.
    pub fn outputs(&self, node: NodeIndex) -> &[Vec<Connection>] {
        self.outgoing.get(node.0).map_or(&[], Vec::as_slice)
    }

    /// (source node, output) pairs that lead to an input.
    pub fn to_input(&self, node: NodeIndex, input: usize) -> &[(NodeIndex, usize)] {
        self.incoming.get(node.0).and_then(|inputs| inputs.get(input)).map_or(&[], Vec::as_slice)
    }

    /// Are there none, of any type?
    pub fn is_empty(&self) -> bool {
        self.other.is_empty() && self.outgoing.iter().flatten().all(Vec::is_empty)
    }

    /// (source node, output) pairs of all inputs.
    pub fn inputs(&self, node: NodeIndex) -> &[Vec<(NodeIndex, usize)>] {
        self.incoming.get(node.0).map_or(&[], Vec::as_slice)
    }
}

/// Settings of a workflow; absent ones are `None`, the host's defaults then apply.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub execution_order: ExecutionOrder,
    /// IANA name.
    pub timezone: Option<Str>,
    /// Seconds; `None` or a negative number: the host's limit.
    pub execution_timeout: Option<f64>,
    /// Workflow that runs when this one fails.
    pub error_workflow: Option<Str>,
    pub save_data_success: Option<bool>,
    pub save_data_error: Option<bool>,
    pub save_manual: Option<bool>,
    /// `any`, `none`, `workflowsFromSameOwner`, `workflowsFromAList`.
    pub caller_policy: Option<Str>,
    /// The whole settings object as written.
    pub document: Object,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutionOrder {
    /// Breadth first, n8n's behaviour before 1.0 and for workflows that do not say otherwise.
    #[default]
    V0,
    /// Depth first, siblings by position.
    V1,
}

impl Node {
    /// A parameter as written, by dotted path.
    pub fn raw_parameter(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let value = self.parameters.get(first)?;
        rest.map_or(Some(value), |rest| value.pointer(rest))
    }

    /// Type name without its package: `set` of `n8n-nodes-base.set`.
    pub fn short_kind(&self) -> &str {
        self.kind.rsplit_once('.').map_or(self.kind.as_str(), |(_, short)| short)
    }
}

impl Workflow {
    /// Pins items to a node, as the editor does.
    pub fn pin(&mut self, node: &str, items: Vec<Item>) {
        self.pin_data.insert(node.into(), Arc::new(items));
    }
}
