//! The server as a process of its own, for what only shows on a socket: TLS, time-outs, signals.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

/// `millrace serve` on a port of its own with an SQLite database of its own. Killed when dropped.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Receiver<Value>,
    _directory: TempDir,
}

impl ServerProcess {
    /// With these settings besides, as `SECTION__KEY`.
    pub(crate) fn start(settings: &[(&str, &str)]) -> ServerProcess {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        // Nothing of the environment but what the system needs: settings of the machine must not change the test.
        command.env_clear().envs(std::env::vars().filter(|(name, _)| !name.starts_with("MILLRACE")));
        command.current_dir(directory.path()).arg("serve").stdin(Stdio::null()).stdout(Stdio::null());
        command.env("MILLRACE__SERVER__PORT", "0").env("MILLRACE__SERVER__THREADS", "1");
        command.env("MILLRACE__LOG__FORMAT", "json").env("MILLRACE__AUTH__ARGON2_MEMORY_KIB", "64");
        for (name, value) in settings {
            command.env(format!("MILLRACE__{name}"), value);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = ServerProcess { address: unknown, child, log, _directory: directory };
        server.address = server.wait_for("serving")["address"].as_str().unwrap().parse().unwrap();
        server
    }

    /// The next log line with this message.
    pub(crate) fn wait_for(&self, message: &str) -> Value {
        let (end, mut seen) = (Instant::now() + DEADLINE, Vec::new());
        loop {
            let line = self.log.recv_timeout(end.saturating_duration_since(Instant::now()));
            assert!(line.is_ok(), "the server did not say {message:?}, but:\n{}", seen.join("\n"));
            let line = line.unwrap();
            if line["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return line;
            }
            seen.push(line.to_string());
        }
    }

    /// Asks it to stop, as service managers do.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the server did not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
