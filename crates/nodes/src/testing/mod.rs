//! Runs single nodes in tests: parameters and items in, items out, with a world that is played (`world`).

mod tests;
mod world;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use futures_util::FutureExt;
use millrace_expression::{Clock, Globals, Limits, NodeContexts, Sandbox};
use millrace_model::{ExecutionError, Item, Items, NodeIndex, Object, RunData, Source, Value, Workflow};

pub(crate) use world::{Answer, World};

use crate::{Behaviour, NodeContext, NodeResult, Output, parameters, registry};

/// The time in tests: 2024-05-06T07:08:09.010Z.
pub(crate) const NOW_MS: i64 = 1_714_979_289_010;

/// One node about to be run.
pub(crate) struct Trial {
    kind: String,
    version: f64,
    parameters: Value,
    on_error: &'static str,
    inputs: Vec<Option<Items>>,
    is_behind_webhook: bool,
    pub world: World,
    pub globals: Globals,
}

/// A node by its short name, at its newest version, with one empty item.
pub(crate) fn trial(name: &str) -> Trial {
    let kinds = [format!("n8n-nodes-base.{name}"), format!("millrace.{name}")];
    let node_type = kinds.iter().find_map(|kind| registry::find(kind)).unwrap_or_else(|| panic!("there is no {name}"));
    Trial {
        kind: node_type.name.into(),
        version: *registry::versions(node_type).last().unwrap(),
        parameters: Object::new().into(),
        on_error: "stopWorkflow",
        inputs: vec![Some(Arc::new(vec![Item::empty().paired(0)]))],
        is_behind_webhook: false,
        world: World::default(),
        globals: globals(),
    }
}

/// Parses JSON of a test.
pub(crate) fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

impl Trial {
    pub(crate) fn version(self, version: f64) -> Trial {
        Trial { version, ..self }
    }

    pub(crate) fn parameters(self, parameters: &str) -> Trial {
        Trial { parameters: json(parameters), ..self }
    }

    pub(crate) fn goes_on(self) -> Trial {
        Trial { on_error: "continueRegularOutput", ..self }
    }

    /// A Webhook node stands before it.
    pub(crate) fn behind_webhook(self) -> Trial {
        Trial { is_behind_webhook: true, ..self }
    }

    /// The items of the only input, as a list of their JSON.
    pub(crate) fn input(self, items: &str) -> Trial {
        self.inputs(&[items])
    }

    pub(crate) fn inputs(self, inputs: &[&str]) -> Trial {
        let items = |(input, text): (usize, &&str)| {
            let values = json(text);
            let items = values.as_array().unwrap().iter().map(Item::from_value).enumerate();
            let linked = items.map(|(at, item)| {
                let mut link = millrace_model::PairedRef::item(at);
                if input > 0 {
                    link = link.of_input(input);
                }
                Item { paired_item: Some(millrace_model::PairedItem::One(link)), ..item }
            });
            Some(Arc::new(linked.collect::<Vec<_>>()))
        };
        Trial { inputs: inputs.iter().enumerate().map(items).collect(), ..self }
    }

    pub(crate) fn world(self, change: impl FnOnce(World) -> World) -> Trial {
        Trial { world: change(self.world), ..self }
    }

    /// Runs the node.
    pub(crate) fn run(&self) -> NodeResult {
        let workflow = Workflow::parse(&self.document()).unwrap();
        let index = NodeIndex(0);
        let node_type = registry::find(&self.kind).unwrap();
        let parameters = parameters::with_defaults(registry::description(node_type), workflow.node(index));
        let mut context = NodeContext {
            workflow: &workflow,
            run_data: &RunData::default(),
            index,
            inputs: &self.inputs,
            source: &[None::<Source>],
            run_index: 0,
            parameters: &parameters,
            contexts: &NodeContexts::default(),
            memory: &mut Object::new(),
            static_data: &mut Object::new(),
            globals: &self.globals,
            sandbox: &mut Sandbox::new(Limits::default()),
            host: &self.world,
        };
        match &node_type.behaviour {
            Behaviour::Pure(execute) | Behaviour::Script(execute) => execute(&mut context),
            Behaviour::Effect(execute) => execute(&mut context).now_or_never().expect("the played world never waits"),
        }
    }

    fn document(&self) -> Value {
        let (mut nodes, mut connections) = (vec![self.node()], json("{}"));
        if self.is_behind_webhook {
            nodes.push(json(
                r#"{"name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "parameters": {}}"#,
            ));
            connections = json(r#"{"Webhook": {"main": [[{"node": "Node", "type": "main", "index": 0}]]}}"#);
        }
        Value::from(Object::from([("nodes", Value::array(nodes)), ("connections", connections)]))
    }

    fn node(&self) -> Value {
        Value::from(Object::from([
            ("id", "n1".into()),
            ("name", "Node".into()),
            ("type", self.kind.as_str().into()),
            ("typeVersion", self.version.into()),
            ("parameters", self.parameters.clone()),
            ("onError", self.on_error.into()),
            (
                "credentials",
                self.world.credentials.keys().map(|kind| (kind.clone(), Value::from("one"))).collect::<Object>().into(),
            ),
        ]))
    }

    /// The output, which there must be.
    pub(crate) fn output(&self) -> Output {
        self.run().unwrap_or_else(|error| panic!("{} {:?}: {error:?}", self.kind, self.parameters.to_json()))
    }

    /// JSON of the items of the first output, as compact text.
    pub(crate) fn gives(&self) -> String {
        shown(&self.output(), 0)
    }

    /// The error, which there must be.
    pub(crate) fn fails(&self) -> ExecutionError {
        match self.run() {
            Err(error) => error,
            Ok(output) => panic!("{} gave {}", self.kind, shown(&output, 0)),
        }
    }
}

/// JSON of the items of an output, as compact text.
pub(crate) fn shown(output: &Output, index: usize) -> String {
    let items = output.outputs.get(index).and_then(Option::as_ref);
    let values = items.into_iter().flat_map(|items| items.iter()).map(|item| item.json.clone());
    Value::array(values).to_json()
}

/// Places in the input that the items of an output are linked to.
pub(crate) fn links(output: &Output, index: usize) -> Vec<Vec<u32>> {
    let items = output.outputs[index].as_ref().unwrap();
    let refs = |item: &Item| item.paired_item.as_ref().map(|link| link.refs()).unwrap_or_default();
    items.iter().map(|item| refs(item).iter().map(|link| link.item).collect()).collect()
}

pub(crate) fn globals() -> Globals {
    Globals {
        execution_id: "1".into(),
        mode: "manual".into(),
        resume_url: "".into(),
        resume_form_url: "".into(),
        timezone: "America/New_York".into(),
        env: Arc::default(),
        vars: Arc::default(),
        secrets: Arc::default(),
        custom_data: Arc::default(),
        clock: Clock::Frozen(Arc::new(AtomicI64::new(NOW_MS))),
    }
}
