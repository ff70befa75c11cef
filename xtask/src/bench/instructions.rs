//! Instruction counts of the hot paths (valgrind's callgrind) against a committed baseline. They repeat whatever else the
//! machine does, so a regression shows where a time would not.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::{process, report, scratch::Scratch, services, workspace};

const BASELINE: &str = "bench/instructions.json";
/// A path that needs more than this share above its baseline fails.
const TOLERANCE: f64 = 0.10;
/// Names as `hot_paths` of the runner knows them, and how often each is run in the shorter of two runs.
const PATHS: [(&str, u64); 6] = [
    ("native-expression", 2000),
    ("script-expression", 200),
    ("engine-step", 20),
    ("set-items", 5),
    ("filter-items", 5),
    ("webhook-run", 50),
];

/// Counts, and compares with the baseline: whether no path has become dearer.
pub(crate) fn check() -> Result<bool> {
    let counted = count()?;
    let text =
        fs::read_to_string(baseline()).with_context(|| format!("{BASELINE} is not there; `--update` writes it"))?;
    let before: BTreeMap<String, u64> = serde_json::from_str(&text)?;
    let mut dearer = false;
    for (name, count) in &counted {
        let before = before.get(name).copied().with_context(|| format!("{BASELINE} lacks `{name}`"))?;
        let share = change(before, *count);
        dearer |= share > TOLERANCE;
        report::line(&format!("{name:<20} {count:>12} instructions, baseline {before:>12}, {:+.1} %", share * 100.0));
    }
    if dearer {
        report::error(&format!(
            "a hot path needs over {:.0} % more instructions than its baseline; where that is right, say why and run \
             `cargo xtask bench --quick --update`",
            TOLERANCE * 100.0
        ));
    }
    Ok(!dearer)
}

/// Counts; the counts become the baseline.
pub(super) fn update() -> Result<bool> {
    fs::write(baseline(), serde_json::to_string_pretty(&count()?)? + "\n")?;
    report::progress(&format!("{BASELINE} is written anew"));
    Ok(true)
}

fn baseline() -> PathBuf {
    workspace::root().join(BASELINE)
}

/// Instructions of one turn of every path.
fn count() -> Result<BTreeMap<String, u64>> {
    services::need("valgrind")?;
    let build = ["build", "--profile", "quick", "--locked", "-p", "millrace-runner", "--example", "hot_paths"];
    ensure!(process::run(&mut workspace::cargo(&build))?.success(), "the build failed");
    let binary = workspace::target_directory()?.join("quick/examples/hot_paths");
    let mut counted = BTreeMap::new();
    for (name, times) in PATHS {
        // Start-up and caches cancel out between a run and one twice as long.
        let (once, twice) = (instructions(&binary, name, times)?, instructions(&binary, name, times * 2)?);
        counted.insert(name.to_owned(), twice.saturating_sub(once) / times);
    }
    Ok(counted)
}

fn change(before: u64, now: u64) -> f64 {
    let float = |count: u64| u32::try_from(count).map_or_else(|_| f64::from(u32::MAX), f64::from);
    float(now) / float(before.max(1)) - 1.0
}

fn instructions(binary: &Path, name: &str, times: u64) -> Result<u64> {
    let scratch = Scratch::new("millrace-callgrind")?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", &format!("--callgrind-out-file={}", scratch.path().join("out").display())]);
    valgrind.arg(binary).arg(name).arg(times.to_string());
    let (status, output) = process::converse(&mut valgrind, "")?;
    ensure!(status.success(), "{} failed:\n{output}", process::describe(&valgrind));
    let collected = output.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    collected.and_then(|count| count.parse().ok()).with_context(|| format!("callgrind printed no count:\n{output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_share_of_what_was() {
        assert!((change(100, 111) - 0.11).abs() < 1e-9);
        assert!((change(100, 90) + 0.1).abs() < 1e-9);
    }
}
