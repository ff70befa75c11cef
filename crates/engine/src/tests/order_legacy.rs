//! Execution order v0: breadth first, and joins that make their other inputs run.

use super::graph::check_table;

#[test]
fn goes_breadth_first() {
    check_table(
        "v0",
        &[
            (
                "level by level, in the order of connections",
                "S -> A B\nA at=0,9 -> A2\nB at=0,0 -> B2\nA2\nB2",
                "S[s0] A[s0] B[s0] A2[s0] B2[s0]",
            ),
            ("a loop", "S -> L\nL loop=1 outputs=2 -> Z | B\nB -> L\nZ", "S[s0] L[|s0] B[s0] L[s0|] Z[s0]"),
        ],
    );
}

#[test]
fn joins_get_empty_inputs() {
    check_table(
        "v0",
        &[
            (
                "an empty output counts as arrived at a second input",
                "S -> A I\nA emit=1 -> M\nI emit=0 -> M.1\nM -> Z\nZ",
                "S[s0] A[a0] I[] M[a0] Z[a0]",
            ),
            (
                "a join without items at its first input does not run",
                "S -> I B\nI emit=0 -> M\nB emit=1 -> M.1\nM -> Z\nZ",
                "S[s0] I[] B[b0]",
            ),
        ],
    );
}

#[test]
fn joins_make_their_other_inputs_run() {
    check_table(
        "v0",
        &[
            (
                "a node that nothing leads to",
                "S -> A\nA emit=1 -> M\nX emit=1 -> M.1\nM -> Z\nZ",
                "S[s0] A[a0] X[x0] M[a0 x0] Z[a0 x0]",
            ),
            (
                "a chain from its beginning",
                "S -> A\nA emit=1 -> M\nX emit=2 -> Y\nY -> M.1\nM",
                "S[s0] A[a0] X[x0 x1] Y[x0 x1] M[a0 x0 x1]",
            ),
            (
                "the branch not taken, as if it had got an empty item",
                "S emit=2 -> I\nI first=2 outputs=2 -> A | B\nA emit=1 -> M\nB emit=1 -> M.1\nM",
                "S[s0 s1] I[s0 s1|] A[a0] B[b0] M[a0 b0]",
            ),
            (
                "not a node that will run anyway",
                "S -> A B\nA emit=1 -> M\nB -> C\nC emit=1 -> M.1\nM",
                "S[s0] A[a0] B[s0] C[c0] M[a0 c0]",
            ),
            (
                "a node behind one that has run without result gets an empty item",
                "S -> X A\nX emit=0 -> Y\nY -> M.1\nA emit=1 -> M\nM",
                "S[s0] X[] A[a0] Y[] M[a0 ]",
            ),
        ],
    );
}
