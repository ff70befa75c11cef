//! The browser that some tests drive, and the authorisation server they meet there: Chromium with its driver, Node.js with
//! npm, and the packages of `tests/oidc-provider`.

use anyhow::{Result, bail, ensure};

use super::{install, local::program};
use crate::{process, report, workspace};

/// Tells the tests that all of it is there.
pub(crate) const VARIABLE: &str = "MILLRACE_TEST_BROWSER";

/// Programs, and Debian's packages that have them.
const PROGRAMS: [(&str, &str); 4] =
    [("chromium", "chromium"), ("chromedriver", "chromium-driver"), ("node", "nodejs"), ("npm", "npm")];

/// One line on what this machine lacks and cannot get, if anything.
pub(crate) fn impossible() -> Option<String> {
    let missing: Vec<_> = missing().map(|(program, _)| program).collect();
    (!missing.is_empty() && !install::is_possible()).then(|| {
        format!(
            "cannot test in a browser: {} missing, and no right to install it here (or test without with --embedded-only)",
            missing.join(", ")
        )
    })
}

/// Sees to everything, and installs what is missing.
pub(crate) fn prepare() -> Result<()> {
    if let Some(reason) = impossible() {
        bail!(reason);
    }
    install::install_packages(&missing().map(|(_, package)| package).collect::<Vec<_>>())?;
    provider_packages()
}

/// Installs the packages of the authorisation server; wants Node.js and npm.
pub(crate) fn provider_packages() -> Result<()> {
    let folder = workspace::root().join("tests/oidc-provider");
    if folder.join("node_modules").exists() {
        return Ok(());
    }
    report::progress("installing the packages of tests/oidc-provider with npm");
    let mut command = std::process::Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    let (status, output) = process::converse(&mut command, "")?;
    ensure!(status.success(), "npm ci failed: {}\n{output}", process::describe_status(status));
    Ok(())
}

fn missing() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROGRAMS.into_iter().filter(|(name, _)| program(name).is_none())
}
