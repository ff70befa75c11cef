//! Execution order v1: depth first, siblings by position.

use millrace_model::Str;

use super::graph::{Graph, check_table};
use crate::Status;

#[test]
fn goes_depth_first() {
    check_table(
        "v1",
        &[
            ("a chain", "S -> A\nA -> B\nB", "S[s0] A[s0] B[s0]"),
            (
                "a branch is finished before the next one begins",
                "S -> A B\nA at=0,0 -> A2\nB at=0,100 -> B2\nA2 at=0,0\nB2 at=0,0",
                "S[s0] A[s0] A2[s0] B[s0] B2[s0]",
            ),
            (
                "the topmost sibling comes first, whatever the order of connections",
                "S -> Low High\nLow at=0,200\nHigh at=500,100",
                "S[s0] High[s0] Low[s0]",
            ),
            ("at one height the leftmost", "S -> R L\nR at=300,0\nL at=100,0", "S[s0] L[s0] R[s0]"),
            ("at one place the last connected", "S -> A B\nA at=1,1\nB at=1,1", "S[s0] B[s0] A[s0]"),
            (
                "a node with two sources into one input runs twice",
                "S -> A M\nA -> M\nM at=0,9",
                "S[s0] A[s0] M[s0] M[s0]",
            ),
            (
                "several outputs",
                "S emit=3 -> I\nI first=1 outputs=2 -> A | B\nA at=0,0\nB at=0,9",
                "S[s0 s1 s2] I[s0|s1 s2] A[s0] B[s1 s2]",
            ),
        ],
    );
}

#[test]
fn ends_branches_without_items() {
    check_table(
        "v1",
        &[
            ("an empty output is not followed", "S emit=0 -> A\nA", "S[]"),
            ("nor one that gave nothing", "S emit=-/1 -> A | B\nA\nB", "S[-|s0] B[s0]"),
            ("a node that had nothing to do leaves no record", "S -> A\nA null -> B\nB", "S[s0]"),
            ("connections of outputs that do not exist lead nowhere", "S -> | A\nA", "S[s0]"),
        ],
    );
}

#[test]
fn waits_for_all_inputs() {
    check_table(
        "v1",
        &[
            (
                "until the last one is there",
                "S -> A B\nA at=0,0 emit=1 -> M\nB at=0,9 emit=1 -> M.1\nM -> Z\nZ",
                "S[s0] A[a0] B[b0] M[a0 b0] Z[a0 b0]",
            ),
            (
                "in the order of inputs, not of arrival",
                "S -> A B\nA at=0,0 emit=1 -> M.1\nB at=0,9 emit=1 -> M\nM",
                "S[s0] A[a0] B[b0] M[b0 a0]",
            ),
            (
                "three inputs",
                "S -> A B C\nA emit=1 at=0,1 -> M\nB emit=1 at=0,2 -> M.1\nC emit=1 at=0,3 -> M.2\nM",
                "S[s0] A[a0] B[b0] C[c0] M[a0 b0 c0]",
            ),
            (
                "a branch that ends lets the node go on when nothing else is left",
                "S -> A I\nA at=0,0 emit=1 -> M\nI at=0,9 emit=0 -> M.1\nM -> Z\nZ",
                "S[s0] A[a0] I[] M[a0] Z[a0]",
            ),
            (
                "everything else runs first",
                "S -> A I L\nA at=0,0 emit=1 -> M\nI at=0,5 emit=0 -> M.1\nL at=0,9\nM",
                "S[s0] A[a0] I[] L[s0] M[a0]",
            ),
            (
                "no items at all: the node does not run",
                "S -> A\nA first=0 outputs=2 -> M | B\nB emit=0 -> M.1\nM",
                "S[s0] A[|s0] B[]",
            ),
            (
                "two sources of one input, one of the other: the second set stays incomplete and goes last",
                "S -> A B C\nA emit=1 at=0,1 -> M\nB emit=1 at=0,2 -> M\nC emit=1 at=0,3 -> M.1\nM at=0,0",
                "S[s0] A[a0] B[b0] C[c0] M[a0 c0] M[b0]",
            ),
        ],
    );
}

#[test]
fn keeps_to_required_inputs() {
    let graph = |needs: &str| {
        let text = "S -> A I\nA at=0,0 emit=1 -> M\nI at=0,9 emit=0 -> M.1\nM inputs=2 NEEDS -> Z\nZ";
        text.replace("NEEDS", needs)
    };
    let (with, without) = ("S[s0] A[a0] I[] M[a0] Z[a0]", "S[s0] A[a0] I[]");
    for (needs, expected) in
        [("", with), ("needs=1", with), ("needs=2", without), ("needs=0,1", without), ("inputs=3 needs=0,1", without)]
    {
        assert_eq!(Graph::new("v1", &graph(needs)).run().0, expected, "{needs}");
    }
    let other =
        "S -> A I\nA at=0,0 emit=1 -> M.1\nI at=0,9 emit=0 -> M\nM inputs=3 needs=0, -> Z\nZ".replace("0, ", "1 ");
    assert_eq!(Graph::new("v1", &other).run().0, with, "an input that is there");
}

#[test]
fn a_waiting_node_waits_for_waiting_nodes_before_it() {
    check_table(
        "v1",
        &[(
            "the upper join goes first although the lower one was first to get items",
            "S -> A B I\nB at=0,0 emit=1 -> N.1\nA at=0,1 emit=1 -> M\nI at=0,2 emit=0 -> M.1\nM -> N\nN",
            "S[s0] B[b0] A[a0] I[] M[a0] N[a0 b0]",
        )],
    );
}

#[test]
fn loops() {
    check_table(
        "v1",
        &[
            (
                "a loop node hands items out until it is done",
                "S -> L\nL loop=2 outputs=2 -> Z | B\nB -> L\nZ",
                "S[s0] L[|s0] B[s0] L[|s0] B[s0] L[s0|] Z[s0]",
            ),
            (
                "a plain cycle ends when no items come back",
                "S -> A\nA loop=2 outputs=2 -> Z | A\nZ",
                "S[s0] A[|s0] A[|s0] A[s0|] Z[s0]",
            ),
        ],
    );
    let mut endless = Graph::new("v1", "S -> A\nA -> B\nB -> A");
    endless.options.max_node_runs = 7;
    let (trace, outcome) = endless.run();
    assert_eq!(trace, "S[s0] A[s0] B[s0] A[s0] B[s0] A[s0] B[s0]");
    assert_eq!(outcome.status, Status::Error);
    let message = outcome.error.map(|error| error.message.clone()).unwrap_or_default();
    assert_eq!(message, Str::from("Stopped after 7 node runs: the workflow seems to loop without end"));
}

#[test]
fn nodes_that_are_not_executed() {
    check_table(
        "v1",
        &[
            (
                "a disabled node hands on its first input",
                "S emit=2 -> A\nA off emit=9 -> B\nB",
                "S[s0 s1] A[s0 s1] B[s0 s1]",
            ),
            (
                "a disabled join too",
                "S -> A B\nA at=0,0 emit=1 -> M\nB at=0,9 emit=1 -> M.1\nM off",
                "S[s0] A[a0] B[b0] M[a0]",
            ),
            ("a pinned node puts out its pins", "S -> A\nA pin=2 fail=9 -> B\nB", "S[s0] A[pin0 pin1] B[pin0 pin1]"),
            ("a disabled node is not pinned", "S -> A\nA off pin=2 -> B\nB", "S[s0] A[s0] B[s0]"),
            ("a trigger in the middle runs like any node", "S -> T\nT trigger emit=1 -> A\nA", "S[s0] T[t0] A[t0]"),
        ],
    );
}

#[test]
fn execute_once_and_always_output() {
    check_table(
        "v1",
        &[
            ("once: only the first item", "S emit=3 -> A\nA once -> B\nB", "S[s0 s1 s2] A[s0] B[s0]"),
            ("always: an empty item", "S emit=2 -> A\nA always emit=0 -> B\nB", "S[s0 s1] A[] B[]"),
            ("always: only where the first output is empty", "S -> A\nA always emit=1/0 -> B\nB", "S[s0] A[a0|] B[a0]"),
            (
                "always: also for a node that had nothing to do",
                "S -> A\nA always null -> B\nB emit=1",
                "S[s0] A[] B[b0]",
            ),
        ],
    );
}
