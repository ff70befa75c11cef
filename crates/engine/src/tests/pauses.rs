//! Nodes that pause the run.

use std::sync::Arc;

use super::graph::{Graph, item, trace};
use crate::{Resume, Status, Step};

#[test]
fn a_paused_run_goes_on_with_what_the_node_left() {
    let graph = Graph::new("v1", "S emit=2 -> W\nW wait -> Z\nZ");
    let mut run = graph.start();
    assert!(graph.drive(&mut run, &mut Vec::new()).is_none());
    assert_eq!((run.status(), trace(&run).as_str()), (Status::Waiting, "S[s0 s1] W[s0 s1]"));
    assert!(matches!(run.next(), Step::Wait(pause) if pause.until == Some(99)));
    run.resume(Resume { outputs: None, at_ms: 5000 });
    let outcome = graph.drive(&mut run, &mut Vec::new()).expect("ends");
    assert_eq!((outcome.status, trace(&run).as_str()), (Status::Success, "S[s0 s1] W[s0 s1] Z[s0 s1]"));
}

#[test]
fn or_with_what_the_caller_brings() {
    let graph = Graph::new("v1", "S emit=2 -> W\nW wait -> Z\nZ");
    let mut run = graph.start();
    graph.drive(&mut run, &mut Vec::new());
    run.resume(Resume { outputs: Some(vec![Some(Arc::new(vec![item("call")]))]), at_ms: 5000 });
    graph.drive(&mut run, &mut Vec::new());
    assert_eq!(trace(&run), "S[s0 s1] W[call] Z[call]");
}

#[test]
fn nothing_resumes_a_run_that_does_not_wait() {
    let graph = Graph::new("v1", "S -> A\nA");
    let mut run = graph.start();
    run.resume(Resume::default());
    graph.drive(&mut run, &mut Vec::new());
    run.resume(Resume::default());
    assert_eq!(trace(&run), "S[s0] A[s0]");
}
