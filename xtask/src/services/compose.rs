//! The servers as containers, with `docker compose`, where an engine really runs.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::{ROLE, Server, Service};
use crate::{interrupt, process, report};

const FILE: &str = include_str!("services.compose.yaml");

/// Whether `docker compose` exists and an engine answers it: the client alone proves nothing.
pub(super) fn is_usable() -> bool {
    let succeeds = |arguments: &[&str]| {
        let mut command = Command::new("docker");
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        command.output().is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().is_empty())
    };
    succeeds(&["compose", "version", "--short"]) && succeeds(&["info", "--format", "{{.ServerVersion}}"])
}

/// A running project. Taken down, with its data, when dropped.
pub(super) struct Compose {
    file: PathBuf,
    project: String,
    down_on_interrupt: Option<interrupt::Registered>,
}

impl Compose {
    /// Starts the wanted services; their images may have to be pulled first.
    pub(super) fn up(directory: &Path, wanted: &[Service]) -> Result<(Self, Vec<Server>)> {
        let file = directory.join("compose.yaml");
        fs::write(&file, FILE)?;
        let project = format!("millrace-test-{}", std::process::id());
        let doomed = (file.clone(), project.clone());
        let down_on_interrupt = interrupt::register(move || take_down(&doomed.0, &doomed.1));
        let compose = Self { file, project, down_on_interrupt: Some(down_on_interrupt) };
        let names: Vec<_> = wanted.iter().map(|service| service.name()).collect();
        report::progress(&format!("starting containers: {}", names.join(", ")));
        let mut up = compose.command(&["up", "--detach", "--wait", "--quiet-pull"]);
        let status = process::run(up.args(&names))?;
        if !status.success() {
            process::run(&mut compose.command(&["logs", "--tail", "60"]))?;
        }
        ensure!(status.success(), "{} failed: {}", process::describe(&up), process::describe_status(status));
        let servers = wanted.iter().map(|service| compose.server(*service)).collect::<Result<_>>()?;
        if wanted.contains(&Service::Postgres) {
            compose.make_database()?;
        }
        Ok((compose, servers))
    }

    /// Lets the containers outlive this program; the answer is what [`take_down`] wants.
    pub(super) fn detach(mut self) -> (PathBuf, String) {
        self.down_on_interrupt = None;
        (self.file.clone(), self.project.clone())
    }

    fn server(&self, service: Service) -> Result<Server> {
        let inside = match service {
            Service::Postgres => "5432",
            Service::Redis => "6379",
            Service::RabbitMq => "5672",
        };
        let address = process::capture(&mut self.command(&["port", service.name(), inside]))?;
        let port = address.trim().rsplit_once(':').context("no port is published")?.1;
        let url = match service {
            Service::Postgres => format!("postgres://{ROLE}:{ROLE}@127.0.0.1:{port}/{ROLE}"),
            Service::Redis => format!("redis://127.0.0.1:{port}"),
            Service::RabbitMq => format!("amqp://guest:guest@127.0.0.1:{port}/%2f"),
        };
        Ok(Server { service, url })
    }

    fn make_database(&self) -> Result<()> {
        for statement in [
            format!("CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '{ROLE}'"),
            format!("CREATE DATABASE {ROLE} OWNER {ROLE}"),
        ] {
            process::capture(
                &mut self.command(&["exec", "-T", "postgres", "psql", "-U", "postgres", "-c", &statement]),
            )?;
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(&self.file, &self.project, arguments)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if self.down_on_interrupt.take().is_some() {
            take_down(&self.file, &self.project);
        }
    }
}

/// Removes a project's containers and data.
pub(super) fn take_down(file: &Path, project: &str) {
    // Not through `process`, which starts nothing more once there was a signal.
    let mut down = command(file, project, &["down", "--volumes", "--timeout", "3"]);
    down.stdin(Stdio::null()).process_group(0).status().ok();
}

fn command(file: &Path, project: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.arg("compose").arg("--file").arg(file).args(["--project-name", project]).args(arguments);
    command
}
