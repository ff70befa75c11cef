//! Finding the route of a webhook: the cost must not grow with the number of endpoints.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use millrace::domains::webhooks::{RouteTable, Routed};

struct Route(String);

impl Routed for Route {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        &self.0
    }
}

/// Half of the paths are fixed, half have parameters.
fn table(endpoints: usize) -> RouteTable<Route> {
    let fixed = (0..endpoints / 2).map(|number| Route(format!("orders/{number}")));
    let patterns = (0..endpoints / 2).map(|number| Route(format!("id-{number}/users/:user/files/:file")));
    RouteTable::new(fixed.chain(patterns))
}

fn find(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("webhook_route");
    for endpoints in [100, 1_000, 10_000, 100_000] {
        let table = table(endpoints);
        let middle = endpoints / 4;
        for (name, path) in [
            ("fixed", format!("orders/{middle}")),
            ("parameters", format!("id-{middle}/users/7/files/8")),
            ("unknown", format!("id-{middle}/users/7")),
        ] {
            group.bench_with_input(BenchmarkId::new(name, endpoints), &path, |bencher, path| {
                bencher.iter(|| black_box(table.find("POST", black_box(path))));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, find);
criterion_main!(benches);
