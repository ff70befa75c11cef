//! A real OpenID provider (npm's `oidc-provider`) on loopback, with a login and a consent page of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Set by `cargo xtask test` where there is no Node.js, after it has said so.
const WITHOUT_NODE: &str = "MILLRACE_TEST_WITHOUT_NODE";

/// Runs until it is dropped.
pub(crate) struct OidcProvider {
    pub(crate) issuer: String,
    process: Child,
}

impl OidcProvider {
    pub(crate) const CLIENT_ID: &str = "millrace";
    pub(crate) const CLIENT_SECRET: &str = "client-secret-of-the-tests";

    /// With the only addresses it sends people back to. It asks people who they are, and for their consent.
    pub(crate) fn asking(redirect_uris: &[&str]) -> OidcProvider {
        OidcProvider::start(&json!({ "redirectUris": redirect_uris }))
    }

    /// Asks nothing: whoever the `login_hint` names is signed in, but for `nobody`. `None` where the tests were told to do
    /// without Node.js.
    pub(crate) fn hinted(redirect_uri: &str) -> Option<OidcProvider> {
        let is_there = std::env::var_os(WITHOUT_NODE).is_none();
        is_there.then(|| OidcProvider::start(&json!({ "redirectUris": [redirect_uri], "hinted": true })))
    }

    /// Its packages are installed by `cargo xtask test`, or by `npm ci` in `tests/oidc-provider`.
    fn start(settings: &Value) -> OidcProvider {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc-provider");
        assert!(
            folder.join("node_modules").exists(),
            "run `npm ci` in tests/oidc-provider, or set {WITHOUT_NODE}=1 to leave single sign-on out"
        );
        let mut process = Command::new("node")
            .args(["provider.mjs", &settings.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        // Notices of the development mode come first.
        while !line.starts_with('{') {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the provider does not start");
        }
        let started: Value = serde_json::from_str(&line).unwrap();
        // Somebody has to read what it goes on to write.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        OidcProvider { issuer: started["issuer"].as_str().unwrap().to_owned(), process }
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
