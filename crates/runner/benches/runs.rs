//! Cost of whole runs, record included, by number of items through one node and by length of a chain.

mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace_model::Items;
use workload::{FILTER, NO_OP, Prepared, SET, chain, numbered};

fn bench(criterion: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let native = SET.replace("EXPRESSION", "={{ $json.n * 2 }}");
    let script = SET.replace("EXPRESSION", "={{ [$json.n].map(n => n * 2)[0] }}");
    let mut measure = |group: &str, name: &str, size: usize, document: String, items: Items| {
        let Ok(prepared) = Prepared::new(&document) else { return };
        let mut group = criterion.benchmark_group(group);
        group.sample_size(20).throughput(Throughput::Elements(u64::try_from(size).unwrap_or(u64::MAX)));
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter(|| black_box(runtime.block_on(prepared.run(&items)).ok()));
        });
    };
    for count in [1, 100, 10_000, 100_000] {
        for (name, node) in [("set", &native), ("set by script", &script), ("filter", &FILTER.to_owned())] {
            measure("items", name, count, chain(node, 1), numbered(count));
        }
    }
    for length in [1, 10, 100, 1000] {
        for (name, node) in [("nothing", &NO_OP.to_owned()), ("set", &native)] {
            measure("nodes", name, length, chain(node, length), numbered(1));
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
