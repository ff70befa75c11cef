//! Can this workflow run, and where does it begin? Looks at the document and the kinds of its nodes only.

use millrace_model::{Node, NodeIndex, Problem, Workflow};

/// What begins a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Regular,
    /// Begins runs by itself or by hand.
    Trigger,
    /// Begins runs when called.
    Webhook,
    /// Not executed.
    Annotation,
}

/// Finds the kind of a node by its type; `None`: no such type.
pub trait NodeKinds {
    fn kind(&self, node: &Node) -> Option<Kind>;
}

impl<F: Fn(&Node) -> Option<Kind>> NodeKinds for F {
    fn kind(&self, node: &Node) -> Option<Kind> {
        self(node)
    }
}

/// Types that begin a run by hand although they wait to be called, in order of preference.
const BY_HAND: [&str; 5] =
    ["manualTrigger", "executeWorkflowTrigger", "errorTrigger", "evaluationTrigger", "formTrigger"];

/// All reasons why the workflow cannot run. A disabled node may be of any type.
pub fn validate(workflow: &Workflow, kinds: &impl NodeKinds) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut enabled, mut disabled) = (false, None);
    for (at, node) in workflow.nodes.iter().enumerate() {
        match kinds.kind(node) {
            Some(Kind::Trigger | Kind::Webhook) if node.disabled => {
                disabled.get_or_insert((at, node));
            }
            Some(Kind::Trigger | Kind::Webhook) => enabled = true,
            Some(Kind::Regular | Kind::Annotation) => {}
            None if node.disabled => {}
            None => {
                let message = format!("there is no node type \"{}\" (node \"{}\")", node.kind, node.name);
                problems.push(Problem::new(format!("/nodes/{at}/type"), "node.unknown_type", message));
            }
        }
    }
    match disabled {
        _ if enabled => {}
        Some((at, node)) => {
            let message =
                format!("every trigger is disabled, such as \"{}\": nothing can start the workflow", node.name);
            problems.push(Problem::new(format!("/nodes/{at}/disabled"), "workflow.trigger_disabled", message));
        }
        None => {
            let message = "the workflow has no trigger node: nothing can start it";
            problems.push(Problem::new("/nodes", "workflow.no_trigger", message));
        }
    }
    problems
}

/// The node that a run by hand begins with: the only node; else the first enabled trigger in the order of the document;
/// else the first enabled one of the types that can begin by hand; else the first enabled webhook.
pub fn choose_start(workflow: &Workflow, kinds: &impl NodeKinds) -> Option<NodeIndex> {
    let enabled = || workflow.nodes.iter().enumerate().filter(|(_, node)| !node.disabled);
    let of_kind = |kind| move |(_, node): &(usize, &Node)| kinds.kind(node) == Some(kind);
    let executable = |(_, node): &(usize, &Node)| kinds.kind(node) != Some(Kind::Annotation);
    let mut executables = workflow.nodes.iter().enumerate().filter(executable);
    if let (Some((only, _)), None) = (executables.next(), executables.next()) {
        return Some(NodeIndex(only));
    }
    let by_hand = || BY_HAND.iter().find_map(|name| enabled().find(|(_, node)| node.short_kind() == *name));
    let found =
        enabled().find(of_kind(Kind::Trigger)).or_else(by_hand).or_else(|| enabled().find(of_kind(Kind::Webhook)));
    found.map(|(at, _)| NodeIndex(at))
}

/// The node that a call by another workflow begins with.
pub fn choose_start_of_call(workflow: &Workflow) -> Option<NodeIndex> {
    let named = |name: &str| {
        let mut nodes = workflow.nodes.iter().enumerate();
        nodes.find(|(_, node)| !node.disabled && node.short_kind() == name).map(|(at, _)| NodeIndex(at))
    };
    named("executeWorkflowTrigger").or_else(|| named("workflowTrigger")).or_else(|| named("start"))
}
