//! The two limits of the machine beside which figures stand: the same web server without engine and storage, and the
//! inserts of the same row without anything around them (`bench/floor.rs`).

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::{Plan, http, load, measured::Measured, scenarios::CONNECTIONS};
use crate::{process, process::Daemon, report as say, scratch::Scratch, services, workspace};

pub(super) fn measure(plan: &Plan, measured: &mut Measured) -> Result<()> {
    let binary = workspace::target_directory()?.join("release/examples/floor");
    let scratch = Scratch::new("millrace-floor")?;
    let port = services::free_port()?.to_string();
    let mut server = Command::new(&binary);
    let server = Daemon::spawn(server.args(["http", &port]), &scratch.path().join("log"), Signal::TERM)?;
    let url = format!("http://127.0.0.1:{port}/");
    http::until_answered(&url, Duration::from_secs(10))?;
    for _ in 0..plan.rounds {
        for connections in CONNECTIONS {
            let load = load::run(&url, connections, plan.seconds)?;
            measured.add("floor", "http", connections, "req/s", load.per_second);
            measured.add("floor", "http", connections, "p99 ms", load.p99_ms);
        }
        let mut inserts = Command::new(&binary);
        inserts.arg("insert").arg(scratch.path().join("floor.db")).arg(plan.seconds.to_string());
        let text = process::capture(&mut inserts)?;
        let per_second = text.trim().parse().with_context(|| format!("floor printed `{text}`"))?;
        say::progress(&format!("    floor inserts {per_second:.0} rows/s"));
        measured.add("floor", "insert", 0, "rows/s", per_second);
    }
    drop(server);
    Ok(())
}
