//! The real program as a process of its own, to be killed as a crash would kill it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use millrace::infrastructure::config::Config;
use millrace::infrastructure::database::{AcrossTenants, Backend, Database};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::database::TestDatabase;
use super::stream::Stream;
use super::tenant::PASSWORD;

/// Somebody who calls the server, whether it runs or not.
#[derive(Clone)]
pub(crate) struct Caller {
    port: u16,
    token: String,
}

impl Caller {
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let authorization = match self.token.is_empty() {
            true => String::new(),
            false => format!("authorization: Bearer {}\r\n", self.token),
        };
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: localhost\r\n{authorization}content-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let end =
            answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        Ok((status, answer.split_off(end + 4)))
    }
}

/// A database and what serves it: started, killed and started again.
pub(crate) struct Process {
    port: u16,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    token: String,
    directory: TempDir,
    database: TestDatabase,
}

impl Process {
    /// Starts a server with one tenant, `acme`. `settings`: `("EXECUTIONS__CONCURRENCY", "1")`.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Process {
        Process::behind(settings, str::to_owned).await
    }

    /// The same, with another way to its database: `address` makes one of the database's own URL.
    pub(crate) async fn behind(settings: &[(&str, &str)], address: impl FnOnce(&str) -> String) -> Process {
        let directory = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(&directory).await;
        // Free a moment ago; nothing else here listens on ports that the system gives out.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut all = vec![
            ("DATA__DIRECTORY".to_owned(), directory.path().display().to_string()),
            ("DATABASE__URL".to_owned(), address(database.url().expose())),
            ("DATABASE__MAX_CONNECTIONS".to_owned(), "4".to_owned()),
            ("SERVER__PORT".to_owned(), port.to_string()),
            ("SERVER__SHUTDOWN_TIMEOUT_SECONDS".to_owned(), "4".to_owned()),
            ("HTTP_CLIENT__ALLOW_PRIVATE_NETWORKS".to_owned(), "[\"127.0.0.0/8\"]".to_owned()),
            ("EXECUTIONS__LEASE_SECONDS".to_owned(), "3".to_owned()),
            ("AUTH__ARGON2_MEMORY_KIB".to_owned(), "64".to_owned()),
            ("AUTH__ARGON2_PASSES".to_owned(), "1".to_owned()),
            ("LOG__FILTER".to_owned(), "warn".to_owned()),
        ];
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut process = Process { port, settings: all, child: None, token: String::new(), directory, database };
        process.restart(&["serve"]).await;
        let register =
            json!({ "email": "owner@acme.test", "password": PASSWORD, "name": "owner", "tenantName": "acme" });
        let session = process.call("POST", "/api/v1/auth/register", Some(register)).await;
        process.token = session["accessToken"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
        process
    }

    /// The address of its database.
    pub(crate) fn database(&self) -> String {
        self.database.url().expose().clone()
    }

    /// Another process on the same database: `&["worker"]`.
    pub(crate) fn beside(&self, arguments: &[&str]) -> Child {
        self.beside_with(arguments, &[])
    }

    /// The same with other settings.
    pub(crate) fn beside_with(&self, arguments: &[&str], settings: &[(&str, String)]) -> Child {
        // A write beyond the limit on file sizes is to fail, not to end the process.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_millrace")]);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).current_dir(self.directory.path());
        for (name, value) in &self.settings {
            command.env(format!("MILLRACE__{name}"), value);
        }
        for (name, value) in settings {
            command.env(format!("MILLRACE__{name}"), value);
        }
        command.spawn().unwrap()
    }

    /// A command on the same database, to its end: exit code, output, complaints.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.args(arguments).stdin(Stdio::null()).current_dir(self.directory.path());
        for (name, value) in &self.settings {
            command.env(format!("MILLRACE__{name}"), value);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Goes past the server, as somebody who owns the database can.
    pub(crate) async fn tamper(&self, statement: impl Fn(Backend) -> &'static str) {
        let mut config = Config::defaults().unwrap();
        config.database.url = self.database.url();
        let database = Database::open(&config).await.unwrap();
        database.write(AcrossTenants).execute_unprepared(statement(database.backend())).await.unwrap();
        database.close().await.unwrap();
    }

    /// Starts the server, and waits until it answers.
    pub(crate) async fn restart(&mut self, arguments: &[&str]) {
        self.child = Some(self.beside(arguments));
        for _ in 0..600 {
            if self.send("GET", "/health/live", None).await.is_ok_and(|(status, _)| status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not answer");
    }

    /// The server's number among the processes of the machine.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Ends the server as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// From now on the server's files may not grow beyond this many bytes; "unlimited" lifts it.
    pub(crate) fn limit_files(&self, bytes: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        let limited = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={bytes}:unlimited")]).status();
        assert!(limited.unwrap().success());
    }

    /// Sends the server a signal: `STOP`, `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn terminate(&mut self) {
        let mut child = self.child.take().unwrap();
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        child.wait().unwrap();
    }

    /// A request of the owner; gives the JSON of the answer, whatever its status.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (_, body) = self.send(method, path, body).await.unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> std::io::Result<(u16, Vec<u8>)> {
        self.caller().send(method, path, body).await
    }

    /// The owner, who goes on calling while the server is killed and started again.
    pub(crate) fn caller(&self) -> Caller {
        Caller { port: self.port, token: self.token.clone() }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// An answer to the owner that does not end.
    pub(crate) async fn stream(&self, path: &str) -> Stream {
        let authorization = format!("Bearer {}", self.token);
        Stream::open(&self.address(), path, &[("authorization", &authorization), ("accept", "text/event-stream")]).await
    }

    /// Imports and activates a workflow; gives its id.
    pub(crate) async fn activate(&self, workflow: Value) -> String {
        let imported = self.call("POST", "/api/v1/workflows/import", Some(workflow)).await;
        let id = imported["id"].as_str().unwrap_or_else(|| panic!("{imported}")).to_owned();
        self.call("POST", &format!("/api/v1/workflows/{id}/activate"), Some(json!({}))).await;
        id
    }

    /// Waits until so many executions have this status; gives them.
    pub(crate) async fn wait_for(&self, status: &str, count: usize) -> Vec<Value> {
        let mut found = Value::Null;
        for _ in 0..900 {
            found = self.call("GET", &format!("/api/v1/executions?status={status}&limit=250"), None).await;
            let page = found["data"].as_array().cloned().unwrap_or_default();
            if page.len() >= count {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let all = self.call("GET", "/api/v1/executions?limit=250", None).await;
        panic!("no {count} executions with status {status}: {found}; there are {all}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
