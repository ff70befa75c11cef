//! `cargo xtask fuzz-api`: schemathesis against a running server and its OpenAPI document, as the owner of a tenant. It fails on
//! any 5xx, and on any status, content type or body that the document does not promise.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::{
    arguments::Arguments,
    interrupt,
    process::{self, Daemon},
    report,
    scratch::Scratch,
    workspace,
};

/// Pinned: another version finds other things, and a build must not fail because of that.
const VERSION: &str = "4.32.5";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
const START: Duration = Duration::from_secs(60);

pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let examples = arguments.option("--max-examples")?.unwrap_or_else(|| "20".to_owned());
    let rest = arguments.rest();
    interrupt::listen()?;
    let schemathesis = install()?;
    let built = process::run(&mut workspace::cargo(&["build", "--workspace", "--locked", "--bin", "millrace"]))?;
    ensure!(built.success(), "the build failed");
    let scratch = Scratch::new("millrace-fuzz")?;
    let log = scratch.path().join("server.log");
    let (mut server, address) = serve(scratch.path(), &log)?;
    let key = first_key(&mut server, &log, &address)?;

    let mut command = Command::new(schemathesis);
    command.current_dir(scratch.path());
    command.args(["run", &format!("http://{address}/api-docs/openapi.json"), "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples, "--continue-on-failure"]);
    command.args(["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off"]);
    command.args(["--header", &format!("X-API-Key: {key}")]).args(rest);
    let passed = process::run(&mut command)?.success();
    ensure!(server.ended().is_none(), "the server did not survive: see its log\n{}", last_lines(&log));
    let panics = fs::read_to_string(&log)?.lines().filter(|line| line.contains("a handler panicked")).count();
    ensure!(panics == 0, "{panics} requests made a handler panic\n{}", last_lines(&log));
    Ok(passed)
}

/// The program, in a virtual environment of its own below the user's cache.
fn install() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let home = cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("millrace");
    let environment = home.join(format!("schemathesis-{VERSION}"));
    let program = environment.join("bin/schemathesis");
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    report::progress(&format!("installing schemathesis {VERSION} into {}", environment.display()));
    let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
        .context("schemathesis needs python3 with venv")?;
    ensure!(made.success(), "python3 cannot make a virtual environment");
    let mut pip = Command::new(environment.join("bin/pip"));
    let installed = process::run(pip.args(["install", "--quiet", &format!("schemathesis=={VERSION}")]))?;
    ensure!(installed.success(), "pip cannot install schemathesis {VERSION}");
    Ok(program)
}

/// A server on a port of its own, with nothing in its database and no limits on requests.
fn serve(directory: &Path, log: &Path) -> Result<(Daemon, String)> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new(workspace::target_directory()?.join("debug/millrace"));
    command.current_dir(directory).arg("serve");
    for (setting, value) in [
        ("SERVER__PORT", port.to_string().as_str()),
        ("LOG__FORMAT", "json"),
        ("AUTH__ARGON2_MEMORY_KIB", "64"),
        ("AUTH__ARGON2_PASSES", "1"),
        ("LIMITS__API_REQUESTS_PER_MINUTE", "0"),
        ("LIMITS__USER_REQUESTS_PER_MINUTE", "0"),
        ("LIMITS__API_KEY_REQUESTS_PER_MINUTE", "0"),
        ("LIMITS__ADDRESS_REQUESTS_PER_MINUTE", "0"),
        ("LIMITS__ANONYMOUS_REQUESTS_PER_MINUTE", "0"),
        ("EXECUTIONS__TIMEOUT_SECONDS", "5"),
        ("EXECUTIONS__ANSWER_TIMEOUT_SECONDS", "5"),
    ] {
        command.env(format!("MILLRACE__{setting}"), value);
    }
    Ok((Daemon::spawn(&mut command, log, Signal::TERM)?, format!("127.0.0.1:{port}")))
}

/// The API key that the first start prints; once it is there, the server answers.
fn first_key(server: &mut Daemon, log: &Path, address: &str) -> Result<String> {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        let text = fs::read_to_string(log).unwrap_or_default();
        let key = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '-');
        let key = key.into_iter().find(|word| word.starts_with("mrk_"));
        if let Some(key) = key.filter(|_| TcpStream::connect(address).is_ok()) {
            return Ok(key.to_owned());
        }
        if let Some(status) = server.ended() {
            bail!("the server did not start: {}\n{}", process::describe_status(status), last_lines(log));
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("the server does not answer\n{}", last_lines(log))
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n")
}
