//! Runs that do not do everything: they take what nodes did in an earlier run as it was, and may end at a node ("execute
//! step", "retry from the failed node").

use millrace_model::{NodeIndex, RunData, Workflow};

/// The node that hands its items out in batches: not done before it has put something out at "done".
const LOOP: &str = "splitInBatches";

/// What is known already, and where the run ends before its time.
#[derive(Clone, Debug, Default)]
pub struct Partial {
    /// In place of being executed, a node puts out what it did in its run with the same index here.
    pub(crate) given: RunData,
    /// The last node to be executed, once; only it and the nodes before it run.
    pub(crate) destination: Option<NodeIndex>,
    /// Whether each node may run.
    within: Vec<bool>,
}

impl Partial {
    /// Of the earlier runs those are taken that still hold. Not taken are those of the destination, of `dirty` nodes, of
    /// nodes that failed, of loops that were not done, and of everything behind them and behind nodes that have data
    /// waiting and never ran. What is pinned holds in any case.
    pub fn new(
        workflow: &Workflow,
        earlier: RunData,
        destination: Option<NodeIndex>,
        dirty: impl Fn(NodeIndex) -> bool,
    ) -> Partial {
        let again = again(workflow, &earlier, |node| destination == Some(node) || dirty(node));
        let mut given = RunData::default();
        for (node, runs) in earlier.iter() {
            if !again.get(node.0).copied().unwrap_or(true) {
                *given.of_mut(node) = runs.to_vec();
            }
        }
        Partial { given, destination, within: within(workflow, destination) }
    }

    pub(crate) fn may_run(&self, node: NodeIndex) -> bool {
        self.within.get(node.0).copied().unwrap_or(false)
    }
}

/// The destination and the nodes before it, at any distance; without one all nodes.
fn within(workflow: &Workflow, destination: Option<NodeIndex>) -> Vec<bool> {
    let Some(destination) = destination else { return vec![true; workflow.nodes.len()] };
    reached(workflow, [destination], |node, next| {
        next.extend(workflow.connections.inputs(node).iter().flatten().map(|(source, _)| *source));
    })
}

/// Nodes whose earlier runs do not hold.
fn again(workflow: &Workflow, earlier: &RunData, dirty: impl Fn(NodeIndex) -> bool) -> Vec<bool> {
    let is_pinned = |node| workflow.pin_data.contains_key(&workflow.node(node).name);
    let begin = workflow.indices().filter(|node| {
        !is_pinned(*node) && (dirty(*node) || has_failed(workflow, earlier, *node) || waits(workflow, earlier, *node))
    });
    reached(workflow, begin, |node, next| {
        let targets = workflow.connections.outputs(node).iter().flatten().map(|target| target.node);
        next.extend(targets.filter(|target| !is_pinned(*target)));
    })
}

fn has_failed(workflow: &Workflow, earlier: &RunData, node: NodeIndex) -> bool {
    earlier.of(node).last().is_some_and(|last| {
        let done = last.outputs.iter().flatten().next().and_then(Option::as_ref);
        let is_under_way = workflow.node(node).short_kind() == LOOP && done.is_none_or(|items| items.is_empty());
        last.error.is_some() || last.outputs.is_none() || is_under_way
    })
}

/// Did a node put something out for this one, which never ran?
fn waits(workflow: &Workflow, earlier: &RunData, node: NodeIndex) -> bool {
    let has_items = |source: NodeIndex, output: usize| {
        let pins = workflow.pin_data.get(&workflow.node(source).name);
        let pinned = pins.is_some_and(|items| output == 0 && !items.is_empty());
        let mut runs = (0..earlier.of(source).len()).map(|run| earlier.output(source, run, output));
        pinned || runs.any(|items| items.is_some_and(|items| !items.is_empty()))
    };
    let mut sources = workflow.connections.inputs(node).iter().flatten();
    earlier.of(node).is_empty() && sources.any(|(source, output)| has_items(*source, *output))
}

/// The nodes to begin with, and those that `next` leads to from them.
fn reached(
    workflow: &Workflow,
    begin: impl IntoIterator<Item = NodeIndex>,
    next: impl Fn(NodeIndex, &mut Vec<NodeIndex>),
) -> Vec<bool> {
    let mut seen = vec![false; workflow.nodes.len()];
    let mut open: Vec<NodeIndex> = begin.into_iter().collect();
    while let Some(node) = open.pop() {
        if seen.get_mut(node.0).is_some_and(|seen| !std::mem::replace(seen, true)) {
            next(node, &mut open);
        }
    }
    seen
}
