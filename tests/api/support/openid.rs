//! A real OpenID provider on loopback: the npm package `oidc-provider`, installed into the user's cache on first use.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Set by `cargo xtask test` where there is no Node.js, after it has said so.
const WITHOUT_NODE: &str = "MILLRACE_TEST_WITHOUT_NODE";

static INSTALLING: Mutex<()> = Mutex::new(());

/// Stopped when dropped.
pub(crate) struct OpenIdProvider {
    pub(crate) issuer: String,
    child: Child,
    // Kept open: a program that writes into a closed pipe ends.
    _output: BufReader<ChildStdout>,
}

impl OpenIdProvider {
    /// None where the tests were told to do without; fails where Node.js is missing and nobody said so.
    pub(crate) fn start(redirect_url: &str) -> Option<OpenIdProvider> {
        if std::env::var_os(WITHOUT_NODE).is_some() {
            return None;
        }
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api/openid");
        let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = home.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        let cache = home.join("millrace/openid-provider-9.13.3");
        let _one_installs = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if !cache.join("node_modules/oidc-provider").is_dir() {
            std::fs::create_dir_all(&cache).unwrap();
            std::fs::copy(here.join("package.json"), cache.join("package.json")).unwrap();
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(&cache);
            let status = npm.status();
            assert!(
                status.as_ref().is_ok_and(std::process::ExitStatus::success),
                "npm cannot install oidc-provider ({status:?}): install Node.js, or set {WITHOUT_NODE}=1 to leave it out"
            );
        }
        let mut node = Command::new("node");
        node.arg(here.join("provider.mjs")).arg(redirect_url).arg(&cache);
        let mut child = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut issuer = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        assert!(issuer.starts_with("http://"), "the provider did not start");
        Some(OpenIdProvider { issuer: issuer.trim().to_owned(), child, _output: output })
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
