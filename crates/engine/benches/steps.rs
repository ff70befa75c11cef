//! Cost of the engine itself: nodes that do nothing, in chains, fans and loops, by number of nodes and items.

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace_engine::{Facts, NodeFacts, NodeOutcome, Options, Run, Start, Step};
use millrace_model::{Item, Items, NodeIndex, Object, Value, Workflow};

/// Nodes N0, N1, …, each connected to what `targets` says.
fn workflow(nodes: usize, targets: impl Fn(usize) -> Vec<(usize, usize)>) -> Arc<Workflow> {
    let node = |at: usize| format!(r#"{{"name":"N{at}","type":"test.plain","position":[0,{at}]}}"#);
    let connections = |at: usize| {
        let targets = targets(at).into_iter().filter(|(target, _)| *target < nodes);
        let targets: Vec<String> =
            targets.map(|(target, input)| format!(r#"{{"node":"N{target}","index":{input}}}"#)).collect();
        format!(r#""N{at}":{{"main":[[{}]]}}"#, targets.join(","))
    };
    let list = |of: &dyn Fn(usize) -> String| (0..nodes).map(of).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"{{"nodes":[{}],"connections":{{{}}},"settings":{{"executionOrder":"v1"}}}}"#,
        list(&node),
        list(&connections)
    );
    let document = Value::from_json(&text).unwrap_or_default();
    Arc::new(Workflow::parse(&document).unwrap_or_default())
}

fn items(count: usize) -> Items {
    Arc::new((0..count).map(|at| Item::new(Object::from([("id", Value::from(at))])).paired(at)).collect())
}

/// Runs to the end; every node hands its first input on, `runs` times at most.
fn run(workflow: &Arc<Workflow>, facts: &Arc<Facts>, items: &Items, runs: usize) -> u32 {
    let start = Start { node: NodeIndex(0), items: Arc::clone(items), at_ms: 0 };
    let mut run = Run::new(Arc::clone(workflow), Arc::clone(facts), start, Options::default());
    let mut executed = 0;
    while let Step::Execute(task) = run.next() {
        executed += 1;
        let output = if task.run_index < runs { task.inputs.first().cloned().flatten() } else { None };
        run.complete(NodeOutcome::success(vec![output]));
    }
    black_box(run.data().of(NodeIndex(0)).len());
    executed
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    let mut measure = |name: &str, size: usize, nodes: u64, workflow: Arc<Workflow>, items: Items, runs: usize| {
        let facts = Arc::new(Facts::new(&workflow, |_| NodeFacts::default()));
        group.throughput(Throughput::Elements(nodes));
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter(|| run(&workflow, &facts, &items, runs));
        });
    };
    for (nodes, elements) in [(10, 10), (100, 100), (1000, 1000)] {
        measure("chain of nodes", nodes, elements, workflow(nodes, |at| vec![(at + 1, 0)]), items(1), 1);
    }
    for (nodes, elements) in [(11, 11), (101, 101), (1001, 1001)] {
        let fan = workflow(nodes, |at| if at == 0 { (1..nodes).map(|target| (target, 0)).collect() } else { vec![] });
        measure("fan of nodes", nodes, elements, fan, items(1), 1);
    }
    for count in [1, 100, 10_000, 100_000] {
        measure("10 nodes with items", count, 10, workflow(10, |at| vec![(at + 1, 0)]), items(count), 1);
    }
    for (rounds, elements) in [(10, 20), (1000, 2000)] {
        measure("loop of 2 nodes", rounds, elements, workflow(2, |at| vec![(1 - at, 0)]), items(1), rounds);
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
