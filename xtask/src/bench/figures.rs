//! What the operating system knows of processes: time and memory (proc(5)).

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::process;

pub(super) struct WholeProcess {
    pub seconds: f64,
    pub peak_megabytes: f64,
}

/// Runs a command to its end and measures it from outside. Its children count only in the time.
pub(super) fn whole_process(command: &mut Command) -> Result<WholeProcess> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", process::describe(command)))?;
    let mut peak = 0.0_f64;
    let status = loop {
        // The highest mark is kept by the system, so reading it now and then loses only the last moment.
        peak = peak.max(status_megabytes(child.id(), "VmHWM:"));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    ensure!(status.success(), "{} failed: {}", process::describe(command), process::describe_status(status));
    Ok(WholeProcess { seconds: begun.elapsed().as_secs_f64(), peak_megabytes: peak })
}

/// Resident memory of a process and all it has started.
pub(super) fn tree_megabytes(root: u32) -> f64 {
    let mut members = vec![root];
    let mut next = 0;
    while let Some(parent) = members.get(next).copied() {
        members.extend(children(parent));
        next += 1;
    }
    members.into_iter().map(|process| status_megabytes(process, "VmRSS:")).sum()
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

fn status_megabytes(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
