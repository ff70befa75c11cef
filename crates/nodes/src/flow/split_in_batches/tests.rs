//! Loop Over Items: several runs of the node in one run of a workflow.

use std::sync::Arc;

use millrace_expression::{Limits, NodeContexts, Sandbox};
use millrace_model::{Item, Items, NodeIndex, NodeRun, Object, RunData, Source, Value, Workflow};

use crate::testing::{World, globals, json, shown};
use crate::{NodeContext, Output, parameters, registry};

/// A workflow with a source and a loop, and what has run so far.
struct Run {
    workflow: Workflow,
    data: RunData,
    memory: Object,
}

const SOURCE: NodeIndex = NodeIndex(0);
const LOOP: NodeIndex = NodeIndex(1);

impl Run {
    fn new(version: f64, size: &str) -> Run {
        let document = format!(
            r#"{{"connections": {{}}, "nodes": [{{"name": "Source", "type": "n8n-nodes-base.noOp"}},
                {{"name": "Loop", "type": "n8n-nodes-base.splitInBatches", "typeVersion": {version}, "parameters": {{"batchSize": {size}}}}}]}}"#
        );
        Run { workflow: Workflow::parse(&json(&document)).unwrap(), data: RunData::default(), memory: Object::new() }
    }

    /// Runs the loop with items that the source just put out.
    fn step(&mut self, items: &str) -> Output {
        let items: Vec<Item> = json(items).as_array().unwrap().iter().map(Item::from_value).collect();
        let items: Items = Arc::new(items);
        let run = self.data.of(SOURCE).len();
        let outputs = Some(vec![Some(Arc::clone(&items))]);
        self.data.of_mut(SOURCE).push(NodeRun { outputs, ..NodeRun::default() });
        let source = [Some(Source { node: SOURCE, output: 0, run })];
        let node_type = registry::find("n8n-nodes-base.splitInBatches").unwrap();
        let parameters = parameters::with_defaults(registry::description(node_type), self.workflow.node(LOOP));
        let mut context = NodeContext {
            workflow: &self.workflow,
            run_data: &self.data,
            index: LOOP,
            inputs: &[Some(items)],
            source: &source,
            run_index: self.data.of(LOOP).len(),
            parameters: &parameters,
            contexts: &NodeContexts::default(),
            memory: &mut self.memory,
            static_data: &mut Object::new(),
            globals: &globals(),
            sandbox: &mut Sandbox::new(Limits::default()),
            host: &World::default(),
        };
        let output = super::execute(&mut context).unwrap();
        self.data.of_mut(LOOP).push(NodeRun { source: source.to_vec(), ..NodeRun::default() });
        output
    }

    fn remembered(&self, key: &str) -> Value {
        self.memory.get(key).cloned().unwrap_or_default()
    }
}

#[test]
fn goes_round_and_gives_back_what_came_round() {
    let mut run = Run::new(3.0, "2");
    let first = run.step(r#"[{"n": 1}, {"n": 2}, {"n": 3}]"#);
    assert_eq!((shown(&first, 0).as_str(), shown(&first, 1).as_str()), ("[]", r#"[{"n":1},{"n":2}]"#));
    assert_eq!((run.remembered("currentRunIndex"), run.remembered("maxRunIndex")), (0.into(), 2.into()));
    assert_eq!(run.remembered("noItemsLeft"), false.into());
    let second = run.step(r#"[{"m": 1}, {"m": 2}]"#);
    assert_eq!((shown(&second, 0).as_str(), shown(&second, 1).as_str()), ("[]", r#"[{"n":3}]"#));
    assert_eq!(run.remembered("noItemsLeft"), true.into());
    let last = run.step(r#"[{"m": 3}]"#);
    assert_eq!((shown(&last, 0).as_str(), shown(&last, 1).as_str()), (r#"[{"m":1},{"m":2},{"m":3}]"#, "[]"));
    let link = last.outputs[0].as_ref().unwrap()[2].paired_item.clone().unwrap().refs().remove(0);
    assert_eq!(link.source_overwrite.unwrap().get("previousNodeRun"), Some(&2.into()));
}

#[test]
fn places_its_outputs_by_version() {
    let mut second = Run::new(2.0, "5");
    assert_eq!(shown(&second.step(r#"[{"n": 1}]"#), 0), r#"[{"n":1}]"#);
    assert_eq!(shown(&second.step(r#"[{"m": 1}]"#), 1), r#"[{"m":1}]"#);
    let mut first = Run::new(1.0, "1");
    assert_eq!(first.step(r#"[{"n": 1}]"#).outputs.len(), 1);
    assert!(first.step(r#"[{"m": 1}]"#).outputs.is_empty());
}

#[test]
fn is_done_at_once_without_items() {
    let mut run = Run::new(3.0, "1");
    let output = run.step("[]");
    assert_eq!((shown(&output, 0).as_str(), shown(&output, 1).as_str()), ("[]", "[]"));
    assert_eq!(run.remembered("done"), true.into());
}

#[test]
fn refuses_batches_of_nothing() {
    for size in ["0", "-1", "1.5", "\"many\""] {
        let parameters = format!(r#"{{"batchSize": {size}}}"#);
        let error = crate::testing::trial("splitInBatches").parameters(&parameters).fails();
        assert_eq!(error.message, "The batch size must be a whole number of at least 1", "{size}");
    }
}

#[test]
fn loops_over_items_without_a_source() {
    let output = crate::testing::trial("splitInBatches").input(r#"[{"n": 1}, {"n": 2}]"#).output();
    assert_eq!(shown(&output, 1), r#"[{"n":1}]"#);
}
