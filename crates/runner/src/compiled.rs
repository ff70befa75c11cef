//! A workflow made ready to run, once: its node types, their parameters with defaults, their ports. Shared by any
//! number of executions and threads.

use std::sync::Arc;

use millrace_engine::{Facts, Kind, NodeFacts, Required, choose_start, validate};
use millrace_expression::{Path, Template};
use millrace_model::{Connection, Node, NodeIndex, Object, Problem, Value, Workflow};
use millrace_nodes::{
    Behaviour, InferredConnection, NodeType, Ports, RequiredInputs, Role, inferred_connections, parameters,
};

use crate::Catalog;

/// See the module.
#[derive(Debug)]
pub struct Compiled {
    workflow: Arc<Workflow>,
    facts: Arc<Facts>,
    nodes: Vec<CompiledNode>,
}

/// One node of a compiled workflow.
#[derive(Debug, Default)]
pub struct CompiledNode {
    /// `None`: there is no such type; executing the node fails.
    pub node_type: Option<&'static NodeType>,
    /// Parameters with the type's defaults; expressions unresolved.
    pub parameters: Object,
    /// Executing it may run JavaScript (its own script, or an expression of its parameters) or take long otherwise.
    pub runs_scripts: bool,
}

impl Compiled {
    /// Never fails: a node of an unknown type fails when it is its turn, as do wrong parameters.
    pub fn new(workflow: Arc<Workflow>, catalog: &dyn Catalog) -> Compiled {
        let mut workflow = connected(workflow);
        let mut ports = Vec::with_capacity(workflow.nodes.len());
        let compile = |node: &Node| match catalog.find(&node.kind) {
            Some(found) => {
                let parameters = parameters::with_defaults(found.description, node);
                ports.push(node_facts(found.node_type, found.ports(node, &parameters)));
                let is_script = matches!(found.node_type.behaviour, Behaviour::Script(_));
                let takes_long = found.node_type.takes_long.is_some_and(|takes_long| takes_long(&parameters));
                let runs_scripts = is_script || takes_long || parameters.values().any(needs_javascript);
                CompiledNode { node_type: Some(found.node_type), parameters, runs_scripts }
            }
            None => {
                ports.push(NodeFacts::default());
                CompiledNode { node_type: None, parameters: node.parameters.clone(), runs_scripts: false }
            }
        };
        let nodes: Vec<CompiledNode> = workflow.nodes.iter().map(compile).collect();
        for (node, compiled) in Arc::make_mut(&mut workflow).nodes.iter_mut().zip(&nodes) {
            node.with_defaults = Some(compiled.parameters.clone());
        }
        let mut ports = ports.into_iter();
        let facts = Arc::new(Facts::new(&workflow, |_| ports.next().unwrap_or_default()));
        Compiled { workflow, facts, nodes }
    }

    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    pub fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    pub fn node(&self, index: NodeIndex) -> &CompiledNode {
        match self.nodes.get(index.0) {
            Some(node) => node,
            None => unreachable!("a NodeIndex is only made by the workflow it belongs to"),
        }
    }

    /// The node a run by hand begins with.
    pub fn start(&self) -> Option<NodeIndex> {
        choose_start(&self.workflow, &|node: &Node| self.kind(node))
    }

    /// The node a run asked for from outside begins with: as by hand; without a trigger the first that nothing leads to.
    pub fn entry(&self) -> Option<NodeIndex> {
        let begins = |index: &NodeIndex| {
            let node = self.workflow.node(*index);
            let is_first = self.workflow.connections.inputs(*index).iter().all(Vec::is_empty);
            is_first && !node.disabled && self.kind(node) == Some(Kind::Regular)
        };
        self.start().or_else(|| self.workflow.indices().find(begins))
    }

    /// All reasons why the workflow cannot run.
    pub fn problems(&self) -> Vec<Problem> {
        validate(&self.workflow, &|node: &Node| self.kind(node))
    }

    fn kind(&self, node: &Node) -> Option<Kind> {
        let compiled = self.workflow.find(&node.name).map(|index| self.node(index))?;
        Some(match compiled.node_type?.role {
            Role::Regular => Kind::Regular,
            Role::Trigger => Kind::Trigger,
            Role::Webhook => Kind::Webhook,
            Role::Annotation => Kind::Annotation,
        })
    }
}

/// The workflow with the connections it is meant to have, where its document names none.
fn connected(workflow: Arc<Workflow>) -> Arc<Workflow> {
    let inferred = inferred_connections(&workflow);
    if inferred.is_empty() {
        return workflow;
    }
    let mut workflow = Arc::unwrap_or_clone(workflow);
    for InferredConnection { source, output, target, input } in inferred {
        workflow.connections.connect(source, output, Connection { node: target, input });
    }
    Arc::new(workflow)
}

fn node_facts(node_type: &NodeType, ports: Ports) -> NodeFacts {
    NodeFacts {
        inputs: ports.inputs,
        outputs: ports.outputs,
        required: match ports.required {
            RequiredInputs::Unstated => Required::Unsaid,
            RequiredInputs::AtLeast(count) => Required::Count(count),
            RequiredInputs::These(inputs) => Required::Inputs(inputs),
        },
        begins_runs: matches!(node_type.role, Role::Trigger | Role::Webhook),
    }
}

/// Is there an expression in this value that takes the way through JavaScript?
fn needs_javascript(value: &Value) -> bool {
    match value {
        Value::String(text) if text.starts_with('=') => {
            matches!(Template::compile(text).explain(), Path::JavaScript { .. })
        }
        Value::Array(values) => values.iter().any(needs_javascript),
        Value::Object(object) => object.values().any(needs_javascript),
        _ => false,
    }
}
