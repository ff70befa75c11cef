//! Load by `wrk`: one thread, connections kept alive, the same body again and again.

use std::{fs, process::Command};

use anyhow::{Context as _, Result};

use super::scenarios::BODY;
use crate::{process, scratch::Scratch};

#[derive(Debug, PartialEq)]
pub(super) struct Load {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub requests: u64,
    /// Answers other than 2xx and 3xx, and connections that broke.
    pub failures: u64,
}

/// Calls `url` by POST from so many connections for so many seconds.
pub(super) fn run(url: &str, connections: u32, seconds: u64) -> Result<Load> {
    let scratch = Scratch::new("millrace-bench")?;
    let script = scratch.path().join("post.lua");
    let text = format!(
        "wrk.method = \"POST\"\nwrk.body = '{BODY}'\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
         done = function(s, l, r)\n  local e = s.errors\n  io.write(string.format(\"figures %f %f %f %d %d\\n\", \
         s.requests / s.duration * 1e6, l:percentile(50) / 1e3, l:percentile(99) / 1e3, s.requests, \
         e.connect + e.read + e.write + e.status + e.timeout))\nend\n"
    );
    fs::write(&script, text)?;
    let mut command = Command::new("wrk");
    command.args(["-t1", "--timeout", "30s", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"]);
    command.arg(&script).arg(url);
    let output = process::capture(&mut command)?;
    read(&output).with_context(|| format!("wrk printed no figures:\n{output}"))
}

fn read(output: &str) -> Option<Load> {
    let line = output.lines().find_map(|line| line.strip_prefix("figures "))?;
    let mut fields = line.split(' ');
    Some(Load {
        per_second: fields.next()?.parse().ok()?,
        p50_ms: fields.next()?.parse().ok()?,
        p99_ms: fields.next()?.parse().ok()?,
        requests: fields.next()?.parse().ok()?,
        failures: fields.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Load, read};

    #[test]
    fn the_figures_of_a_run_are_read_from_its_output() {
        let output = "Running 1s test\nfigures 1234.5 0.25 1.5 1235 2\n";
        let load = Load { per_second: 1234.5, p50_ms: 0.25, p99_ms: 1.5, requests: 1235, failures: 2 };
        assert_eq!(read(output), Some(load));
        assert_eq!(read("figures nonsense\n"), None);
    }
}
