//! `cargo xtask bench`: the load scenarios of `bench/` against a release build, beside another server where one is asked
//! for, in turn on the same machine. Every figure is the median of several rounds; the report says how far they lay apart.

mod endurance;
mod figures;
mod floor;
mod http;
pub(crate) mod instructions;
mod load;
mod measured;
mod millrace;
pub(crate) mod n8n;
mod pace;
mod peer;
mod report;
mod rows;
mod scenarios;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    arguments::{Arguments, Wrong},
    interrupt, process, report as say, services, workspace,
};
use measured::Measured;
use peer::Peer;
use scenarios::{CONNECTIONS, SCENARIOS};

/// What is measured, and how long.
pub(crate) struct Plan {
    /// Seconds of load per scenario, number of connections and round.
    seconds: u64,
    rounds: usize,
    /// Only scenarios whose name contains this.
    only: Option<String>,
    peers: Vec<String>,
    /// Executions in the table when it is listed.
    list_rows: u64,
}

pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    if arguments.flag("--quick") {
        let update = arguments.flag("--update");
        arguments.finish()?;
        interrupt::listen()?;
        return if update { instructions::update() } else { instructions::check() };
    }
    if let Some(executions) = number(&mut arguments, "--soak")? {
        let minutes = number(&mut arguments, "--minutes")?.unwrap_or(60).max(1);
        arguments.finish()?;
        return prepared().and_then(|()| endurance::soak(executions, minutes));
    }
    if arguments.flag("--overload") {
        let seconds = number(&mut arguments, "--seconds")?.unwrap_or(10).max(1);
        arguments.finish()?;
        return prepared().and_then(|()| endurance::overload(seconds));
    }
    let plan = Plan {
        seconds: number(&mut arguments, "--seconds")?.unwrap_or(5),
        rounds: usize::try_from(number(&mut arguments, "--rounds")?.unwrap_or(3)).unwrap_or(3).max(1),
        list_rows: number(&mut arguments, "--list-rows")?.unwrap_or(1_000_000),
        only: arguments.option("--only")?,
        peers: std::iter::from_fn(|| arguments.option("--peer").transpose()).collect::<Result<_>>()?,
    };
    let output = arguments.option("--output")?.map(PathBuf::from);
    arguments.finish()?;
    if let Some(unknown) = plan.peers.iter().find(|name| *name != "n8n") {
        return Err(Wrong(format!("`{unknown}` is no peer; there is `n8n`")).into());
    }
    prepared()?;
    let mut measured = Measured::default();
    floor::measure(&plan, &mut measured)?;
    for round in 0..plan.rounds {
        for name in std::iter::once("millrace").chain(plan.peers.iter().map(String::as_str)) {
            say::progress(&format!("round {} of {}: {name}", round + 1, plan.rounds));
            let mut peer = start(name)?;
            measure_server(&plan, peer.as_mut(), &mut measured)?;
            drop(peer);
            measure_commands(&plan, name, &mut measured)?;
        }
    }
    if plan.takes("list") {
        rows::measure(&plan, &mut measured)?;
    }
    let file = report::write(&plan, &measured, output)?;
    say::progress(&format!("written to {}", file.display()));
    Ok(true)
}

/// Builds what is measured, and finds what measures it.
fn prepared() -> Result<()> {
    interrupt::listen()?;
    let build = ["build", "--release", "--locked", "--bin", "millrace", "--example", "floor"];
    ensure!(process::run(&mut workspace::cargo(&build))?.success(), "the release build failed");
    services::need("wrk")
}

impl Plan {
    fn takes(&self, scenario: &str) -> bool {
        self.only.as_deref().is_none_or(|only| scenario.contains(only))
    }
}

fn number(arguments: &mut Arguments, name: &str) -> Result<Option<u64>> {
    let parse = |text: String| text.parse().map_err(|_| Wrong(format!("`{name}` wants a number, not `{text}`")).into());
    arguments.option(name)?.map(parse).transpose()
}

/// A server of that name with every workflow of `bench/` active.
fn start(name: &str) -> Result<Box<dyn Peer>> {
    Ok(match name {
        "n8n" => Box::new(n8n::N8n::start()?),
        _ => Box::new(millrace::Millrace::start()?),
    })
}

/// The scenarios that are called over HTTP, from the server's start to its memory afterwards.
fn measure_server(plan: &Plan, peer: &mut dyn Peer, measured: &mut Measured) -> Result<()> {
    if plan.takes("cold-start") {
        let taken = peer.restart()?;
        measured.add(peer.name(), "cold-start", 0, "ms", taken.as_secs_f64() * 1000.0);
    }
    std::thread::sleep(Duration::from_secs(2));
    measured.add(peer.name(), "memory idle", 0, "MB", peer.megabytes());
    for scenario in SCENARIOS.iter().filter(|scenario| plan.takes(scenario.name)) {
        let url = format!("{}/webhook/{}", peer.url(), scenario.path);
        // Caches fill, and what compiles while it runs compiles.
        load::run(&url, 4, 1)?;
        for connections in CONNECTIONS {
            let load = load::run(&url, connections, plan.seconds)?;
            ensure!(
                load.failures == 0,
                "{}: {} of {} answers of {url} were errors",
                peer.name(),
                load.failures,
                load.requests
            );
            say::progress(&format!(
                "{:>9} {:<20} c={connections:<3} {:>10.1} req/s  p50 {:>8.3} ms  p99 {:>8.3} ms",
                peer.name(),
                scenario.name,
                load.per_second,
                load.p50_ms,
                load.p99_ms
            ));
            if load.requests == 0 {
                continue;
            }
            measured.add(peer.name(), scenario.name, connections, "req/s", load.per_second);
            measured.add(peer.name(), scenario.name, connections, "p50 ms", load.p50_ms);
            measured.add(peer.name(), scenario.name, connections, "p99 ms", load.p99_ms);
        }
    }
    measured.add(peer.name(), "memory after load", 0, "MB", peer.megabytes());
    Ok(())
}

/// The scenarios of the command line.
fn measure_commands(plan: &Plan, name: &str, measured: &mut Measured) -> Result<()> {
    for file in ["items-100k", "items-1m"] {
        if !plan.takes(file) || (name != "millrace" && file == "items-1m") {
            continue;
        }
        let mut command = match name {
            "n8n" => n8n::execute(file)?,
            _ => millrace::execute(file)?,
        };
        let run = figures::whole_process(&mut command)?;
        say::progress(&format!("{name:>9} {file:<20} {:.2} s, {:.0} MB", run.seconds, run.peak_megabytes));
        measured.add(name, file, 0, "s", run.seconds);
        measured.add(name, file, 0, "MB", run.peak_megabytes);
    }
    Ok(())
}
