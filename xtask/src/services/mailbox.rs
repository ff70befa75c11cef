//! Dovecot, the IMAP server that the tests of the e-mail trigger start for themselves. It wants to be started by root.

use anyhow::{Result, bail};

use super::{install, local::program};

/// One line on what this machine lacks and cannot get, if anything.
pub(crate) fn impossible() -> Option<String> {
    let reason = match program("dovecot") {
        _ if !rustix::process::geteuid().is_root() => "only root may start it",
        None if !install::is_possible() => "it is missing, and there is no right to install it here",
        _ => return None,
    };
    Some(format!("cannot test with Dovecot: {reason} (or test without with --embedded-only)"))
}

/// Sees to it, and installs it where it is missing.
pub(crate) fn prepare() -> Result<()> {
    if let Some(reason) = impossible() {
        bail!(reason);
    }
    if program("dovecot").is_none() {
        install::install_packages(&["dovecot-imapd"])?;
    }
    Ok(())
}
