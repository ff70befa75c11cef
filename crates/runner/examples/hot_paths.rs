//! One hot path, run so many times and nothing else: `hot_paths PATH TIMES`. What `cargo xtask bench --quick` counts the
//! instructions of.

#[path = "../benches/workload/mod.rs"]
mod workload;

use std::{hint::black_box, io::Write, process::ExitCode, sync::Arc};

use millrace_model::{Item, Items, Value};
use workload::{FILTER, NO_OP, Prepared, SET, chain, numbered};

const WEBHOOK: &str = include_str!("../../../bench/webhook-set-if.json");

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let Some((document, items)) = path_of(&path) else { return ExitCode::from(2) };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return ExitCode::FAILURE };
    match runtime.block_on(repeat(&document, &items, times)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The workflow of a path, and the items it starts with.
fn path_of(path: &str) -> Option<(String, Items)> {
    let native = SET.replace("EXPRESSION", "={{ $json.n * 2 }}");
    let script = SET.replace("EXPRESSION", "={{ [$json.n].map(n => n * 2)[0] }}");
    Some(match path {
        "native-expression" => (chain(&native, 1), numbered(1)),
        "script-expression" => (chain(&script, 1), numbered(1)),
        "engine-step" => (chain(NO_OP, 100), numbered(1)),
        "set-items" => (chain(&native, 1), numbered(1000)),
        "filter-items" => (chain(FILTER, 1), numbered(1000)),
        "webhook-run" => (WEBHOOK.to_owned(), Arc::new(vec![received()])),
        _ => return None,
    })
}

/// What a webhook makes of a call.
fn received() -> Item {
    let text = r#"{"headers":{"host":"localhost:8080","content-type":"application/json","content-length":"20"},
        "params":{},"query":{},"body":{"n":7,"name":"ann"},"webhookUrl":"http://localhost:8080/webhook/bench",
        "executionMode":"production"}"#;
    Item::new(Value::from_json(text).unwrap_or_default())
}

async fn repeat(document: &str, items: &Items, times: usize) -> Result<(), String> {
    let prepared = Prepared::new(document)?;
    for _ in 0..times {
        black_box(prepared.run(items).await?);
    }
    Ok(())
}
