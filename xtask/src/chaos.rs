//! `cargo xtask chaos`: tests of many processes, some of which are killed, on PostgreSQL, Redis and RabbitMQ.

use anyhow::{Result, bail};

use crate::{
    arguments::{Arguments, Wrong},
    interrupt, process, report,
    services::{Plan, Services},
    workspace,
};

/// Beginnings of the names of tests in `tests/chaos/`.
const NAMES: [&str; 1] = ["schedules"];

pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let release = arguments.flag("--release");
    let name = arguments.next();
    arguments.finish()?;
    let Some(name) = name.filter(|name| NAMES.contains(&name.as_str())) else {
        bail!(Wrong(format!("`chaos` wants one of: {}", NAMES.join(", "))));
    };
    interrupt::listen()?;
    let services = Services::start(&Plan::new())?;
    let mut cargo = vec!["test", "--locked", "--test", "chaos"];
    if release {
        cargo.push("--release");
    }
    // One after the other: each wants the machine to itself.
    cargo.extend(["--", &*name, "--ignored", "--nocapture", "--test-threads", "1"]);
    let mut command = workspace::cargo(&cargo);
    report::progress(&process::describe(&command));
    Ok(process::run(command.envs(services.environment()))?.success())
}
