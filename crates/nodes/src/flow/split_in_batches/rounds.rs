//! Which items of a loop have gone round, as the node remembers it between its runs.

use millrace_model::{Item, Items, NodeIndex, Object, PairedItem, PairedRef, Source, Value, to_index};

use crate::NodeContext;

/// The state of a loop.
pub(super) struct Rounds {
    /// Run of this node in which the loop began.
    first_run: usize,
    /// Rounds begun so far, from 0.
    current: usize,
    most: usize,
    /// Items put out so far.
    taken: usize,
    total: usize,
    source: Origin,
}

/// Where the items to loop over are kept.
enum Origin {
    /// An output in the record of the run.
    Output(Source),
    /// Nowhere else (the loop is the first node of its run): in the memory itself.
    Memory(Value),
}

impl Rounds {
    /// Begins a loop over the items at hand.
    pub(super) fn first(context: &NodeContext<'_>, size: usize) -> Rounds {
        let total = context.items().len();
        let source = match context.source.first().copied().flatten() {
            Some(source) => Origin::Output(source),
            None => Origin::Memory(Value::array(context.items().iter().map(|item| item.json.clone()))),
        };
        Rounds { first_run: context.run_index, current: 0, most: total.div_ceil(size), taken: 0, total, source }
    }

    /// The loop as it was left; `None` when none is under way.
    pub(super) fn recall(context: &NodeContext<'_>) -> Option<Rounds> {
        let memory = &*context.memory;
        let number = |key: &str| memory.get(key).and_then(Value::as_f64).and_then(to_index);
        let source = match memory.get("items") {
            Some(items) => Origin::Memory(items.clone()),
            None => {
                let source = memory.get("sourceData")?;
                let at = |key: &str| source.get(key).and_then(Value::as_f64).and_then(to_index);
                let node = source.get("previousNode").and_then(Value::as_str)?;
                Origin::Output(Source {
                    node: context.workflow.find(node)?,
                    output: at("previousNodeOutput").unwrap_or(0),
                    run: at("previousNodeRun").unwrap_or(0),
                })
            }
        };
        Some(Rounds {
            first_run: number("firstRunIndex")?,
            current: number("currentRunIndex")?,
            most: number("maxRunIndex")?,
            taken: number("taken")?,
            total: number("total")?,
            source,
        })
    }

    /// The next round.
    pub(super) fn again(mut self) -> Rounds {
        self.current += 1;
        self
    }

    /// The next items; none when all went round.
    pub(super) fn take(&mut self, context: &NodeContext<'_>, size: usize) -> Vec<Item> {
        let end = self.taken.saturating_add(size).min(self.total);
        let range = self.taken..end;
        self.taken = end;
        let overwrite = (self.current > 0).then(|| self.source_value(context)).flatten();
        let link =
            |at: usize| Some(PairedItem::One(PairedRef { source_overwrite: overwrite.clone(), ..PairedRef::item(at) }));
        match &self.source {
            Origin::Memory(values) => {
                let values = values.as_array().and_then(|values| values.get(range.clone())).unwrap_or_default();
                range.zip(values).map(|(at, json)| Item { paired_item: link(at), ..Item::new(json.clone()) }).collect()
            }
            Origin::Output(source) => {
                let items = context.run_data.output(source.node, source.run, source.output);
                let items = items.and_then(|items| items.get(range.clone())).unwrap_or_default();
                range.zip(items).map(|(at, item)| Item { paired_item: link(at), ..item.clone() }).collect()
            }
        }
    }

    /// Writes the state down for the next run of the node and for expressions (`$('Loop').context`).
    pub(super) fn remember(&self, context: &mut NodeContext<'_>, done: bool) {
        let mut memory = Object::from([
            ("firstRunIndex", self.first_run.into()),
            ("currentRunIndex", self.current.into()),
            ("maxRunIndex", self.most.into()),
            ("taken", self.taken.into()),
            ("total", self.total.into()),
            ("noItemsLeft", (self.taken >= self.total).into()),
            ("done", done.into()),
        ]);
        if let Origin::Memory(items) = &self.source {
            memory.insert("items", items.clone());
        }
        memory.insert("sourceData", self.source_value(context));
        *context.memory = memory;
    }

    /// All items that came back from the rounds, each linked to the output it came from.
    pub(super) fn processed(&self, context: &NodeContext<'_>) -> Items {
        let mut found = Vec::new();
        let earlier = context.run_data.of(context.index).iter().skip(self.first_run + 1);
        for run in earlier.take(context.run_index.saturating_sub(self.first_run + 1)) {
            if let Some(source) = run.source.first().copied().flatten() {
                append(&mut found, context, source);
            }
        }
        if context.run_index > self.first_run
            && let Some(source) = context.source.first().copied().flatten()
        {
            append(&mut found, context, source);
        }
        found.into()
    }

    fn source_value(&self, context: &NodeContext<'_>) -> Option<Value> {
        match &self.source {
            Origin::Output(source) => Some(document(context, *source)),
            Origin::Memory(_) => None,
        }
    }
}

fn append(found: &mut Vec<Item>, context: &NodeContext<'_>, source: Source) {
    let Some(items) = context.run_data.output(source.node, source.run, source.output) else { return };
    let overwrite = document(context, source);
    let kept = if context.node().execute_once { 1 } else { items.len() };
    found.extend(items.iter().take(kept).enumerate().map(|(at, item)| {
        let link = PairedRef { source_overwrite: Some(overwrite.clone()), ..PairedRef::item(at) };
        Item { paired_item: Some(PairedItem::One(link)), ..item.clone() }
    }));
}

/// A source as n8n writes it in item links.
fn document(context: &NodeContext<'_>, source: Source) -> Value {
    let name = |node: NodeIndex| context.workflow.node(node).name.clone();
    Object::from([
        ("previousNode", name(source.node).into()),
        ("previousNodeOutput", source.output.into()),
        ("previousNodeRun", source.run.into()),
    ])
    .into()
}
