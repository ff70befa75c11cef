//! What still has to run: the stack of nodes that have their input, and the nodes that wait for more of it.

use std::collections::VecDeque;

use millrace_model::{Items, NodeIndex, Source};

/// A node with its input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) items: Vec<Option<Items>>,
    pub(crate) source: Vec<Option<Source>>,
}

impl Input {
    pub(crate) fn single(items: Items, source: Option<Source>) -> Input {
        Input { items: vec![Some(items)], source: source.into_iter().map(Some).collect() }
    }

    /// Room for `inputs` inputs, none filled.
    fn open(inputs: usize) -> Input {
        Input { items: vec![None; inputs], source: vec![None; inputs] }
    }

    fn is_free(&self, input: usize) -> bool {
        self.items.get(input).is_none_or(Option::is_none)
    }

    fn fill(&mut self, input: usize, items: Items, source: Source) {
        if let (Some(place), Some(origin)) = (self.items.get_mut(input), self.source.get_mut(input)) {
            (*place, *origin) = (Some(items), Some(source));
        }
    }

    fn is_full(&self) -> bool {
        self.items.iter().all(Option::is_some)
    }

    pub(crate) fn has_items(&self) -> bool {
        self.items.iter().flatten().any(|items| !items.is_empty())
    }
}

/// Nodes with several inputs, some of which have got their items: by node in order of first arrival.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    nodes: Vec<(NodeIndex, VecDeque<Input>)>,
}

/// What an arrival leads to.
pub(crate) enum Arrival {
    /// All inputs are there.
    Ready(Input),
    /// More is needed; `first`: nothing of this node was waiting before.
    Waits { first: bool },
}

impl Waiting {
    /// Puts items into the oldest set of inputs of the node in which this input is free.
    pub(crate) fn arrive(
        &mut self,
        node: NodeIndex,
        inputs: usize,
        input: usize,
        items: Items,
        source: Source,
    ) -> Arrival {
        let known = self.nodes.iter().position(|(waiting, _)| *waiting == node);
        let at = known.unwrap_or_else(|| {
            self.nodes.push((node, VecDeque::new()));
            self.nodes.len() - 1
        });
        let Some((_, sets)) = self.nodes.get_mut(at) else { return Arrival::Waits { first: false } };
        let place = sets.iter().position(|set| set.is_free(input)).unwrap_or_else(|| {
            sets.push_back(Input::open(inputs));
            sets.len() - 1
        });
        let Some(set) = sets.get_mut(place) else { return Arrival::Waits { first: false } };
        set.fill(input, items, source);
        if !set.is_full() {
            return Arrival::Waits { first: known.is_none() };
        }
        let full = sets.remove(place).unwrap_or_default();
        if sets.is_empty() {
            self.nodes.remove(at);
        }
        Arrival::Ready(full)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(crate) fn contains(&self, node: NodeIndex) -> bool {
        self.nodes.iter().any(|(waiting, _)| *waiting == node)
    }

    /// Waiting nodes in order of first arrival, each with its oldest set of inputs.
    pub(crate) fn oldest(&self) -> impl Iterator<Item = (NodeIndex, &Input)> {
        self.nodes.iter().filter_map(|(node, sets)| Some((*node, sets.front()?)))
    }

    /// Takes out the oldest set of inputs of a node.
    pub(crate) fn take(&mut self, node: NodeIndex) -> Option<Input> {
        let at = self.nodes.iter().position(|(waiting, _)| *waiting == node)?;
        let (_, sets) = self.nodes.get_mut(at)?;
        let set = sets.pop_front();
        if sets.is_empty() {
            self.nodes.remove(at);
        }
        set
    }
}
