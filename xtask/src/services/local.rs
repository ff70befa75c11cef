//! A server run from this machine's binaries, on a free port, with its data in a scratch directory.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::{Server, Service, postgres, rabbitmq, redis};
use crate::process::Daemon;

/// How many lines of a server's log are shown when it does not start.
const LAST_LINES: usize = 60;

/// A server started here. Stopped when dropped.
pub(super) struct Local {
    pub(super) server: Server,
    pub(super) log: PathBuf,
    // The server itself comes first; what it needs to run is stopped after it.
    pub(super) daemons: Vec<Daemon>,
    /// What started the server.
    pub(super) command: Command,
}

/// Whether the binaries are there.
pub(super) fn is_installed(service: Service) -> bool {
    match service {
        Service::Postgres => postgres::binaries().is_some(),
        Service::Redis => redis::binary().is_some(),
        Service::RabbitMq => rabbitmq::binaries().is_some(),
    }
}

/// The signal that ends a server at once but in order. Nothing it still has in memory is wanted.
pub(super) fn stop_signal(service: Service) -> Signal {
    match service {
        // "Fast shutdown": removes its shared memory, which a kill would leave behind.
        Service::Postgres => Signal::INT,
        Service::Redis => Signal::TERM,
        // An orderly stop of the Erlang machine takes seconds and saves nothing of use.
        Service::RabbitMq => Signal::KILL,
    }
}

impl Local {
    /// Starts the server below `parent`; does not wait for it.
    pub(super) fn spawn(service: Service, parent: &Path) -> Result<Self> {
        let directory = parent.join(service.name());
        fs::create_dir(&directory)?;
        let started = match service {
            Service::Postgres => postgres::spawn(&directory),
            Service::Redis => redis::spawn(&directory),
            Service::RabbitMq => rabbitmq::spawn(&directory),
        };
        started.with_context(|| format!("{} does not start", service.label()))
    }

    /// Stops the server and starts it again on what it kept; does not wait for it.
    pub(super) fn restart(&mut self) -> Result<()> {
        drop(self.daemons.remove(0));
        let daemon = Daemon::spawn(&mut self.command, &self.log, stop_signal(self.server.service))?;
        self.daemons.insert(0, daemon);
        Ok(())
    }

    pub(super) fn label(&self) -> &'static str {
        self.server.service.label()
    }

    /// How the server ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.daemons.first_mut().and_then(Daemon::ended)
    }

    /// The end of the log, to be shown when the server did not start.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        format!("--- the end of its log ---\n{}\n---", tail.join("\n"))
    }
}

/// The program `name` of the search path, or of the places for servers that are not always on it.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    places.map(|place| place.join(name)).find(|candidate| candidate.is_file())
}
