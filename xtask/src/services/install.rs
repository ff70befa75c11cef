//! Debian's packages of the servers, for root on a machine that lacks them: a continuous integration machine, mostly.

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Result, ensure};

use super::{Service, local::program};
use crate::{process, report};

pub(super) fn is_possible() -> bool {
    rustix::process::geteuid().is_root() && Path::new("/etc/debian_version").exists() && program("apt-get").is_some()
}

/// The servers' packages.
pub(super) fn install(services: &[Service]) -> Result<()> {
    let packages = services.iter().map(|service| match service {
        Service::Postgres => "postgresql",
        Service::Redis => "redis-server",
        Service::RabbitMq => "rabbitmq-server",
    });
    install_packages(&packages.collect::<Vec<_>>())
}

/// Sees to it that a program of the Debian package of its name is there.
pub(crate) fn need(name: &str) -> Result<()> {
    if program(name).is_some() {
        return Ok(());
    }
    ensure!(is_possible(), "`{name}` is missing, and no right to install it here");
    install_packages(&[name])
}

pub(super) fn install_packages(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    report::progress(&format!("installing {} with apt-get", packages.join(", ")));
    let begin = Instant::now();
    apt_get(&["update", "-qq"])?;
    apt_get(&[["install", "-qq", "-y", "--no-install-recommends"].as_slice(), packages].concat())?;
    report::progress(&format!("installed in {}", report::duration(begin.elapsed())));
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    // With run level 1 the packages' scripts do not start the servers they install: the tests start their own.
    command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    let (status, output) = process::converse(&mut command, "")?;
    let what = process::describe(&command);
    ensure!(status.success(), "{what} failed: {}\n{output}", process::describe_status(status));
    Ok(())
}
