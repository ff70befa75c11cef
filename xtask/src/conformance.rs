//! `cargo xtask conformance`: the release binary against a corpus of n8n workflows and their results, where one is there.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Result, ensure};

use crate::{arguments::Arguments, interrupt, process, report, workspace};

/// Where the corpus is looked for beside the project when neither option nor variable names it.
const BESIDE: &str = "../shared/conformance";

pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let corpus = match arguments.option("--corpus")? {
        Some(named) => PathBuf::from(named),
        None => env::var_os("MILLRACE_CORPUS").map_or_else(|| workspace::root().join(BESIDE), PathBuf::from),
    };
    let runner = corpus.join("run.py");
    if !runner.is_file() {
        report::progress(&format!("there is no corpus at {}: nothing was checked", corpus.display()));
        return Ok(true);
    }
    interrupt::listen()?;
    let built = process::run(&mut workspace::cargo(&["build", "--release", "--locked", "--bin", "millrace"]))?;
    ensure!(built.success(), "the release build failed");
    let binary = workspace::target_directory()?.join("release/millrace");
    let mut command = Command::new("python3");
    command.arg(runner).arg("--bin").arg(binary).args(arguments.rest());
    report::progress(&process::describe(&command));
    Ok(process::run(&mut command)?.success())
}
