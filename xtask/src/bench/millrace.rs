//! Our own server: the release build with its defaults on a new directory, SQLite, every execution recorded.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde_json::Value;

use super::{figures, http, peer::Peer, scenarios};
use crate::{process::Daemon, scratch::Scratch, services, workspace};

pub(super) struct Millrace {
    server: Option<Daemon>,
    scratch: Scratch,
    port: u16,
    url: String,
    pub key: String,
}

/// The release build.
pub(super) fn binary() -> Result<PathBuf> {
    Ok(workspace::target_directory()?.join("release/millrace"))
}

/// `millrace execute` of a file of `bench/`.
pub(super) fn execute(file: &str) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command
        .args(["execute", "--output", "json", "--workflow"])
        .arg(workspace::root().join(format!("bench/{file}.json")));
    Ok(command)
}

impl Millrace {
    pub(super) fn start() -> Result<Millrace> {
        Self::start_on(None)
    }

    /// On a database of its own (URL), or the embedded one.
    pub(super) fn start_on(database: Option<&str>) -> Result<Millrace> {
        let scratch = Scratch::new("millrace-bench")?;
        let port = services::free_port()?;
        let mut millrace =
            Millrace { server: None, scratch, port, url: format!("http://127.0.0.1:{port}"), key: String::new() };
        if let Some(database) = database {
            fs::write(millrace.scratch.path().join("millrace.toml"), format!("[database]\nurl = \"{database}\"\n"))?;
        }
        millrace.run()?;
        millrace.key = millrace.printed_key()?;
        for file in scenarios::files() {
            let document = fs::read_to_string(workspace::root().join(format!("bench/{file}.json")))?;
            let imported = http::post(&format!("{}/api/v1/workflows/import", millrace.url), &millrace.key, &document)?;
            let id = imported.pointer("/data/0/id").or_else(|| imported.pointer("/id")).and_then(Value::as_str);
            let id = id.with_context(|| format!("{file}.json was not imported: {imported}"))?;
            http::post(&format!("{}/api/v1/workflows/{id}/activate", millrace.url), &millrace.key, "")?;
        }
        http::until_answered(&format!("{}/webhook/bench", millrace.url), Duration::from_secs(10))?;
        Ok(millrace)
    }

    fn run(&mut self) -> Result<()> {
        let mut command = Command::new(binary()?);
        command.args(["serve", "--port", &self.port.to_string()]).current_dir(self.scratch.path());
        command.env("MILLRACE__DATA__DIRECTORY", self.scratch.path().join("data"));
        self.server = Some(Daemon::spawn(&mut command, &self.log(), Signal::TERM)?);
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    /// The database file of the embedded default.
    pub(super) fn database_file(&self) -> PathBuf {
        self.scratch.path().join("data/millrace.db")
    }

    /// The API key that the first start prints.
    fn printed_key(&self) -> Result<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            if let Some(key) = log.lines().find_map(|line| line.trim().strip_prefix("API key")) {
                return Ok(key.trim().to_owned());
            }
            anyhow::ensure!(Instant::now() < deadline, "millrace printed no API key:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Peer for Millrace {
    fn name(&self) -> &'static str {
        "millrace"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn restart(&mut self) -> Result<Duration> {
        self.server = None;
        let begun = Instant::now();
        self.run()?;
        http::until_answered(&format!("{}/webhook/bench", self.url), Duration::from_secs(20))?;
        Ok(begun.elapsed())
    }

    fn megabytes(&self) -> f64 {
        self.server.as_ref().and_then(Daemon::id).map_or(0.0, figures::tree_megabytes)
    }
}
