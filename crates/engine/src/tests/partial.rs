//! Partial runs: earlier data is taken where it still holds, and the run ends at its destination.

use std::sync::Arc;

use millrace_model::{NodeIndex, RunData};

use super::graph::{Graph, trace};
use crate::{Options, Outcome, Partial, Status};

const FORK: &str = "
    T trigger at=0,0 -> A B
    A at=100,0 -> C
    B at=100,100 -> C.1
    C at=200,0 inputs=2 -> D
    D at=300,0
";

fn index(graph: &Graph, name: &str) -> NodeIndex {
    graph.workflow.find(name).unwrap()
}

/// Runs with what an earlier run did; gives which nodes were executed, the trace, and the outcome.
fn partial(graph: &mut Graph, earlier: RunData, to: Option<&str>, dirty: &[&str]) -> (Vec<String>, String, Outcome) {
    let destination = to.map(|name| index(graph, name));
    let dirty: Vec<NodeIndex> = dirty.iter().map(|name| index(graph, name)).collect();
    let partial = Partial::new(&graph.workflow, earlier, destination, |node| dirty.contains(&node));
    graph.options = Options { partial: Some(Arc::new(partial)), ..graph.options.clone() };
    let (mut run, mut executed) = (graph.start(), Vec::new());
    let outcome = loop {
        match run.next() {
            crate::Step::Execute(task) => {
                executed.push(graph.workflow.node(task.node).name.to_string());
                let outcome = graph.execute(&run, &task);
                run.complete(outcome);
            }
            crate::Step::Done(outcome) => break outcome,
            crate::Step::Wait(_) => panic!("nothing waits"),
        }
    };
    (executed, trace(&run), outcome)
}

fn earlier(graph: &Graph) -> RunData {
    let mut run = graph.start();
    graph.drive(&mut run, &mut Vec::new());
    run.data().clone()
}

#[test]
fn a_run_ends_at_its_destination() {
    let mut graph = Graph::new("v1", FORK);
    let (executed, _, outcome) = partial(&mut graph, RunData::default(), Some("B"), &[]);
    assert_eq!((executed, outcome.status), (vec!["T".to_owned(), "B".to_owned()], Status::Success));
    let (executed, ..) = partial(&mut graph, RunData::default(), Some("C"), &[]);
    assert_eq!(executed, ["T", "A", "B", "C"]);
}

#[test]
fn what_still_holds_is_not_done_again() {
    for order in ["v1", "v0"] {
        let mut graph = Graph::new(order, FORK);
        let (whole, done) = (graph.run().0, earlier(&graph));
        for (to, dirty, expected) in [
            (None, vec![], vec![]),
            (Some("D"), vec![], vec!["D"]),
            (Some("D"), vec!["C"], vec!["C", "D"]),
            (Some("D"), vec!["B"], vec!["B", "C", "D"]),
            (None, vec!["T"], vec!["T", "A", "B", "C", "D"]),
        ] {
            let (executed, trace, _) = partial(&mut graph, done.clone(), to, &dirty);
            assert_eq!(
                (executed, trace),
                (expected.iter().map(|name| (*name).to_owned()).collect(), whole.clone()),
                "{order} {to:?} {dirty:?}"
            );
        }
    }
}

#[test]
fn what_failed_and_what_was_never_reached_runs() {
    let mut graph = Graph::new(
        "v1",
        "
        T trigger -> A
        A -> B
        B fail=1 -> C
        C
    ",
    );
    let failed = earlier(&graph);
    let mut mended = Graph::new(
        "v1",
        "
        T trigger -> A
        A -> B
        B -> C
        C
    ",
    );
    let (executed, ..) = partial(&mut mended, failed, None, &[]);
    assert_eq!(executed, ["B", "C"]);
    let mut branches = Graph::new(
        "v1",
        "
        T trigger first=1 -> A | B
        A -> C
        B -> C
        C
    ",
    );
    let done = earlier(&branches);
    let (executed, ..) = partial(&mut branches, done, None, &[]);
    assert_eq!(executed, Vec::<String>::new(), "nothing is there for B");
    let mut half = earlier(&graph);
    half.of_mut(index(&graph, "B")).clear();
    let (executed, ..) = partial(&mut graph, half, Some("B"), &[]);
    assert_eq!(executed, ["B"]);
}

#[test]
fn loops_hold_once_they_are_done() {
    let text = "
        T trigger -> L
        L type=splitInBatches loop=2 -> E | I
        I -> L
        E
    ";
    let mut graph = Graph::new("v1", text);
    let done = earlier(&graph);
    let (executed, ..) = partial(&mut graph, done.clone(), Some("E"), &[]);
    assert_eq!(executed, ["E"]);
    let mut under_way = done;
    under_way.of_mut(index(&graph, "L")).pop();
    let (executed, ..) = partial(&mut graph, under_way, Some("E"), &[]);
    assert_eq!(executed, ["L", "I", "L", "I", "L", "E"]);
}

#[test]
fn pins_hold() {
    let mut graph = Graph::new(
        "v1",
        "
        T trigger -> P
        P pin=1 -> D
        D
    ",
    );
    let (executed, trace, _) = partial(&mut graph, RunData::default(), Some("D"), &["P"]);
    assert_eq!(executed, ["T", "D"]);
    assert!(trace.contains("D[pin0]"), "{trace}");
}
