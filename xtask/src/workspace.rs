//! Where the workspace is, and which cargo builds it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// The directory of the workspace's Cargo.toml.
pub(crate) fn root() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The cargo that started this program, in the workspace's directory.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(arguments).current_dir(root());
    // Cargo told this program what it is. Build scripts that look at the same variables (ring's) would run again, and all that
    // stands on them be built again, each time cargo is called by itself and by this program in turn.
    for (name, _) in env::vars_os() {
        let own =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if own {
            command.env_remove(&name);
        }
    }
    if crate::report::coloured() && env::var_os("CARGO_TERM_COLOR").is_none() {
        // Its output goes through a pipe, which by itself would turn the colours off.
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// `cargo metadata` of the workspace's own packages.
pub(crate) fn metadata() -> Result<Value> {
    let text = process::capture(&mut cargo(&["metadata", "--no-deps", "--format-version=1", "--locked"]))?;
    serde_json::from_str(&text).context("cargo metadata is no JSON")
}

/// The directory for build products, honouring CARGO_TARGET_DIR and cargo's configuration.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = metadata()?;
    let directory = metadata.get("target_directory").and_then(Value::as_str).context("no target directory")?;
    Ok(PathBuf::from(directory))
}
