//! `millrace execute`: runs one workflow file, without server or database, and prints its result.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, atomic::AtomicI64};
use std::time::Duration;

use clap::ValueEnum;
use millrace_engine::{Outcome, Run, Status};
use millrace_expression::Clock;
use millrace_model::{Item, Object, Value};
use millrace_runner::{Document, Limits, LocalExecution, LocalOptions, WithHelpers};
use tokio_util::sync::CancellationToken;

use super::Error;
use super::outbound::Outbound;
use super::progress::Progress;

/// Runs one workflow file, without server or database, and prints its result.
///
/// Exit codes: 0 the run succeeded or waits, 1 it ended otherwise (its result is printed all the same), 2 the arguments
/// are wrong or the workflow cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The workflow, an n8n export
    #[arg(long, value_name = "FILE")]
    workflow: PathBuf,
    /// What to print: the whole result as one JSON document, or a line for each node
    #[arg(long, value_enum, default_value_t = Format::Summary)]
    output: Format,
    /// Items of the start node, a JSON array [default: one empty item]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Execution mode that the workflow sees: manual, trigger, webhook, integrated, cli, …
    #[arg(long, default_value = "manual")]
    mode: String,
    /// Credentials: a JSON object, credential type to decrypted data; types that are missing are empty
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Stop the clock at this instant; waiting moves it on at once
    #[arg(long, value_name = "RFC3339")]
    clock: Option<jiff::Timestamp>,
    /// Time zone of workflows that name none
    #[arg(long, value_name = "IANA", default_value = "America/New_York")]
    timezone: String,
    /// Let nodes send requests to this machine and to private networks
    #[arg(long)]
    allow_private_network: bool,
    /// Folder that nodes may read and write (may be given several times)
    #[arg(long, value_name = "DIR")]
    allow_files: Vec<PathBuf>,
    /// Let nodes run commands on this machine
    #[arg(long)]
    allow_commands: bool,
    /// Let pinned nodes put out their pins instead of executing them
    #[arg(long)]
    pin_data: bool,
    /// Most seconds the run may take
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Summary,
}

pub(super) fn run(args: Args) -> Result<ExitCode, Error> {
    run_to(args, &mut BufWriter::with_capacity(1 << 16, std::io::stdout().lock()))
}

pub(super) fn run_to(args: Args, output: &mut impl Write) -> Result<ExitCode, Error> {
    // One thread: a single run has no use for more, and starts sooner.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (format, mode) = (args.output, args.mode.clone());
    let execution = prepare(args)?;
    let progress = Progress::start();
    let cancel = CancellationToken::new();
    let finished = runtime.block_on(async {
        let canceling = cancel.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                canceling.cancel();
            }
        });
        execution.run(&progress, cancel).await
    });
    progress.finish();
    let (run, outcome) = finished.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem} [{}]", problem.code)).collect();
        Error::Input(format!("the workflow cannot run:{}", lines.concat()))
    })?;
    match format {
        Format::Json => {
            let document = Document { run: &run, outcome: &outcome, mode: &mode };
            serde_json::to_writer(&mut *output, &document).map_err(std::io::Error::from)?;
            writeln!(output)?;
        }
        Format::Summary => summarize(&run, &outcome, output)?,
    }
    output.flush()?;
    Ok(match outcome.status {
        Status::Success | Status::Waiting => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn prepare(args: Args) -> Result<LocalExecution, Error> {
    if jiff::tz::TimeZone::get(&args.timezone).is_err() {
        return Err(Error::Input(format!("there is no time zone \"{}\"", args.timezone)));
    }
    let limits = Limits { timeout: args.timeout.map(Duration::from_secs), ..Limits::default() };
    let options = LocalOptions {
        credentials: args.credentials.as_deref().map(read_object).transpose()?.unwrap_or_default(),
        workflows: args.workflow.parent().map(Path::to_owned),
        commands: args.allow_commands || commands_of_environment(),
        http: Arc::new(Outbound::new(args.allow_private_network)),
        catalog: Arc::new(WithHelpers),
        allowed_folders: args.allow_files,
        limits,
    };
    Ok(LocalExecution {
        document: read(&args.workflow)?,
        input: args.input.as_deref().map(read_items).transpose()?,
        mode: args.mode.into(),
        timezone: args.timezone.into(),
        clock: match args.clock {
            Some(at) => Clock::Frozen(Arc::new(AtomicI64::new(at.as_millisecond()))),
            None => Clock::System,
        },
        honour_pins: args.pin_data,
        options,
    })
}

/// n8n's variable `NODES_EXCLUDE` lists the node types that are switched off. Commands are off unless it is set and
/// leaves them out.
fn commands_of_environment() -> bool {
    std::env::var("NODES_EXCLUDE").is_ok_and(|excluded| !excluded.contains("executeCommand"))
}

/// A line for each node run, in order, then how it ended.
fn summarize(run: &Run, outcome: &Outcome, output: &mut impl Write) -> std::io::Result<()> {
    let runs = run.data().iter().flat_map(|(node, runs)| runs.iter().map(move |run| (node, run)));
    let mut runs: Vec<_> = runs.collect();
    runs.sort_by_key(|(_, run)| run.execution_index);
    for (node, record) in runs {
        let lists = record.outputs.iter().flatten();
        let items: Vec<String> = lists.map(|items| items.as_ref().map_or(0, |items| items.len()).to_string()).collect();
        let unit = if items == ["1"] { "item" } else { "items" };
        let error = record.error.as_ref().map(|error| format!("  {error}")).unwrap_or_default();
        let name = &run.workflow().node(node).name;
        writeln!(output, "{:>6} ms  {name}: {} {unit}{error}", record.execution_time, items.join(" | "))?;
    }
    let error = outcome.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    writeln!(output, "{}{error}", outcome.status.as_str())
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Error::Input(format!("cannot read {}: {error}", path.display())))?;
    Value::from_json(&text).map_err(|error| Error::Input(format!("{} is not valid JSON: {error}", path.display())))
}

fn read_object(path: &Path) -> Result<Object, Error> {
    match read(path)? {
        Value::Object(object) => Ok(object),
        other => Err(Error::Input(format!("{} holds no JSON object but {}", path.display(), other.kind()))),
    }
}

fn read_items(path: &Path) -> Result<Vec<Item>, Error> {
    match read(path)? {
        Value::Array(items) => Ok(items.iter().map(Item::from_value).collect()),
        other => Err(Error::Input(format!("{} holds no JSON array but {}", path.display(), other.kind()))),
    }
}
