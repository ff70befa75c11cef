//! Dovecot, the IMAP server that the tests of the e-mail trigger start for themselves; without it they are left out.

use anyhow::Result;

use super::{install, local::program};

/// Installs it where it is missing and that is possible.
pub(crate) fn prepare() -> Result<()> {
    if program("dovecot").is_none() && install::is_possible() {
        install::install_packages(&["dovecot-imapd"])?;
    }
    Ok(())
}
