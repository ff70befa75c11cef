//! `cargo xtask services`: servers that keep running between test runs, one set per user, whatever the worktree.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Plan, Server, Service, Services, compose, local, probe};
use crate::{process, report, scratch};

/// Starts the servers unless they run already, and prints `export` lines.
pub(crate) fn up() -> Result<bool> {
    for server in running()? {
        report::line(&format!("export {}='{}'", server.service.variable(), server.url));
    }
    Ok(true)
}

/// The servers, started if they do not run yet.
pub(crate) fn running() -> Result<Vec<Server>> {
    let (directory, _lock) = lock()?;
    if let Some(record) = Record::read(&directory) {
        if record.answers() {
            return Ok(record.servers);
        }
        record.stop();
    }
    let record = Record::of(Services::start(&Plan::with(|_| None))?);
    fs::write(record_file(&directory), record.to_json().to_string())?;
    Ok(record.servers)
}

/// Stops the servers and deletes their data.
pub(crate) fn down() -> Result<bool> {
    let (directory, _lock) = lock()?;
    match Record::read(&directory) {
        Some(record) => {
            record.stop();
            fs::remove_file(record_file(&directory))?;
            report::progress("services are stopped");
        }
        None => report::progress("no services are running"),
    }
    Ok(true)
}

/// Prints a line per server; false unless all of them answer.
pub(crate) fn status() -> Result<bool> {
    let (directory, _lock) = lock()?;
    let Some(record) = Record::read(&directory) else {
        report::line("no services are running; start them with `cargo xtask services up`");
        return Ok(false);
    };
    let mut all = true;
    for server in &record.servers {
        let answers = probe::answers(server);
        all &= answers;
        let state = if answers { "answers" } else { "does not answer" };
        report::line(&format!("{:<10} {state:<15} {}", server.service.label(), server.url));
    }
    report::line(&format!("data and logs: {}", record.directory.display()));
    Ok(all)
}

/// What is remembered between two calls.
#[derive(Debug)]
struct Record {
    servers: Vec<Server>,
    processes: Vec<Process>,
    compose: Option<(PathBuf, String)>,
    directory: PathBuf,
}

#[derive(Debug)]
struct Process {
    service: Service,
    id: u32,
    /// Tells it from a later process with the same id.
    started_at: u64,
}

impl Record {
    fn of(services: Services) -> Self {
        let mut processes = Vec::new();
        for local in services.local {
            let service = local.server.service;
            let ids = local.daemons.into_iter().filter_map(process::Daemon::detach);
            processes.extend(ids.map(|id| {
                let started_at = process::started_at(id).unwrap_or_default();
                Process { service, id, started_at }
            }));
        }
        let compose = services.compose.map(compose::Compose::detach);
        Self { servers: services.servers, processes, compose, directory: services.scratch.keep() }
    }

    fn answers(&self) -> bool {
        self.servers.len() == Service::ALL.len() && self.servers.iter().all(probe::answers)
    }

    fn stop(&self) {
        let alive = self.processes.iter().filter(|process| process::started_at(process.id) == Some(process.started_at));
        process::stop_groups(
            &alive.map(|process| (process.id, local::stop_signal(process.service))).collect::<Vec<_>>(),
        );
        if let Some((file, project)) = &self.compose {
            compose::take_down(file, project);
        }
        scratch::remove(&self.directory);
    }

    fn to_json(&self) -> Value {
        let servers = self.servers.iter().map(|server| json!({"service": server.service.name(), "url": server.url}));
        let processes = self.processes.iter().map(
            |process| json!({"service": process.service.name(), "id": process.id, "startedAt": process.started_at}),
        );
        json!({
            "servers": servers.collect::<Vec<_>>(),
            "processes": processes.collect::<Vec<_>>(),
            "compose": self.compose.as_ref().map(|(file, project)| json!({"file": file, "project": project})),
            "directory": self.directory,
        })
    }

    /// `None` when there is no record, or one that an older version of this program wrote.
    fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(record_file(directory)).ok()?;
        Self::from_json(&serde_json::from_str(&text).ok()?)
    }

    fn from_json(record: &Value) -> Option<Self> {
        let server = |entry: &Value| {
            Some(Server { service: service_named(entry)?, url: entry.get("url")?.as_str()?.to_owned() })
        };
        let process = |entry: &Value| {
            let id = entry.get("id")?.as_u64()?.try_into().ok()?;
            Some(Process { service: service_named(entry)?, id, started_at: entry.get("startedAt")?.as_u64()? })
        };
        let compose = |entry: &Value| {
            Some((PathBuf::from(entry.get("file")?.as_str()?), entry.get("project")?.as_str()?.to_owned()))
        };
        Some(Self {
            servers: record.get("servers")?.as_array()?.iter().map(server).collect::<Option<_>>()?,
            processes: record.get("processes")?.as_array()?.iter().map(process).collect::<Option<_>>()?,
            compose: record.get("compose").and_then(compose),
            directory: PathBuf::from(record.get("directory")?.as_str()?),
        })
    }
}

fn service_named(entry: &Value) -> Option<Service> {
    let name = entry.get("service")?.as_str()?;
    Service::ALL.into_iter().find(|service| service.name() == name)
}

fn record_file(directory: &Path) -> PathBuf {
    directory.join("running.json")
}

/// The directory of the record, held until the file is dropped: two shells may call `up` at once.
fn lock() -> Result<(PathBuf, File)> {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let directory = cache.or_else(home).context("neither HOME nor XDG_CACHE_HOME is set")?.join("millrace/services");
    fs::create_dir_all(&directory)?;
    let file = File::create(directory.join("lock"))?;
    file.lock()?;
    Ok((directory, file))
}
