//! Failing nodes: stop, go on, error output, retries.

use millrace_model::NodeStatus;

use super::graph::{Graph, check_table, trace};
use crate::{Status, Step, Stop};

#[test]
fn a_failing_node_stops_the_run() {
    let (trace, outcome) = Graph::new("v1", "S -> A B\nA at=0,0 fail=9 -> Z\nB at=0,9\nZ").run();
    assert_eq!(trace, "S[s0] A!");
    assert_eq!(outcome.status, Status::Error);
    assert_eq!(outcome.last_node.map(|node| node.0), Some(1));
    let error = outcome.error.expect("an error");
    assert_eq!((error.message.as_str(), error.node.as_deref()), ("a failed", Some("A")));
}

#[test]
fn a_failing_node_goes_on() {
    check_table(
        "v1",
        &[
            ("with its input", "S emit=2 -> A\nA fail=9 on=regular -> Z\nZ", "S[s0 s1] A[s0 s1] Z[s0 s1]"),
            (
                "on the error output, with the error",
                "S emit=2 -> A\nA fail=9 on=error -> Y | Z\nY\nZ",
                "S[s0 s1] A[|s0?a_failed s1?a_failed] Z[s0?a_failed s1?a_failed]",
            ),
            (
                "with the input of its first input",
                "S -> B C\nB at=0,0 emit=1 -> A\nC at=0,9 emit=1 -> A.1\nA fail=9 on=regular",
                "S[s0] B[b0] C[c0] A[b0]",
            ),
        ],
    );
    let graph = Graph::new("v1", "S -> A\nA fail=9 on=regular");
    let mut run = graph.start();
    let outcome = graph.drive(&mut run, &mut Vec::new()).expect("ends");
    assert_eq!(outcome.status, Status::Success);
    let record = run.data().of(millrace_model::NodeIndex(1)).first().expect("a record");
    assert_eq!(record.status, NodeStatus::Error);
    assert!(record.error.is_some());
}

#[test]
fn failed_items_go_to_the_error_output() {
    check_table(
        "v1",
        &[
            (
                "an item that holds nothing but an error, with the fields of the item it came from",
                "S -> A\nA soft=9 on=error -> Y | Z\nY\nZ",
                "S[s0] A[|?a_failed] Z[?a_failed]",
            ),
            (
                "without failed items the error output is empty",
                "S -> A\nA on=error -> Y | Z\nY\nZ",
                "S[s0] A[s0|] Y[s0]",
            ),
            (
                "behind all regular outputs",
                "S emit=2 -> A\nA first=1 outputs=2 on=error -> X | Y | Z\nX\nY\nZ",
                "S[s0 s1] A[s0|s1|] Y[s1] X[s0]",
            ),
            (
                "on the regular output they stay in place",
                "S -> A\nA soft=9 on=regular -> Y\nY",
                "S[s0] A[?a_failed] Y[?a_failed]",
            ),
        ],
    );
}

#[test]
fn retries() {
    check_table(
        "v1",
        &[
            ("until it works", "S -> A\nA fail=2 tries=3 -> Z\nZ", "S[s0] A[s0] Z[s0]"),
            ("until the tries are used up", "S -> A\nA fail=3 tries=3 -> Z\nZ", "S[s0] A!"),
            ("then goes on where told so", "S -> A\nA fail=9 tries=2 on=regular -> Z\nZ", "S[s0] A[s0] Z[s0]"),
            (
                "also where the node hands on its error",
                "S -> A\nA soft=1 tries=2 on=regular -> Z\nZ",
                "S[s0] A[s0] Z[s0]",
            ),
            ("at least two tries", "S -> A\nA fail=1 tries=1", "S[s0] A[s0]"),
        ],
    );
}

#[test]
fn a_retry_comes_after_a_pause() {
    let graph = Graph::new("v1", "S -> A\nA fail=9 tries=3");
    let mut run = graph.start();
    let mut seen = Vec::new();
    while let Step::Execute(task) = run.next() {
        seen.push((task.node.0, task.attempt, task.delay_ms, task.run_index));
        let outcome = graph.execute(&run, &task);
        run.complete(outcome);
    }
    assert_eq!(seen, [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 70, 0), (1, 2, 70, 0)]);
}

#[test]
fn a_permanent_error_is_not_tried_again() {
    let graph = Graph::new("v1", "S -> A\nA fail=9 tries=3");
    let mut run = graph.start();
    let mut tries = 0;
    while let Step::Execute(task) = run.next() {
        let mut outcome = graph.execute(&run, &task);
        if let Err(error) = &mut outcome.result {
            (error.permanent, tries) = (true, tries + 1);
        }
        run.complete(outcome);
    }
    assert_eq!(tries, 1);
}

#[test]
fn stops_when_told() {
    for (stop, status, message) in [
        (Stop::Canceled, Status::Canceled, "The execution was cancelled manually"),
        (Stop::TimedOut, Status::Canceled, "The execution was cancelled because it timed out"),
        (Stop::Failed(Box::new(millrace_model::ExecutionError::operation("too large"))), Status::Error, "too large"),
    ] {
        let graph = Graph::new("v1", "S -> A\nA");
        let mut run = graph.start();
        let Step::Execute(task) = run.next() else { panic!("begins") };
        let outcome = graph.execute(&run, &task);
        run.complete(outcome.clone());
        run.stop(stop);
        run.complete(outcome);
        let Step::Done(end) = run.next() else { panic!("over") };
        assert_eq!(end.status, status);
        assert_eq!(end.error.expect("says why").message, message);
        assert_eq!(trace(&run), "S[s0]", "what was done stays recorded");
    }
}
