//! `cargo xtask`: the project's own tools. No argument parser, no async runtime: it must build in seconds.

mod arguments;
mod process;
mod report;
mod scratch;
mod services;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

const HELP: &str = "\
The project's own tools.

Usage: cargo xtask <COMMAND> [OPTIONS]

Commands:
  services up       Start PostgreSQL, Redis and RabbitMQ for tests, and print `export` lines for the shell:
                        eval \"$(cargo xtask services up)\" && cargo test --test api
                    They keep running until `services down`; a second `up` prints the same lines again.
  services down     Stop them and delete their data.
  services status   Print what runs, where, and its log. Exit code 1 unless all three answer.

Environment:
  MILLRACE_TEST_POSTGRES_URL, MILLRACE_TEST_REDIS_URL, MILLRACE_TEST_AMQP_URL
                    Servers to test against; one that is not given is started with `docker compose` where an engine
                    runs, else from binaries of this machine (installed with apt-get for root on Debian and Ubuntu).
  CARGO_TARGET_DIR  As for cargo.

Exit codes: 0 done, 1 something failed, 2 wrong arguments, 130 interrupted.
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_env();
    let command = arguments.next();
    let outcome = match command.as_deref() {
        None | Some("help" | "--help" | "-h") => {
            report::line(HELP);
            return ExitCode::SUCCESS;
        }
        Some("services") => services(arguments),
        Some(other) => {
            report::error(&format!("there is no command `{other}`; see `cargo xtask --help`"));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.is::<arguments::Wrong>() => {
            report::error(&error.to_string());
            ExitCode::from(2)
        }
        Err(error) => {
            report::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn services(mut arguments: Arguments) -> Result<bool> {
    let action = arguments.next();
    arguments.finish()?;
    process::stop_everything_on_signals()?;
    match action.as_deref() {
        Some("up") => services::shared::up(),
        Some("down") => services::shared::down(),
        Some("status") => services::shared::status(),
        _ => bail!(arguments::Wrong("`services` wants `up`, `down` or `status`".into())),
    }
}
