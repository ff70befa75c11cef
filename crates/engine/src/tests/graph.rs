//! The notation: one line a node, `Name key=value … -> Target Target.input | targets of output 1 | …`.
//!
//! Keys: `at=x,y` position · `emit=2/0` puts out so many new items at each output (`-` for nothing at all) ·
//! `first=n` sends the first n items to output 0, the others to output 1 · `loop=n` puts the items out at output 1 for
//! n runs, then at output 0 · `null` has nothing to do · `fail=n` fails n times · `soft=n` hands on an error in place
//! of its item n times · `wait` pauses · `inputs= outputs= needs=` ports · `trigger` · `off once always` ·
//! `tries=n` · `on=error|regular` · `pin=n`. Without any of these a node joins the items of all inputs.
//!
//! A trace names every node run in order with the items it put out: `A[a0 a1|-]` has two at output 0, no output 1.

use std::sync::Arc;

use millrace_model::{ExecutionError, Item, Items, NodeIndex, Outputs, Value, Workflow};

use crate::{Event, Facts, NodeFacts, NodeOutcome, NodeTask, Options, Outcome, Pause, Required, Run, Start, Step};

pub(super) struct Graph {
    pub(super) workflow: Arc<Workflow>,
    pub(super) facts: Arc<Facts>,
    nodes: Vec<Keys>,
    pub(super) options: Options,
}

#[derive(Clone, Debug, Default)]
struct Keys(Vec<(String, String)>);

impl Keys {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str) -> Option<usize> {
        self.get(key).map(|value| value.parse().expect("a number"))
    }
}

impl Graph {
    pub(super) fn new(order: &str, text: &str) -> Graph {
        let (mut documents, mut connections, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        let mut pins = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (left, right) = line.split_once("->").unwrap_or((line, ""));
            let mut words = left.split_whitespace();
            let name = words.next().expect("a name");
            let keys = words.map(|word| word.split_once('=').unwrap_or((word, "")));
            let keys = Keys(keys.map(|(key, value)| (key.to_owned(), value.to_owned())).collect());
            documents.push(document(name, &keys));
            connections.push(format!("\"{name}\":{{\"main\":[{}]}}", targets(right)));
            if let Some(count) = keys.number("pin") {
                let items: Vec<String> = (0..count).map(|at| format!("{{\"json\":{{\"id\":\"pin{at}\"}}}}")).collect();
                pins.push(format!("\"{name}\":[{}]", items.join(",")));
            }
            nodes.push(keys);
        }
        let text = format!(
            "{{\"nodes\":[{}],\"connections\":{{{}}},\"pinData\":{{{}}},\"settings\":{{\"executionOrder\":\"{order}\"}}}}",
            documents.join(","),
            connections.join(","),
            pins.join(",")
        );
        let workflow = Arc::new(Workflow::parse(&Value::from_json(&text).expect("JSON")).expect("a workflow"));
        let facts = Arc::new(Facts::new(&workflow, |index| facts_of(&nodes[index.0], &workflow, index)));
        let honour_pins = !pins.is_empty();
        Graph { workflow, facts, nodes, options: Options { honour_pins, ..Options::default() } }
    }

    pub(super) fn start(&self) -> Run {
        let start = Start { node: NodeIndex(0), items: Arc::new(vec![item("s0")]), at_ms: 1000 };
        Run::new(Arc::clone(&self.workflow), Arc::clone(&self.facts), start, self.options.clone())
    }

    /// Drives the run to its end or its next pause, writing down what happened.
    pub(super) fn drive(&self, run: &mut Run, events: &mut Vec<Event>) -> Option<Outcome> {
        loop {
            match run.next() {
                Step::Execute(task) => {
                    let outcome = self.execute(run, &task);
                    events.push(Event::Completed(Box::new(outcome.clone())));
                    run.complete(outcome);
                }
                Step::Wait(_) => return None,
                Step::Done(outcome) => return Some(outcome),
            }
        }
    }

    /// Runs to the end; gives the trace and the outcome.
    pub(super) fn run(&self) -> (String, Outcome) {
        let mut run = self.start();
        let outcome = self.drive(&mut run, &mut Vec::new()).expect("ends without a pause");
        (trace(&run), outcome)
    }

    pub(super) fn execute(&self, run: &Run, task: &NodeTask) -> NodeOutcome {
        let keys = &self.nodes[task.node.0];
        let name = self.workflow.node(task.node).name.to_lowercase();
        let attempt = usize::try_from(task.attempt).expect("small");
        let mut outcome = NodeOutcome::success(outputs(keys, &name, task, run));
        if keys.number("fail").is_some_and(|times| attempt < times) {
            outcome = NodeOutcome::failure(ExecutionError::operation(format!("{name} failed")));
        } else if keys.number("soft").is_some_and(|times| attempt < times) {
            outcome = NodeOutcome::success(vec![Some(Arc::new(vec![failed(&name)]))]);
        }
        outcome.pause = keys.get("wait").map(|_| Pause { until: Some(99), resume: None, shows: None });
        outcome.started_ms = 1000 + i64::from(task.execution_index) * 10;
        outcome.duration_ms = 5;
        outcome
    }
}

pub(super) fn item(id: &str) -> Item {
    Item::new(millrace_model::Object::from([("id", id.into())]))
}

fn failed(name: &str) -> Item {
    Item::new(millrace_model::Object::from([("error", format!("{name} failed").into())]))
}

fn outputs(keys: &Keys, name: &str, task: &NodeTask, run: &Run) -> Outputs {
    let all: Vec<Item> = task.inputs.iter().flatten().flat_map(|items| items.iter().cloned()).collect();
    let share = |items: &[Item]| -> Option<Items> { Some(Arc::new(items.to_vec())) };
    if keys.get("null").is_some() {
        Vec::new()
    } else if let Some(counts) = keys.get("emit") {
        let counted = counts.split('/').map(|count| {
            let count: usize = count.parse().ok()?;
            Some(Arc::new((0..count).map(|at| item(&format!("{name}{at}"))).collect()))
        });
        counted.collect()
    } else if let Some(first) = keys.number("first") {
        let (left, right) = all.split_at(first.min(all.len()));
        vec![share(left), share(right)]
    } else if let Some(times) = keys.number("loop") {
        let again = run.data().of(task.node).len() < times;
        if again { vec![share(&[]), share(&all)] } else { vec![share(&all), share(&[])] }
    } else {
        vec![share(&all)]
    }
}

fn document(name: &str, keys: &Keys) -> String {
    let flag = |key: &str| keys.get(key).is_some();
    let on_error = match keys.get("on") {
        Some("error") => "continueErrorOutput",
        Some("regular") => "continueRegularOutput",
        _ => "stopWorkflow",
    };
    format!(
        r#"{{"name":"{name}","type":"test.{}","position":[{}],"disabled":{},"executeOnce":{},"alwaysOutputData":{},
        "retryOnFail":{},"maxTries":{},"waitBetweenTries":70,"onError":"{on_error}"}}"#,
        keys.get("type").unwrap_or("plain"),
        keys.get("at").unwrap_or("0,0"),
        flag("off"),
        flag("once"),
        flag("always"),
        flag("tries"),
        keys.get("tries").unwrap_or("3"),
    )
}

fn targets(text: &str) -> String {
    let outputs = text.split('|').map(|targets| {
        let targets = targets.split_whitespace().map(|target| {
            let (node, input) = target.split_once('.').unwrap_or((target, "0"));
            format!(r#"{{"node":"{node}","type":"main","index":{input}}}"#)
        });
        format!("[{}]", targets.collect::<Vec<_>>().join(","))
    });
    outputs.collect::<Vec<_>>().join(",")
}

fn facts_of(keys: &Keys, workflow: &Workflow, index: NodeIndex) -> NodeFacts {
    let connected = workflow.connections.inputs(index).len();
    NodeFacts {
        inputs: keys.number("inputs").unwrap_or_else(|| connected.max(1)),
        outputs: keys.number("outputs").unwrap_or(1),
        required: match keys.get("needs") {
            None => Required::Unsaid,
            Some(list) if list.contains(',') => {
                Required::Inputs(list.split(',').map(|input| input.parse().expect("a number")).collect())
            }
            Some(count) => Required::Count(count.parse().expect("a number")),
        },
        begins_runs: index.0 == 0 || keys.get("trigger").is_some(),
    }
}

/// All node runs in order, with the items they put out.
pub(super) fn trace(run: &Run) -> String {
    let mut runs: Vec<_> = run.data().iter().flat_map(|(node, runs)| runs.iter().map(move |run| (node, run))).collect();
    runs.sort_by_key(|(_, run)| run.execution_index);
    let written = runs.iter().map(|(node, record)| {
        let outputs = record.outputs.as_ref().map(|outputs| {
            let lists = outputs.iter().map(|items| match items {
                None => "-".to_owned(),
                Some(items) => items.iter().map(id_of).collect::<Vec<_>>().join(" "),
            });
            format!("[{}]", lists.collect::<Vec<_>>().join("|"))
        });
        format!("{}{}", run.workflow().node(*node).name, outputs.unwrap_or_else(|| "!".to_owned()))
    });
    written.collect::<Vec<_>>().join(" ")
}

fn id_of(item: &Item) -> String {
    let id = item.json.get("id").map(|id| id.to_js_string().to_string()).unwrap_or_default();
    let error = item.json.get("error").map(|error| format!("?{}", error.to_js_string()));
    format!("{id}{}", error.unwrap_or_default().replace(' ', "_"))
}

/// Runs every (title, graph, expected trace) of a table.
pub(super) fn check_table(order: &str, table: &[(&str, &str, &str)]) {
    for (title, graph, expected) in table {
        let (trace, _) = Graph::new(order, graph).run();
        assert_eq!(&trace, expected, "{title}");
    }
}
