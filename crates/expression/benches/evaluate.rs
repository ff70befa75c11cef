//! Cost of one evaluation of common expressions, on the native path and in the script engine, and as templates and items
//! grow.

use std::{
    hint::black_box,
    sync::{Arc, Mutex},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use millrace_expression::{Clock, Globals, Limits, NodeContexts, Sandbox, Scope, Template};
use millrace_model::{Item, Items, NodeIndex, Object, RunData, Str, Value, Workflow, items_of};

const DOCUMENT: &str =
    r#"{"nodes":[{"name":"n","type":"n8n-nodes-base.set","position":[0,0],"parameters":{}}],"connections":{}}"#;
const ITEM: &str = r#"{"headers":{},"body":{"n":7,"name":"ann","date":"2024-05-10"}}"#;

/// Whether the path is native, what is measured, the expression.
const EXPRESSIONS: [(&str, &str, &str); 6] = [
    ("native", "arithmetic", "={{ $json.body.n * 2 }}"),
    ("native", "text with a method", "=Hello {{ $json.body.name.toUpperCase() }}"),
    ("native", "logic", "={{ $json.body.n > 5 && $json.body.name !== 'bob' }}"),
    ("script", "arrow function", "={{ [$json.body.n].map(n => n * 2)[0] }}"),
    ("script", "hash", "={{ $json.body.name.hash('sha256') }}"),
    ("script", "date", "={{ $json.body.date.toDateTime().plus(1, 'day').toISO() }}"),
];

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expression");
    let one = items_of([Item::new(Value::from_json(ITEM).unwrap_or_default())]);
    for (path, name, text) in EXPRESSIONS {
        let template = Template::compile(text);
        with_scope(&one, |sandbox, scope| {
            group.bench_function(BenchmarkId::new(path, name), |bencher| {
                bencher.iter(|| black_box(sandbox.evaluate(&template, scope).ok()));
            });
        });
    }
    for count in [1, 10, 100, 1000] {
        let template = Template::compile(&format!("={}", "{{ $json.body.n }}, ".repeat(count)));
        with_scope(&one, |sandbox, scope| {
            group.bench_function(BenchmarkId::new("parts of a template", count), |bencher| {
                bencher.iter(|| black_box(sandbox.evaluate(&template, scope).ok()));
            });
        });
    }
    for count in [1, 100, 10_000, 100_000] {
        let item = |at: usize| Item::new(Object::from([("n", Value::from(at))]));
        let items: Items = Arc::new((0..count).map(item).collect());
        let template = Template::compile("={{ $input.all().length }}");
        with_scope(&items, |sandbox, scope| {
            group.bench_function(BenchmarkId::new("items in sight", count), |bencher| {
                bencher.iter(|| black_box(sandbox.evaluate(&template, scope).ok()));
            });
        });
    }
}

fn with_scope(items: &Items, measure: impl FnOnce(&mut Sandbox, &Scope<'_>)) {
    let workflow = Workflow::parse(&Value::from_json(DOCUMENT).unwrap_or_default()).unwrap_or_default();
    let inputs = [Some(Arc::clone(items))];
    let globals = Globals {
        execution_id: "1".into(),
        mode: "webhook".into(),
        resume_url: Str::new(),
        resume_form_url: Str::new(),
        timezone: "America/New_York".into(),
        env: Arc::default(),
        vars: Arc::default(),
        secrets: Arc::default(),
        custom_data: Arc::new(Mutex::default()),
        clock: Clock::System,
    };
    let (run_data, contexts) = (RunData::default(), NodeContexts::default());
    let scope = Scope {
        workflow: &workflow,
        run_data: &run_data,
        node: NodeIndex(0),
        inputs: &inputs,
        source: &[None],
        run_index: 0,
        item_index: 0,
        contexts: &contexts,
        globals: &globals,
    };
    measure(&mut Sandbox::new(Limits::default()), &scope);
}

criterion_group!(benches, bench);
criterion_main!(benches);
