//! Execution order v0: a node with several inputs makes the nodes before its other inputs run, even where no data
//! reaches them.

use std::sync::Arc;

use millrace_model::{Connection, Item, NodeIndex, Source, Workflow};

use crate::{Run, pending::Input};

impl Run {
    /// Called when the first items for a node with several inputs arrive, from `source`.
    pub(crate) fn force_other_inputs(&mut self, node: NodeIndex, source: Source, arrived_empty: bool) {
        let workflow = Arc::clone(&self.workflow);
        for (before, _) in workflow.connections.inputs(node).iter().flatten() {
            if *before == source.node || self.will_run_anyway(&workflow, *before, source) {
                continue;
            }
            let Some(first) = self.first_to_run(&workflow, *before, source.node) else { continue };
            if !self.may_run(first) {
                continue;
            }
            if arrived_empty && self.has_ancestor(first, |ancestor| ancestor == source.node) {
                continue;
            }
            if self.first_input_is_empty(&workflow, first, source.run) {
                let items = Arc::new(vec![Item::empty()]);
                let origin = Source { node: source.node, output: 0, run: 0 };
                self.push(first, Input::single(items, Some(origin)));
            }
        }
    }

    fn will_run_anyway(&self, workflow: &Workflow, node: NodeIndex, source: Source) -> bool {
        (leads_to(workflow, source.node, node) && !self.first_input_is_empty(workflow, node, source.run))
            || self.is_on_stack(node)
            || !self.data.of(node).is_empty()
    }

    /// The node to begin with so that `node` gets its input: the farthest one before it that has not run. `None` where
    /// a node on the way is about to run.
    fn first_to_run(&self, workflow: &Workflow, node: NodeIndex, parent: NodeIndex) -> Option<NodeIndex> {
        let mut first = node;
        for before in nearest_first(workflow, node) {
            if (before != node && leads_to(workflow, parent, before)) || self.is_on_stack(before) {
                return None;
            }
            if !self.data.of(before).is_empty() {
                break;
            }
            first = before;
        }
        Some(first)
    }

    /// Has nothing come (or can nothing come) to the first input of the node from a run with this index?
    fn first_input_is_empty(&self, workflow: &Workflow, node: NodeIndex, run: usize) -> bool {
        let sources = workflow.connections.to_input(node, 0);
        sources
            .iter()
            .all(|(source, output)| self.data.output(*source, run, *output).is_none_or(|items| items.is_empty()))
    }

    fn is_on_stack(&self, node: NodeIndex) -> bool {
        self.stack.iter().any(|(pending, _)| *pending == node)
    }
}

fn leads_to(workflow: &Workflow, from: NodeIndex, to: NodeIndex) -> bool {
    workflow.connections.outputs(from).iter().flatten().any(|Connection { node, .. }| *node == to)
}

/// The node, then the nodes before it, each followed by those before it (depth first, every node once).
fn nearest_first(workflow: &Workflow, node: NodeIndex) -> Vec<NodeIndex> {
    let mut seen = vec![false; workflow.nodes.len()];
    let (mut found, mut open) = (Vec::new(), vec![node]);
    while let Some(next) = open.pop() {
        if seen.get_mut(next.0).is_none_or(|seen| std::mem::replace(seen, true)) {
            continue;
        }
        found.push(next);
        open.extend(workflow.connections.inputs(next).iter().flatten().rev().map(|(source, _)| *source));
    }
    found
}
