//! Runs one workflow file and prints its result: `execute --workflow FILE --output json [--input FILE] [--mode MODE]
//! [--credentials FILE] [--clock RFC3339] [--timezone IANA] [--allow-files DIR]… [--pin-data]`.
//! For trying out node types; the product's command is `millrace execute`.

use std::{
    io::{BufWriter, Write},
    process::ExitCode,
    sync::{Arc, atomic::AtomicI64},
};

use millrace_engine::Status;
use millrace_expression::Clock;
use millrace_model::{Item, Value};
use millrace_runner::{Document, Limits, LocalExecution, LocalOptions, NoHttp, Unobserved, WithHelpers};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match execute().await {
        Ok(code) => code,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

async fn execute() -> Result<ExitCode, String> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("execute") {
        return Err("unrecognized subcommand: only execute is there".to_owned());
    }
    let options = LocalOptions {
        allowed_folders: Vec::new(),
        credentials: millrace_model::Object::new(),
        workflows: None,
        commands: std::env::var_os("NODES_EXCLUDE").is_some(),
        http: Arc::new(NoHttp),
        catalog: Arc::new(WithHelpers),
        limits: Limits::default(),
    };
    let mut execution = LocalExecution {
        document: Value::Null,
        input: None,
        mode: "manual".into(),
        timezone: "America/New_York".into(),
        clock: Clock::System,
        honour_pins: false,
        options,
    };
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--workflow" => execution.document = read(&value()?)?,
            "--output" => drop(value()?),
            "--input" => execution.input = Some(items(&read(&value()?)?)),
            "--mode" => execution.mode = value()?.into(),
            "--credentials" => {
                execution.options.credentials = read(&value()?)?.as_object().cloned().unwrap_or_default();
            }
            "--clock" => {
                let at: jiff::Timestamp = value()?.parse().map_err(|error| format!("--clock: {error}"))?;
                execution.clock = Clock::Frozen(Arc::new(AtomicI64::new(at.as_millisecond())));
            }
            "--timezone" => execution.timezone = value()?.into(),
            "--allow-files" => execution.options.allowed_folders.push(value()?.into()),
            "--allow-private-network" => {}
            "--pin-data" => execution.honour_pins = true,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    let mode = execution.mode.clone();
    let run = execution.run(&Unobserved, CancellationToken::new()).await;
    let (run, outcome) =
        run.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    let document = Document { run: &run, outcome: &outcome, mode: &mode };
    serde_json::to_writer(&mut output, &document).map_err(|error| error.to_string())?;
    output.flush().map_err(|error| error.to_string())?;
    Ok(ExitCode::from(u8::from(!matches!(outcome.status, Status::Success | Status::Waiting))))
}

fn read(path: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Value::from_json(&text).map_err(|error| format!("{path}: {error}"))
}

fn items(value: &Value) -> Vec<Item> {
    value.as_array().unwrap_or_default().iter().map(Item::from_value).collect()
}
