//! Item linking: what nodes get, and what is filled in where they do not link their items.

use millrace_model::{NodeIndex, Source};

use super::graph::Graph;

/// Links of the items at every output of the first run of a node, as JSON.
fn links(graph: &Graph, node: usize) -> String {
    let mut run = graph.start();
    graph.drive(&mut run, &mut Vec::new());
    let record = run.data().of(NodeIndex(node)).first().expect("ran");
    let outputs = record.outputs.iter().flatten().map(|items| {
        let items = items.iter().flat_map(|items| items.iter());
        let links = items.map(|item| serde_json::to_string(&item.paired_item).expect("JSON"));
        links.collect::<Vec<_>>().join(" ")
    });
    outputs.collect::<Vec<_>>().join(" | ")
}

#[test]
fn are_filled_in() {
    let table = [
        ("the item of the start", "S", 0, r#"{"item":0}"#),
        ("a single input item made them all", "S -> A\nA emit=2/1", 1, r#"{"item":0} {"item":0} | {"item":0}"#),
        ("as many out as in: one by one", "S emit=2 -> A\nA emit=2", 1, r#"{"item":0} {"item":1}"#),
        ("not where the counts differ", "S emit=2 -> A\nA emit=3", 1, "null null null"),
        ("nor with two outputs", "S emit=2 -> A\nA emit=2/0", 1, "null null | "),
        ("pins are linked like items", "S -> A\nA pin=2", 1, r#"{"item":0} {"item":0}"#),
        (
            "items that are handed on are linked to their place in the input",
            "S emit=2 -> A\nA -> B\nB",
            2,
            r#"{"item":0} {"item":1}"#,
        ),
        (
            "and to the input",
            "S -> A B\nA at=0,0 emit=2 -> M\nB at=0,9 emit=1 -> M.1\nM",
            3,
            r#"{"item":0} {"item":1} {"item":0,"input":1}"#,
        ),
        (
            "an item that was always to come is linked to everything",
            "S emit=2 -> A\nA always emit=0",
            1,
            r#"[{"item":0,"input":0},{"item":1,"input":0}]"#,
        ),
    ];
    for (title, text, node, expected) in table {
        assert_eq!(links(&Graph::new("v1", text), node), expected, "{title}");
    }
}

#[test]
fn sources_of_inputs() {
    let graph = Graph::new("v1", "S emit=2 -> I\nI first=1 outputs=2 -> M | M.1\nM inputs=3 -> M2.1\nM2");
    let mut run = graph.start();
    graph.drive(&mut run, &mut Vec::new());
    let source = |node: usize, output: usize| Some(Source { node: NodeIndex(node), output, run: 0 });
    let of = |node: usize| run.data().of(NodeIndex(node)).first().expect("ran").source.clone();
    assert_eq!(of(0), []);
    assert_eq!(of(2), [source(1, 0), source(1, 1)]);
    assert_eq!(of(3), [None, source(2, 0)], "released without its first input");
}
