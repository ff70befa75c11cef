//! Where the items of a finished node go: onto the stack, or into the inputs of nodes that wait for more.

use std::sync::Arc;

use millrace_model::{Connection, ExecutionOrder, Items, NodeIndex, Source, Workflow};

use crate::{
    Required, Run,
    pending::{Arrival, Input},
};

impl Run {
    pub(crate) fn is_legacy(&self) -> bool {
        self.workflow.settings.execution_order == ExecutionOrder::V0
    }

    /// Hands the outputs of a node run on. Outputs without items end their branch; in the legacy order they still count
    /// as "arrived, empty" for every input but the first.
    pub(crate) fn follow(&mut self, node: NodeIndex, run: usize) {
        if self.is_destination(node) {
            return;
        }
        let workflow = Arc::clone(&self.workflow);
        let legacy = self.is_legacy();
        let mut targets: Vec<(&Connection, usize, Items)> = Vec::new();
        for (output, connections) in workflow.connections.outputs(node).iter().enumerate() {
            let Some(items) = self.data.output(node, run, output) else { continue };
            let followed = |target: &&Connection| !items.is_empty() || (legacy && target.input > 0);
            targets.extend(connections.iter().filter(followed).map(|target| (target, output, Arc::clone(items))));
        }
        if !legacy && targets.len() > 1 {
            sort_last_first(&workflow, &mut targets);
        }
        for (target, output, items) in targets {
            self.deliver(target, items, Source { node, output, run });
        }
    }

    fn deliver(&mut self, target: &Connection, items: Items, source: Source) {
        if !self.may_run(target.node) {
            return;
        }
        let inputs = self.workflow.connections.inputs(target.node).len();
        if inputs <= 1 {
            self.push(target.node, Input::single(items, Some(source)));
            return;
        }
        let is_empty = items.is_empty();
        match self.waiting.arrive(target.node, inputs, target.input, items, source) {
            Arrival::Ready(input) => self.push(target.node, input),
            Arrival::Waits { first } => {
                if first && self.is_legacy() {
                    self.force_other_inputs(target.node, source, is_empty);
                }
            }
        }
    }

    /// Depth first: what was found last runs next. Breadth first: in turn.
    pub(crate) fn push(&mut self, node: NodeIndex, input: Input) {
        if self.is_legacy() { self.stack.push_back((node, input)) } else { self.stack.push_front((node, input)) }
    }

    /// When nothing else is left to run: lets one node go on that waits for inputs which will never come.
    pub(crate) fn release(&mut self) {
        while self.stack.is_empty() && !self.waiting.is_empty() {
            let found = self.waiting.oldest().find(|(node, input)| self.may_run_with(*node, input));
            let Some((node, _)) = found else { return };
            let Some(mut input) = self.waiting.take(node) else { return };
            if !input.has_items() {
                continue;
            }
            let inputs = self.facts.of(node).inputs.max(input.items.len());
            input.items.resize(inputs, None);
            for items in &mut input.items {
                items.get_or_insert_default();
            }
            self.stack.push_back((node, input));
        }
    }

    /// Are the inputs a node cannot do without there, and is nothing before it still waiting?
    fn may_run_with(&self, node: NodeIndex, input: &Input) -> bool {
        let facts = self.facts.of(node);
        let arrived = |at: &usize| input.items.get(*at).is_some_and(Option::is_some);
        let enough = match &facts.required {
            _ if self.is_legacy() => true,
            Required::Unsaid => true,
            Required::Count(count) => *count != facts.inputs && input.items.iter().flatten().count() >= *count,
            Required::Inputs(inputs) => inputs.len() != facts.inputs && inputs.iter().all(arrived),
        };
        enough && !self.has_ancestor(node, |ancestor| self.waiting.contains(ancestor))
    }

    /// Is there a node before this one, at any distance, for which `test` holds?
    pub(crate) fn has_ancestor(&self, node: NodeIndex, test: impl Fn(NodeIndex) -> bool) -> bool {
        let mut seen = vec![false; self.workflow.nodes.len()];
        let mut open = vec![node];
        if let Some(seen) = seen.get_mut(node.0) {
            *seen = true;
        }
        while let Some(next) = open.pop() {
            for (source, _) in self.workflow.connections.inputs(next).iter().flatten() {
                let known = seen.get_mut(source.0).is_none_or(|seen| std::mem::replace(seen, true));
                if known {
                    continue;
                }
                if test(*source) {
                    return true;
                }
                open.push(*source);
            }
        }
        false
    }
}

/// Lowest first and, at one height, rightmost first, so that the topmost, leftmost ends up in front of the stack.
fn sort_last_first(workflow: &Workflow, targets: &mut [(&Connection, usize, Items)]) {
    let position = |target: &Connection| workflow.node(target.node).position;
    targets.sort_by(|(one, ..), (other, ..)| {
        let (one, other) = (position(one), position(other));
        other.1.total_cmp(&one.1).then(other.0.total_cmp(&one.0))
    });
}
