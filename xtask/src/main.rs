//! `cargo xtask`: the project's own tools. No argument parser, no async runtime: it must build in seconds.

mod arguments;
mod bench;
mod chaos;
mod conformance;
mod fuzz_api;
mod interrupt;
mod n8n;
mod openapi;
mod process;
mod report;
mod scratch;
mod services;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

const HELP: &str = "\
The project's own tools.

Usage: cargo xtask <COMMAND> [OPTIONS]

Commands:
  test [OPTIONS]    Set up what the tests need and pass them all: fmt, tidy, clippy, doc, unit (beside the code of every
                    crate), api (on SQLite), services (api and the server's own unit tests again, on PostgreSQL, Redis
                    and RabbitMQ), instructions (bench --quick).
      --only STEP       Run only this step, or these: `--only fmt,clippy`. May be given more than once.
      --embedded-only   Leave `services` and `instructions` out.
      --keep            Leave the servers running afterwards, as `services up` does.
      --runner NAME     `nextest` or `cargo`; else nextest where it is installed.
  tidy              Check the rules of the house that are neither rustfmt's nor clippy's.
  services up       Start PostgreSQL, Redis and RabbitMQ for tests, and print `export` lines for the shell:
                        eval \"$(cargo xtask services up)\" && cargo test --test api
                    They keep running until `services down`; a second `up` prints the same lines again.
  services down     Stop them and delete their data.
  services status   Print what runs and where. Exit code 1 unless all three answer.
  openapi           Write openapi/openapi.json anew from the handlers.
  conformance [--corpus DIR] [ARGUMENTS]
                    Build the release binary and run `run.py` of a corpus against it, with ARGUMENTS. The corpus is DIR,
                    else $MILLRACE_CORPUS, else ../shared/conformance; where there is none, nothing is checked.
  chaos NAME [--count N] [--release]
                    Run a trial at full size, or N of it:
                      schedules      1,000 schedules due every second for a minute, in peace and with kills and a wrong
                                     clock, on PostgreSQL, Redis and RabbitMQ
                      webhooks       kill the server right after it acknowledged a webhook, 1,000 times
                      webhook-trace  send 100,000 mixed webhooks: valid, forged, oversized, repeated, slow
  fuzz-api [--max-examples N] [ARGUMENTS]
                    Try the API of a running server with schemathesis (Python; installed into the user's cache on first
                    use), as a tenant's owner: no 5xx, no status or body that the OpenAPI document does not promise.
                    ARGUMENTS are schemathesis's own, for example `--include-operation-id create_workflow`.
  n8n               Start a real n8n with two workflows, and pass the test that takes them over and triggers them.
                    MILLRACE_N8N names its directory.
  bench [OPTIONS]   Build the release binary, run every load scenario of bench/ against it, and write
                    bench/results/<date>.md. Wants `wrk`; python3 and psql for the list of executions.
      --peer n8n        The same against n8n, in turn. MILLRACE_N8N names its directory.
      --only TEXT       Only scenarios whose name contains this.
      --seconds N       Load per scenario and number of callers (5).
      --rounds N        Rounds, whose median is reported (3).
      --list-rows N     Executions stored when the list is measured (1000000).
      --output FILE     Where the report goes.
  bench --soak N [--minutes 60]
                    N executions at an even pace; the server's memory after each minute.
  bench --overload [--seconds 10]
                    Half, all and twice of what the server can serve: how long the accepted and the refused wait.
  bench --quick     Count the instructions of six hot paths (wants `valgrind`), and fail where one needs over 10 % more
                    than bench/instructions.json says; `--update` writes that file anew.
  help              Print this.

Environment:
  MILLRACE_TEST_POSTGRES_URL, MILLRACE_TEST_REDIS_URL, MILLRACE_TEST_AMQP_URL
                    Servers for `test`; one that is not given is started with `docker compose` where an engine runs,
                    else from binaries of this machine (installed with apt-get for root on Debian and Ubuntu).
                    The database role must be able to make databases and schemas, and be no superuser.
  CARGO_TARGET_DIR  As for cargo.

Exit codes: 0 done, 1 something failed, 2 wrong arguments, 128 and the signal's number when interrupted.
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_env();
    let command = arguments.next();
    let outcome = match command.as_deref() {
        None | Some("help" | "--help" | "-h") => {
            report::line(HELP);
            return ExitCode::SUCCESS;
        }
        Some("test") => suite::run(arguments),
        Some("tidy") => arguments.finish().and_then(|()| tidy::run()),
        Some("services") => services(arguments),
        Some("openapi") => openapi::run(&arguments),
        Some("chaos") => chaos::run(arguments),
        Some("fuzz-api") => fuzz_api::run(arguments),
        Some("n8n") => n8n::run(&arguments),
        Some("bench") => bench::run(arguments),
        Some("conformance") => conformance::run(arguments),
        Some(other) => {
            report::error(&format!("there is no command `{other}`; see `cargo xtask --help`"));
            return ExitCode::from(2);
        }
    };
    interrupt::stand_still_if_interrupted();
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
    interrupt::listen()?;
    match action.as_deref() {
        Some("up") => services::shared::up(),
        Some("down") => services::shared::down(),
        Some("status") => services::shared::status(),
        _ => bail!(arguments::Wrong("`services` wants `up`, `down` or `status`".into())),
    }
}
