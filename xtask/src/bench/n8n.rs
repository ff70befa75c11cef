//! n8n, where its set-up script has put it: its defaults, SQLite, every execution recorded.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::{figures, http, peer::Peer, scenarios};
use crate::{process, process::Daemon, scratch::Scratch, workspace};

const URL: &str = "http://127.0.0.1:5678";

pub(super) struct N8n {
    server: Option<Daemon>,
    scratch: Scratch,
}

/// A shell in which n8n is a command, with a home of its own.
pub(crate) fn shell(home: &std::path::Path, command: &str) -> Result<Command> {
    let beside = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/millrace-peers/n8n"));
    let directory = env::var_os("MILLRACE_N8N").map(PathBuf::from).or_else(beside).context("HOME is not set")?;
    let environment = directory.join("env.sh");
    ensure!(environment.is_file(), "n8n is not set up at {}; MILLRACE_N8N names its directory", directory.display());
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!(". \"$0\"; export N8N_USER_FOLDER=\"$1\"; {command}")]).arg(environment).arg(home);
    Ok(shell)
}

/// `n8n execute` of a file of `bench/`, imported before.
pub(super) fn execute(file: &str) -> Result<Command> {
    let home = env::temp_dir().join("millrace-bench-n8n");
    fs::create_dir_all(&home)?;
    let path = workspace::root().join(format!("bench/{file}.json"));
    let id = identity(&path)?;
    process::capture(&mut shell(&home, &format!("n8n import:workflow --input='{}'", path.display()))?)?;
    // Replaced by the program itself, so that it is what is measured.
    let script = format!("exec node \"$(dirname \"$0\")/app/node_modules/n8n/bin/n8n\" execute --id={id}");
    shell(&home, &script)
}

fn identity(path: &std::path::Path) -> Result<String> {
    let document: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    Ok(document.get("id").and_then(Value::as_str).context("a workflow without id")?.to_owned())
}

impl N8n {
    pub(super) fn start() -> Result<N8n> {
        let scratch = Scratch::new("millrace-bench-n8n")?;
        for file in scenarios::files() {
            let path = workspace::root().join(format!("bench/{file}.json"));
            let id = identity(&path)?;
            let commands =
                format!("n8n import:workflow --input='{}' && n8n publish:workflow --id={id}", path.display());
            process::capture(&mut shell(scratch.path(), &commands)?)?;
        }
        let mut n8n = N8n { server: None, scratch };
        n8n.restart()?;
        Ok(n8n)
    }
}

impl Peer for N8n {
    fn name(&self) -> &'static str {
        "n8n"
    }

    fn url(&self) -> &'static str {
        URL
    }

    fn restart(&mut self) -> Result<Duration> {
        self.server = None;
        let log = self.scratch.path().join("log");
        let begun = Instant::now();
        let start = "exec node \"$(dirname \"$0\")/app/node_modules/n8n/bin/n8n\" start";
        self.server = Some(Daemon::spawn(&mut shell(self.scratch.path(), start)?, &log, Signal::TERM)?);
        http::until_answered(&format!("{URL}/webhook/bench"), Duration::from_secs(120))?;
        Ok(begun.elapsed())
    }

    fn megabytes(&self) -> f64 {
        self.server.as_ref().and_then(Daemon::id).map_or(0.0, figures::tree_megabytes)
    }
}
