//! Tables of expressions and scripts over small runs made for them.

mod escapes;
mod hostile;
mod observed;
mod pairing;
mod proxies;
mod reuse;
mod scripts;
mod sorting;
mod templates;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use millrace_model::{ExecutionError, Items, NodeIndex, NodeRun, Object, RunData, Source, Value, Workflow, items_of};

use crate::sandbox::Form;
use crate::{Clock, Globals, Limits, NodeContexts, Path, Sandbox, Scope, Template};

/// A run to evaluate in: a workflow, what its nodes gave, and the current node's place.
pub(super) struct World {
    pub(super) workflow: Workflow,
    pub(super) run_data: RunData,
    pub(super) node: NodeIndex,
    pub(super) inputs: Vec<Option<Items>>,
    pub(super) source: Vec<Option<Source>>,
    pub(super) item: usize,
    pub(super) run: usize,
    pub(super) contexts: NodeContexts,
    pub(super) globals: Globals,
    pub(super) sandbox: Sandbox,
}

impl World {
    /// A workflow of `(name, successors)`; an entry in `successors` is `node` or `node@input`, one list per output.
    pub(super) fn new(nodes: &[(&str, &[&[&str]])]) -> World {
        let documents = nodes.iter().map(|(name, _)| {
            json(&format!(r#"{{"name":"{name}","type":"n8n-nodes-base.set","typeVersion":2,"id":"id-{name}","position":[0,0],"parameters":{{}}}}"#))
        });
        let mut connections = Object::new();
        for (name, outputs) in nodes {
            let outputs = outputs.iter().map(|targets| {
                Value::array(targets.iter().map(|target| {
                    let (node, input) = target.split_once('@').unwrap_or((target, "0"));
                    json(&format!(r#"{{"node":"{node}","type":"main","index":{input}}}"#))
                }))
            });
            connections.insert(*name, Object::from([("main", Value::array(outputs))]));
        }
        let document = Value::Object(Object::from([
            ("id", "w1".into()),
            ("name", "test flow".into()),
            ("nodes", Value::array(documents)),
            ("connections", connections.into()),
        ]));
        World {
            workflow: Workflow::parse(&document).unwrap(),
            run_data: RunData::default(),
            node: NodeIndex(0),
            inputs: vec![],
            source: vec![],
            item: 0,
            run: 0,
            contexts: NodeContexts::default(),
            globals: globals(),
            sandbox: Sandbox::new(Limits::default()),
        }
    }

    /// One node with these items as input.
    pub(super) fn of_items(items: &str) -> World {
        let mut world = World::new(&[("Start", &[&["Here"]]), ("Here", &[])]);
        world.ran("Start", None, &[items]);
        world.at("Here", "Start", 0)
    }

    /// Records a run of a node: where its first input came from, and its outputs as JSON lists of items.
    pub(super) fn ran(&mut self, node: &str, from: Option<&str>, outputs: &[&str]) {
        let sources: Vec<_> = from.map(|from| (from, 0)).into_iter().map(Some).collect();
        self.ran_from(node, &sources, outputs);
    }

    /// The same with a source for each input, as (node, output).
    pub(super) fn ran_from(&mut self, node: &str, sources: &[Option<(&str, usize)>], outputs: &[&str]) {
        let node = self.workflow.find(node).unwrap();
        let source = sources.iter().map(|source| source.map(|(from, output)| self.source_of(from, output))).collect();
        let outputs = outputs.iter().map(|items| Some(items_from(items))).collect();
        self.run_data.of_mut(node).push(NodeRun { source, outputs: Some(outputs), ..NodeRun::default() });
    }

    fn source_of(&self, from: &str, output: usize) -> Source {
        let node = self.workflow.find(from).unwrap();
        Source { node, output, run: self.run_data.of(node).len().saturating_sub(1) }
    }

    /// Stands at a node whose input is an output of the last run of another.
    pub(super) fn at(mut self, node: &str, from: &str, output: usize) -> World {
        let source = self.source_of(from, output);
        self.node = self.workflow.find(node).unwrap();
        self.inputs = vec![self.run_data.output(source.node, source.run, source.output).cloned()];
        self.source = vec![Some(source)];
        self
    }

    /// Evaluates by the path that is taken and, where that is not the engine, by the engine too: both must agree.
    #[track_caller]
    pub(super) fn evaluate(&mut self, text: &str) -> Result<Value, ExecutionError> {
        let template = Template::compile(text);
        let result = self.with(|sandbox, scope| sandbox.evaluate(&template, scope));
        if !matches!(template.explain(), Path::JavaScript { .. }) {
            let by_engine = self.with(|sandbox, scope| sandbox.evaluate_in_engine(&template, scope, Form::default()));
            let shown = |result: &Result<Value, ExecutionError>| match result {
                Ok(value) => format!("{} {}", value.kind(), value.to_json()),
                Err(error) => error.message.to_string(),
            };
            assert_eq!(shown(&result), shown(&by_engine), "{text}");
        }
        result
    }

    pub(super) fn with<R>(&mut self, act: impl FnOnce(&mut Sandbox, &Scope<'_>) -> R) -> R {
        let scope = Scope {
            workflow: &self.workflow,
            run_data: &self.run_data,
            node: self.node,
            inputs: &self.inputs,
            source: &self.source,
            run_index: self.run,
            item_index: self.item,
            contexts: &self.contexts,
            globals: &self.globals,
        };
        act(&mut self.sandbox, &scope)
    }

    /// Checks a table of templates and their values as JSON (`undefined` for undefined).
    #[track_caller]
    pub(super) fn gives(&mut self, table: &[(&str, &str)]) {
        for (text, expected) in table {
            match self.evaluate(text) {
                Ok(value) if value.is_undefined() => assert_eq!("undefined", *expected, "{text}"),
                Ok(value) => assert_eq!(value.to_json(), *expected, "{text}"),
                Err(error) => panic!("{text}: {error}"),
            }
        }
    }

    /// Checks a table of templates and the messages of their errors.
    #[track_caller]
    pub(super) fn fails(&mut self, table: &[(&str, &str)]) {
        for (text, expected) in table {
            match self.evaluate(text) {
                Ok(value) => panic!("{text}: gave {value:?}"),
                Err(error) => assert_eq!(error.message, *expected, "{text}"),
            }
        }
    }
}

pub(super) fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

pub(super) fn items_from(text: &str) -> Items {
    items_of(json(text).as_array().unwrap().iter().map(millrace_model::Item::from_value))
}

fn globals() -> Globals {
    Globals {
        execution_id: "77".into(),
        mode: "trigger".into(),
        resume_url: "https://example.test/resume/77".into(),
        resume_form_url: "https://example.test/form/77".into(),
        timezone: "Europe/Vienna".into(),
        env: Arc::new(Object::from([("REGION", "eu".into())])),
        vars: Arc::new(Object::from([("team", "blue".into())])),
        secrets: Arc::new(Object::from([("vault", Object::from([("key", "s3cret".into())]).into())])),
        custom_data: Arc::new(Mutex::default()),
        clock: Clock::Frozen(Arc::new(AtomicI64::new(1_700_000_000_000))),
    }
}
