//! The command line: one file per subcommand. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod admin;
mod audit;
mod check;
mod execute;
mod expression;
mod first_run;
mod keys;
mod lines;
mod migrate;
pub mod openapi;
mod outbound;
mod progress;
mod serve;
#[cfg(test)]
mod tests;
mod tls;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::common::error::chain;
use crate::infrastructure::config::{self, Config};
use crate::infrastructure::telemetry;

/// Runs n8n workflows for many tenants.
///
/// Without a command, serves: HTTP API, workers and scheduler in one process.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "millrace", version)]
struct Cli {
    /// Configuration file (TOML). Environment variables MILLRACE__SECTION__KEY win over it.
    #[arg(long, global = true, env = "MILLRACE_CONFIG_FILE", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP, run executions, delete what has expired, or some of these.
    Serve(serve::Args),
    /// Run executions only: the same as `serve --roles worker`.
    Worker(serve::Args),
    /// Show or rotate the keys that encrypt the tenants' data keys.
    Keys(keys::Args),
    /// Bring the database schema up to date.
    Migrate(migrate::Args),
    /// Print the OpenAPI document.
    Openapi(openapi::Args),
    Execute(execute::Args),
    Expression(expression::Args),
    Check(check::Args),
    Admin(admin::Args),
    /// Verify the audit log.
    Audit(audit::Args),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Build(#[from] crate::app::BuildError),
    #[error("the database failed")]
    Database(#[from] crate::infrastructure::database::Error),
    #[error("the encryption keys cannot be used")]
    Credentials(#[from] crate::domains::credentials::Error),
    #[error(
        "cannot listen on {address} (choose another address with --host and --port, or server.host and server.port)"
    )]
    Listen { address: String, source: std::io::Error },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the OpenAPI document cannot be written")]
    Json(#[from] serde_json::Error),
    #[error("the first tenant cannot be made: {0}")]
    FirstRun(String),
    /// What the command was given makes no sense.
    #[error("{0}")]
    Input(String),
    /// The command did what it was asked, and the answer is a failure.
    #[error("{0}")]
    Failed(String),
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        // The reader of our output has seen enough: `millrace openapi | head`.
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            // Nobody is left to tell when standard error is closed.
            drop(writeln!(stderr, "millrace: {}", chain(&error)));
            ExitCode::from(if matches!(error, Error::Config(_) | Error::Input(_)) { 2 } else { 1 })
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Error> {
    let done = match cli.command.unwrap_or_else(|| Command::Serve(serve::Args::default())) {
        Command::Serve(args) => serve::run(load(cli.config.as_deref())?, &args),
        Command::Worker(args) => serve::run(load(cli.config.as_deref())?, &args.worker()),
        Command::Keys(args) => keys::run(load(cli.config.as_deref())?, &args),
        Command::Migrate(args) => migrate::run(&load(cli.config.as_deref())?, &args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Execute(args) => return execute::run(args),
        Command::Expression(args) => expression::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Admin(args) => admin::run(load(cli.config.as_deref())?, &args),
        Command::Audit(args) => audit::run(load(cli.config.as_deref())?, &args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Reads the configuration and starts logging as it says.
fn load(file: Option<&Path>) -> Result<Config, Error> {
    let config = Config::load(file)?;
    telemetry::init_logs(&config.log);
    Ok(config)
}
