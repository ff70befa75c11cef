//! What was acknowledged is not lost: the server's process is killed right after it answered a webhook, again and again.
//! `cargo xtask chaos webhooks` does it 1,000 times.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::wire::Wire;
use crate::support::TestDatabase;

/// Callers that send one webhook after the other until the server is gone.
const CALLERS: usize = 4;
/// When they are answered.
const MODES: [&str; 2] = ["onReceived", "lastNode"];
const PASSWORD: &str = "correct horse battery";

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(directory: &TempDir, database: &TestDatabase) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_millrace"))
            .arg("serve")
            .current_dir(directory.path())
            .env("MILLRACE__SERVER__PORT", port.to_string())
            .env("MILLRACE__SERVER__THREADS", "2")
            .env("MILLRACE__DATA__DIRECTORY", directory.path())
            .env("MILLRACE__DATABASE__URL", database.url().expose())
            .env("MILLRACE__EXECUTIONS__LEASE_SECONDS", "2")
            .env("MILLRACE__LOG__FILTER", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(mut wire) = Wire::open(server.address).await
                && wire.get("/health/live", &[]).await.is_some_and(|answered| answered.status == 200)
            {
                return server;
            }
            assert!(Instant::now() < deadline, "the server does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn call(&self, token: Option<&str>, path: &str, body: Option<Value>) -> Value {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let mut wire = Wire::open(self.address).await.unwrap();
        let answered = match body {
            Some(body) => wire.post(path, &headers, &body.to_string()).await,
            None => wire.get(path, &headers).await,
        };
        let answered = answered.unwrap();
        assert!((200..300).contains(&answered.status), "{path}: {} {}", answered.status, answered.body);
        serde_json::from_str(&answered.body).unwrap()
    }

    async fn sign_in(&self) -> String {
        let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
        let session = self.call(None, "/api/v1/auth/login", Some(login)).await;
        session["accessToken"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Acknowledged on receipt, or when it has run; then one node that shows the body.
fn workflow(mode: &str) -> Value {
    json!({
        "name": mode,
        "nodes": [
            { "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
              "parameters": { "httpMethod": "POST", "path": mode, "responseMode": mode, "options": {} } },
            { "name": "Done", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [200, 0], "parameters": {} }
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Done", "type": "main", "index": 0 }]] } },
        "settings": { "executionOrder": "v1" }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_webhook_has_an_execution_after_the_process_is_killed() {
    let rounds = std::env::var("MILLRACE_CHAOS_ROUNDS").map_or(3, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(&directory).await;
    let server = Server::start(&directory, &database).await;
    let register =
        json!({ "email": "owner@acme.example", "password": PASSWORD, "name": "owner", "tenantName": "acme" });
    let session = server.call(None, "/api/v1/auth/register", Some(register)).await;
    let token = session["accessToken"].as_str();
    for mode in MODES {
        let imported = server.call(token, "/api/v1/workflows/import", Some(workflow(mode))).await;
        let activate = format!("/api/v1/workflows/{}/activate", imported["id"].as_str().unwrap());
        server.call(token, &activate, Some(json!({}))).await;
    }
    server.kill();

    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let server = Server::start(&directory, &database).await;
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for caller in 0..CALLERS {
            let (sender, address) = (sender.clone(), server.address);
            tokio::spawn(async move {
                let Ok(mut wire) = Wire::open(address).await else { return };
                for number in 0_u64.. {
                    let mark = format!("mark-{round}-{caller}-{number}-");
                    let body = json!({ "mark": mark }).to_string();
                    let path = format!("/t/acme/webhook/{}", MODES[caller % MODES.len()]);
                    let Some(answered) = wire.post(&path, &[], &body).await else { return };
                    if answered.status != 200 || sender.send(mark).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        acknowledged.insert(receiver.recv().await.expect("the server acknowledges"));
        server.kill();
        while let Some(mark) = receiver.recv().await {
            acknowledged.insert(mark);
        }
    }

    let server = Server::start(&directory, &database).await;
    let token = server.sign_in().await;
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut repeated = BTreeSet::new();
    loop {
        repeat_crashed(&server, &token, &mut repeated).await;
        let missing = missing(&server, &token, &acknowledged).await;
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "of {} acknowledged webhooks lost: {missing:?}", acknowledged.len());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(acknowledged.len() >= rounds);
}

/// What ran when its process was killed may be told as crashed; it can be repeated all the same, with what it began with.
async fn repeat_crashed(server: &Server, token: &str, repeated: &mut BTreeSet<String>) {
    let page = server.call(Some(token), "/api/v1/executions?status=crashed&limit=250", None).await;
    for execution in page["data"].as_array().unwrap() {
        let id = execution["id"].as_str().unwrap();
        if repeated.insert(id.to_owned()) {
            server.call(Some(token), &format!("/api/v1/executions/{id}/retry"), Some(json!({}))).await;
        }
    }
}

/// Marks that no execution which is over shows.
async fn missing(server: &Server, token: &str, acknowledged: &BTreeSet<String>) -> Vec<String> {
    let mut shown = String::new();
    let mut cursor = None::<String>;
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/api/v1/executions?status=success&includeData=true&limit=100{after}");
        let page = server.call(Some(token), &path, None).await;
        shown.push_str(&page["data"].to_string());
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let shown: BTreeSet<&str> = shown.split("\"mark\":\"").skip(1).filter_map(|text| text.split('"').next()).collect();
    acknowledged.iter().filter(|mark| !shown.contains(mark.as_str())).cloned().collect()
}
