//! What is recorded of a run, and how a run goes on after a crash.

use std::sync::Mutex;

use async_trait::async_trait;
use millrace_engine::{NodeOutcome, NodeTask, Status};
use millrace_model::{ExecutionError, NodeIndex, Value};
use millrace_nodes::NodeHost;

use super::stage::{Performance, chain, frozen, globals, message, options};
use crate::{LocalHost, Observer, Replay, ReplayEntry};

#[derive(Default)]
struct Journal {
    entries: Mutex<Vec<(usize, String)>>,
    /// Refuses to record from this entry on.
    refuse_from: Option<usize>,
}

#[async_trait]
impl Observer for Journal {
    async fn record(&self, task: &NodeTask, outcome: &NodeOutcome) -> Result<(), ExecutionError> {
        let mut entries = self.entries.lock().expect("not poisoned");
        if self.refuse_from.is_some_and(|from| entries.len() >= from) {
            return Err(ExecutionError::new("LeaseLost", "somebody else runs this execution"));
        }
        entries.push((task.node.0, serde_json::to_string(outcome).expect("JSON")));
        Ok(())
    }
}

const NODES: [&str; 6] =
    ["start", r#"effect {"text": "a"}"#, "counts", r#"effect {"text": "b"}"#, "pass", r#"effect {"text": "c"}"#];

#[tokio::test]
async fn effects_are_recorded_and_not_done_again() {
    let document = chain(&NODES);
    let journal = Journal::default();
    let (whole, _) = Performance { observer: &journal, ..Performance::default() }.run(&document).await;
    let entries = journal.entries.into_inner().expect("not poisoned");
    assert_eq!(entries.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [1, 3, 5], "effects only");

    let host = LocalHost::new(options(), globals(frozen()));
    let survived = entries.into_iter().take(2).map(|(node, outcome)| ReplayEntry {
        node: NodeIndex(node),
        run_index: 0,
        attempt: 0,
        outcome: serde_json::from_str(&outcome).expect("an outcome"),
    });
    let replay = Replay::new(survived);
    let (run, outcome) =
        Performance { replay, host: Some(host.clone()), ..Performance::default() }.run(&document).await;
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(host.recall("log").await.expect("kept"), Some(Value::from("c")), "a and b were done before");
    assert_eq!(format!("{:?}", run.data()), format!("{:?}", whole.data()));
}

#[tokio::test]
async fn a_run_stops_when_it_cannot_be_recorded() {
    let journal = Journal { refuse_from: Some(1), ..Journal::default() };
    let (run, outcome) = Performance { observer: &journal, ..Performance::default() }.run(&chain(&NODES)).await;
    assert_eq!((outcome.status, message(&outcome).as_str()), (Status::Error, "somebody else runs this execution"));
    assert!(run.data().of(NodeIndex(3)).is_empty(), "what was not recorded did not happen");
}

#[tokio::test]
async fn failed_effects_are_recorded_too() {
    let journal = Journal::default();
    let document = chain(&["start", r#"effect {"text": "fail"}"#]);
    let (_, outcome) = Performance { observer: &journal, ..Performance::default() }.run(&document).await;
    assert_eq!(message(&outcome), "told to");
    assert_eq!(journal.entries.into_inner().expect("not poisoned").len(), 1);
}

#[tokio::test]
async fn memory_and_static_data_are_kept() {
    let document = chain(&["start", "counts", "counts"]);
    let (run, _) = Performance::default().run(&document).await;
    let item = |node: usize| run.data().output(NodeIndex(node), 0, 0).expect("items")[0].json.to_json();
    assert_eq!([item(1), item(2)], [r#"{"memory":1,"static":1}"#, r#"{"memory":1,"static":2}"#]);
    assert_eq!(run.static_data().get("runs"), Some(&Value::from(2)));
    assert_eq!(run.contexts().len(), 2);
}
