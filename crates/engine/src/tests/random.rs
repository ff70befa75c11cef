//! Random graphs: no panic, an end, no more node runs than allowed, the same run from the same events.

use proptest::prelude::*;

use super::graph::{Graph, trace};
use crate::{Event, Resume};

const NODES: usize = 8;
/// Few enough that a loop of nodes that each put out twice what they get stays small.
const MAX_RUNS: u32 = 20;

const KEYS: [&str; 16] = [
    "",
    "",
    "emit=2",
    "emit=0",
    "emit=1/1",
    "emit=-/1",
    "first=1 outputs=2",
    "loop=2 outputs=2",
    "null",
    "fail=9 on=regular",
    "fail=9 on=error",
    "fail=1 tries=2",
    "soft=9 on=error",
    "off",
    "always emit=0",
    "wait once",
];

fn graphs() -> impl Strategy<Value = String> {
    let target = (0..NODES, 0..3_usize);
    let targets = prop::collection::vec(prop::collection::vec(target, 0..3), 0..3);
    let node = (0..KEYS.len(), 0..3_i32, 0..3_i32, targets, prop::option::of(0..3_usize));
    prop::collection::vec(node, NODES).prop_map(|nodes| {
        let lines = nodes.iter().enumerate().map(|(at, (keys, x, y, outputs, needs))| {
            let outputs = outputs.iter().map(|targets| {
                targets.iter().map(|(node, input)| format!("N{node}.{input}")).collect::<Vec<_>>().join(" ")
            });
            let needs = needs.map(|needs| format!("needs={needs}")).unwrap_or_default();
            let outputs = outputs.collect::<Vec<_>>().join(" | ");
            format!("N{at} at={x},{y} {} {needs} -> {outputs}", KEYS[*keys])
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends(text in graphs(), legacy: bool) {
        let mut graph = Graph::new(if legacy { "v0" } else { "v1" }, &text);
        graph.options.max_node_runs = MAX_RUNS;
        let (mut run, mut events) = (graph.start(), Vec::new());
        let mut pauses = 0;
        while graph.drive(&mut run, &mut events).is_none() {
            let resume = Resume { outputs: None, at_ms: 9000 };
            events.push(Event::Resumed(resume.clone()));
            run.resume(resume);
            pauses += 1;
            prop_assert!(pauses <= MAX_RUNS);
        }
        let mut indices: Vec<u32> =
            run.data().iter().flat_map(|(_, runs)| runs.iter().map(|run| run.execution_index)).collect();
        indices.sort_unstable();
        prop_assert!(indices.iter().all(|index| *index < MAX_RUNS));
        prop_assert!(indices.windows(2).all(|pair| pair[0] < pair[1]));

        let mut again = graph.start();
        events.into_iter().for_each(|event| again.apply(event));
        again.next();
        prop_assert_eq!(trace(&again), trace(&run));
        prop_assert_eq!(again.status(), run.status());
    }
}
