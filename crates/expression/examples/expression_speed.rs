//! Measures one evaluation of common expressions, on the fast path and in the engine: `cargo run --release --example
//! expression_speed`.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use millrace_expression::{Clock, Globals, Limits, NodeContexts, Sandbox, Scope, Template};
use millrace_model::{Item, NodeIndex, RunData, Str, Value, Workflow, items_of};

const ROUNDS: u32 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = r#"{"nodes": [{"name": "n", "type": "n8n-nodes-base.set", "position": [0, 0], "parameters": {}}], "connections": {}}"#;
    let workflow = Workflow::parse(&Value::from_json(document)?).map_err(|problems| format!("{problems:?}"))?;
    let json = Value::from_json(r#"{"headers": {}, "body": {"n": 7, "name": "ann", "date": "2024-05-10"}}"#)?;
    let inputs = [Some(items_of([Item::new(json)]))];
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
    measure_install()?;
    let given: Vec<String> = std::env::args().skip(1).collect();
    let common = [
        "={{ $json.body.n * 2 }}",
        "=Hello {{ $json.body.name.toUpperCase() }}",
        "={{ $json.body.n > 5 && $json.body.name !== 'bob' }}",
        "={{ [$json.body.n].map(n => n * 2)[0] }}",
        "={{ $json.body.name.hash('sha256') }}",
        "={{ $json.body.date.toDateTime().plus(1, 'day').toISO() }}",
        "={{ (1234.5).toLocaleString('de-DE', { style: 'currency', currency: 'EUR' }) }}",
    ];
    let texts = if given.is_empty() { common.map(str::to_owned).to_vec() } else { given };
    for text in texts {
        let template = Template::compile(&text);
        let mut sandbox = Sandbox::new(Limits::default());
        let begun = Instant::now();
        let value = sandbox.evaluate(&template, &scope)?;
        let first = begun.elapsed();
        sandbox = Sandbox::new(Limits::default());
        let begun = Instant::now();
        sandbox.evaluate(&template, &scope)?;
        let second = begun.elapsed();
        let rounds = if first.as_micros() < 20 { ROUNDS * 10 } else { ROUNDS / 10 };
        let begun = Instant::now();
        for _ in 0..rounds {
            std::hint::black_box(sandbox.evaluate(&template, &scope)?);
        }
        writeln!(
            std::io::stdout(),
            "{:>8} ns each · first {first:?}, first of another sandbox {second:?} · {text} = {}",
            begun.elapsed().as_nanos() / u128::from(rounds),
            value.to_json()
        )?;
    }
    Ok(())
}

/// A fresh context, and what the prelude adds to it before and when parts of it are touched.
fn measure_install() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = rquickjs::Runtime::new()?;
    for (what, touched) in [
        ("no prelude", None),
        ("prelude", Some("")),
        ("a string method", Some("extend")),
        ("dates", Some("DateTime")),
        ("Intl", Some("Intl")),
    ] {
        let begun = Instant::now();
        for _ in 0..200 {
            let context = rquickjs::Context::full(&runtime)?;
            context.with(|ctx| -> rquickjs::Result<()> {
                let Some(name) = touched else { return Ok(()) };
                millrace_expression::prelude::install(&ctx)?;
                match name {
                    "" => Ok(()),
                    "extend" => {
                        let extend: rquickjs::Function = ctx.globals().get(name)?;
                        extend.call::<_, rquickjs::Value>(("a", "isEmpty")).map(drop)
                    }
                    name => ctx.globals().get::<_, rquickjs::Value>(name).map(drop),
                }
            })?;
        }
        writeln!(std::io::stdout(), "{:>8} ns · a context with {what}", begun.elapsed().as_nanos() / 200)?;
    }
    Ok(())
}
