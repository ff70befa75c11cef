//! `cargo xtask chaos`: tests that kill processes or flood them, at full size; `cargo xtask test` runs small ones of them.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    arguments::{Arguments, Wrong},
    interrupt, process, report,
    scratch::Scratch,
    services::{Plan, Service, Services},
    workspace,
};

/// Tells a trial where to ask for the restart of a server.
const RESTARTS: &str = "MILLRACE_CHAOS_RESTARTS";

/// A test and the variable that says how large it is.
struct Trial {
    name: &'static str,
    /// The test binary, and how the names of its tests begin.
    binary: &'static str,
    test: &'static str,
    variable: &'static str,
    full: &'static str,
    /// It wants PostgreSQL, Redis and RabbitMQ.
    services: bool,
}

const TRIALS: &[Trial] = &[
    Trial {
        name: "schedules",
        binary: "chaos",
        test: "schedules",
        variable: "MILLRACE_CHAOS_SCHEDULES",
        full: "1000",
        services: true,
    },
    Trial {
        name: "embedded",
        binary: "api",
        test: "executions::killed::every",
        variable: "MILLRACE_CHAOS_EXECUTIONS",
        full: "10000",
        services: false,
    },
    Trial {
        name: "shared",
        binary: "api",
        test: "executions::shared",
        variable: "MILLRACE_CHAOS_SHARED",
        full: "10000",
        services: true,
    },
    Trial {
        name: "programs",
        binary: "api",
        test: "executions::killed::random",
        variable: "MILLRACE_CHAOS_PROGRAMS",
        full: "100",
        services: false,
    },
    Trial {
        name: "calls",
        binary: "api",
        test: "executions::calls::callers_and_called",
        variable: "MILLRACE_CHAOS_CALLS",
        full: "1000",
        services: false,
    },
    Trial {
        name: "webhooks",
        binary: "api",
        test: "webhooks::killed",
        variable: "MILLRACE_CHAOS_ROUNDS",
        full: "1000",
        services: false,
    },
    Trial {
        name: "webhook-trace",
        binary: "api",
        test: "webhooks::trace",
        variable: "MILLRACE_TRACE_REQUESTS",
        full: "100000",
        services: false,
    },
];

pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let release = arguments.flag("--release");
    let count = arguments.option("--count")?;
    let name = arguments.next();
    arguments.finish()?;
    let Some(trial) = TRIALS.iter().find(|trial| Some(trial.name) == name.as_deref()) else {
        let names: Vec<&str> = TRIALS.iter().map(|trial| trial.name).collect();
        bail!(Wrong(format!("`chaos` wants one of: {}", names.join(", "))));
    };
    interrupt::listen()?;
    let mut services = if trial.services { Some(Services::start(&Plan::new())?) } else { None };
    // The whole workspace, as the suite builds it: other features would build everything anew.
    let mut cargo = vec!["test", "--workspace", "--locked", "--test", trial.binary];
    if release {
        cargo.push("--release");
    }
    // One after the other: each wants the machine to itself.
    cargo.extend(["--", trial.test, "--nocapture", "--test-threads", "1"]);
    let mut command = workspace::cargo(&cargo);
    command.env(trial.variable, count.as_deref().unwrap_or(trial.full));
    command.envs(services.iter().flat_map(Services::environment));
    let Some(services) = services.as_mut().filter(|services| services.are_own()) else {
        report::progress(&process::describe(&command));
        return Ok(process::run(&mut command)?.success());
    };
    let requests = Scratch::new("millrace-restarts")?;
    command.env(RESTARTS, requests.path());
    report::progress(&process::describe(&command));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| restart_on_request(services, requests.path(), &is_over));
        let status = process::run(&mut command);
        is_over.store(true, Ordering::Relaxed);
        Ok(status?.success())
    })
}

/// Restarts a server when a trial makes a file of its name, and removes the file when the server answers again.
fn restart_on_request(services: &mut Services, requests: &Path, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        for service in Service::ALL {
            let request = requests.join(service.name());
            if !request.exists() {
                continue;
            }
            match services.restart(service) {
                Ok(()) => report::progress(&format!("{} was restarted", service.label())),
                Err(error) => report::error(&format!("{} was not restarted: {error:#}", service.label())),
            }
            // A trial that waits in vain fails by itself.
            fs::remove_file(request).ok();
        }
        thread::sleep(Duration::from_millis(50));
    }
}
