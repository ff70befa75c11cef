//! Several processes of the server on one PostgreSQL database, one Redis and one RabbitMQ.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Goes away with the test, processes and database included.
pub(crate) struct Cluster {
    name: String,
    server: String,
    url: String,
    directory: TempDir,
    processes: Vec<Process>,
    http: reqwest::Client,
}

/// A running server; killed when dropped.
pub(crate) struct Process {
    pub(crate) roles: String,
    pub(crate) port: u16,
    child: Child,
}

impl Cluster {
    /// A new database, migrated; no process yet.
    pub(crate) async fn new() -> Cluster {
        let server = variable("MILLRACE_TEST_POSTGRES_URL");
        let name = format!("millrace_chaos_{}", uuid::Uuid::now_v7().simple());
        let admin = sea_orm::Database::connect(&server).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        // The client wants one named; another test may have been faster.
        drop(rustls::crypto::ring::default_provider().install_default());
        let cluster = Cluster {
            name,
            server,
            url: url.into(),
            directory: tempfile::tempdir().unwrap(),
            processes: Vec::new(),
            http: reqwest::Client::new(),
        };
        let migrated = cluster.command(&["migrate"]).status().unwrap();
        assert!(migrated.success(), "the database could not be migrated");
        cluster
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env("MILLRACE__DATABASE__URL", &self.url)
            .env("MILLRACE__DATABASE__MIGRATE_ON_START", "false")
            .env("MILLRACE__CACHE__URL", variable("MILLRACE_TEST_REDIS_URL"))
            .env("MILLRACE__CACHE__PREFIX", &self.name)
            .env("MILLRACE__QUEUE__URL", variable("MILLRACE_TEST_AMQP_URL"))
            .env("MILLRACE__QUEUE__NAME", &self.name)
            .env("MILLRACE__LIMITS__API_REQUESTS_PER_MINUTE", "0")
            .env("MILLRACE__LOG__FILTER", "warn");
        command
    }

    /// Starts a process and waits until it is ready.
    pub(crate) async fn start(&mut self, roles: &str, settings: &[(&str, &str)]) -> usize {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = self.command(&["serve", "--roles", roles, "--port", &port.to_string()]);
        let child = command.envs(settings.iter().copied()).stdout(Stdio::null()).spawn().unwrap();
        self.processes.push(Process { roles: roles.to_owned(), port, child });
        for _ in 0..600 {
            let ready = self.http.get(format!("http://127.0.0.1:{port}/health/ready")).send().await;
            if ready.is_ok_and(|reply| reply.status().is_success()) {
                return self.processes.len() - 1;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("a process with the roles {roles} does not become ready");
    }

    /// Ends a process as a power cut does.
    pub(crate) fn kill(&mut self, index: usize) {
        let process = &mut self.processes[index];
        eprintln!("killing the process {index} ({})", process.roles);
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Sends a request to a process and expects success.
    pub(crate) async fn post(&self, index: usize, token: Option<&str>, path: &str, body: Value) -> Value {
        let address = format!("http://127.0.0.1:{}/api/v1{path}", self.processes[index].port);
        let mut request = self.http.post(address).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let reply = request.send().await.unwrap();
        let (status, text) = (reply.status(), reply.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Registers a tenant; gives its owner's token.
    pub(crate) async fn tenant(&self, index: usize) -> String {
        let body = json!({ "email": "a@acme.example", "password": "correct horse battery", "name": "A", "tenantName": "acme" });
        let session = self.post(index, None, "/auth/register", body).await;
        session["accessToken"].as_str().unwrap().to_owned()
    }

    /// A look at the database past the server, at all tenants' rows.
    pub(crate) async fn database(&self) -> DatabaseConnection {
        let mut options = sea_orm::ConnectOptions::new(&self.url);
        options.max_connections(1);
        let connection = sea_orm::Database::connect(options).await.unwrap();
        connection.execute_unprepared("SET app.across_tenants = 'on'").await.unwrap();
        connection
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may be dead already.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let admin = sea_orm::Database::connect(server).await.unwrap();
                admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
            });
        });
        dropping.join().unwrap();
    }
}

pub(crate) async fn query(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `cargo xtask chaos`"))
}
