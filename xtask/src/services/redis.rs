//! Redis from local binaries: in memory only.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{
    Server, Service,
    local::{Local, program, stop_signal},
    probe::free_port,
};
use crate::process::Daemon;

pub(super) fn binary() -> Option<PathBuf> {
    program("redis-server").or_else(|| program("valkey-server"))
}

pub(super) fn spawn(directory: &Path) -> Result<Local> {
    let port = free_port()?;
    let mut command = Command::new(binary().context("no redis-server")?);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"]).arg(directory);
    let log = directory.join("log");
    let daemon = Daemon::spawn(&mut command, &log, stop_signal(Service::Redis))?;
    let server = Server { service: Service::Redis, url: format!("redis://127.0.0.1:{port}") };
    Ok(Local { server, log, daemons: vec![daemon], command })
}
