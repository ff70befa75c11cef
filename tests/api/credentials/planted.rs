//! Marked secrets are planted wherever they can enter; then everything that leaves is searched for the mark: answers, the
//! database's files or tables, the log at its finest, execution data, the audit log, the metrics.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::Method;
use bytes::Bytes;
use millrace::common::Secret;
use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

use super::{http_request, reaching_loopback, run, workflow};
use crate::support::{Client, Reply, TestServer, Vendor};

/// What every planted secret holds.
const MARK: &str = "PLANTED";

/// Everything that left.
#[derive(Default)]
struct Left(Vec<(String, Vec<u8>)>);

impl Left {
    fn keep(&mut self, what: &str, reply: Reply) -> Value {
        let headers = format!("{:?}", reply.headers);
        self.0.push((format!("headers of {what}"), headers.into_bytes()));
        self.0.push((what.to_owned(), reply.body.to_vec()));
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }

    /// Fails for the first that holds the mark, plainly, as hexadecimal digits or as base64.
    fn search(&self) {
        let hex: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
        let forms = [
            MARK.to_owned(),
            hex.clone(),
            hex.to_uppercase(),
            "UExBTlRFR".to_owned(),
            "BMQU5URU".to_owned(),
            "QTEFOVEVE".to_owned(),
        ];
        for (what, bytes) in &self.0 {
            for form in &forms {
                let found = bytes.windows(form.len()).position(|window| window == form.as_bytes());
                if let Some(at) = found {
                    let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 60)];
                    panic!("{form} left by {what}: {}", String::from_utf8_lossy(around));
                }
            }
        }
    }
}

/// The log of the whole process, from its finest level on.
fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer = Arc::clone(&log);
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || Writer(Arc::clone(&writer)));
        let filter = tracing_subscriber::EnvFilter::new("trace");
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    });
    Arc::clone(log)
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every file below a folder.
fn files(folder: &Path, left: &mut Left) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, left);
        } else {
            left.0.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Every row of every table, as text.
async fn tables(server: &TestServer, left: &mut Left) {
    let connection = server.app.database.read(AcrossTenants);
    let rows = async |sql: String| {
        let found = connection.query_all_raw(Statement::from_string(Backend::Postgres, sql)).await.unwrap();
        found.iter().map(|row| row.try_get::<String>("", "text").unwrap()).collect::<Vec<_>>()
    };
    let names = "SELECT table_name::text AS text FROM information_schema.tables WHERE table_schema = current_schema()";
    for table in rows(names.to_owned()).await {
        let text = rows(format!("SELECT t::text AS text FROM \"{table}\" t")).await.join("\n");
        left.0.push((table, text.into_bytes()));
    }
}

/// Data with the mark in every secret field.
fn secrets() -> Vec<(&'static str, Value)> {
    vec![
        ("httpBasicAuth", json!({ "user": "u", "password": "PLANTED-basic" })),
        ("httpBearerAuth", json!({ "token": "PLANTED-bearer" })),
        ("httpHeaderAuth", json!({ "name": "x-key", "value": "PLANTED-header" })),
        ("httpQueryAuth", json!({ "name": "key", "value": "PLANTED-query" })),
        ("httpDigestAuth", json!({ "user": "u", "password": "PLANTED-digest" })),
        ("httpCustomAuth", json!({ "json": { "headers": { "x-custom": "PLANTED-custom" } } })),
        (
            "oAuth1Api",
            json!({ "consumerKey": "PLANTED-consumer", "consumerSecret": "PLANTED-oauth1", "oauthTokenData": { "oauth_token": "PLANTED-t", "oauth_token_secret": "PLANTED-ts" } }),
        ),
        (
            "oAuth2Api",
            json!({ "clientId": "c", "clientSecret": "PLANTED-client", "accessTokenUrl": "http://127.0.0.1:1/", "authUrl": "http://127.0.0.1:1/", "oauthTokenData": { "access_token": "PLANTED-access", "refresh_token": "PLANTED-refresh" } }),
        ),
        ("httpBearerAuth", json!({ "token": "={{ $secrets.vault.a.key }}" })),
    ]
}

async fn everything(server: &TestServer, owner: &Client, left: &mut Left) {
    for status in [200, 403, 500] {
        let vendor = Vendor::start(move |asked| {
            // A service that quotes what it was sent, as far as it does not succeed.
            let quoted = json!({ "message": format!("refused: {:?} {}", asked.headers, asked.path) });
            let code = actix_web::http::StatusCode::from_u16(status).unwrap();
            HttpResponse::build(code).json(if status == 200 { json!({ "fine": true }) } else { quoted })
        });
        for (number, (kind, data)) in secrets().into_iter().enumerate() {
            let body = json!({ "name": format!("{kind} {number}"), "type": kind, "data": data });
            let key = format!("planted-{status}-{number}");
            let made = owner.with("idempotency-key", &key).post("/api/v1/credentials", body.clone()).await;
            let made = left.keep("create", made);
            left.keep("create again", owner.with("idempotency-key", &key).post("/api/v1/credentials", body).await);
            let path = format!("/api/v1/credentials/{}", made["id"].as_str().unwrap_or_else(|| panic!("{made}")));
            left.keep("get", owner.get(&path).await);
            left.keep("patch", owner.patch(&path, json!({ "data": data })).await);
            left.keep("test", owner.post(&format!("{path}/test"), json!({})).await);
            left.keep(
                "share",
                owner.post(&format!("{path}/share"), json!({ "workflows": null, "nodeTypes": null })).await,
            );
            let mut node = http_request(&format!("{}/x", vendor.url), kind, json!({ "id": made["id"] }));
            for goes_on in [false, true] {
                node["onError"] = json!(if goes_on { "continueRegularOutput" } else { "stopWorkflow" });
                let execution = run(owner, workflow(node.clone())).await;
                left.0.push((format!("execution with {kind} answered {status}"), execution.to_string().into_bytes()));
            }
            left.keep("delete", owner.delete(&path).await);
        }
    }
    refused(server, owner, left).await;
}

/// Requests that are refused, each with a secret at the wrong place.
async fn refused(server: &TestServer, owner: &Client, left: &mut Left) {
    let body = |data: Value| json!({ "name": "x", "type": "httpBasicAuth", "data": data });
    for wrong in [
        body(json!("PLANTED-text")),
        body(json!(["PLANTED-list"])),
        body(json!({ "password": { "deep": "PLANTED-deep" } })),
        body(json!({ "password": ["PLANTED-list"] })),
        json!({ "name": "x", "type": "httpCustomAuth", "data": { "json": "PLANTED-json" } }),
        json!({ "name": "x", "type": "httpBasicAuth", "data": { "password": "={{ PLANTED-expression }}" } }),
        json!({ "name": "x", "type": "nothing", "data": { "password": "PLANTED-type" } }),
    ] {
        left.keep("refused create", owner.post("/api/v1/credentials", wrong.clone()).await.expect(422));
        left.keep("refused invitation", owner.post("/api/v1/credentials/connect-sessions", wrong).await.expect(422));
    }
    let broken = Bytes::from_static(b"{\"name\":\"x\",\"data\":{\"password\":\"PLANTED-broken\"");
    left.keep("broken", owner.send_raw(Method::POST, "/api/v1/credentials", Some(("application/json", broken))).await);
    let callback = "/api/v1/credentials/oauth/callback?state=PLANTED-state&code=PLANTED-code&error=PLANTED";
    left.keep("callback", server.visitor().get(callback).await);
    left.keep("connect page", server.visitor().get("/connect/PLANTED-token").await);
    let invitation = json!({ "type": "httpBasicAuth", "data": { "password": "PLANTED-invited" } });
    let made = owner.post("/api/v1/credentials/connect-sessions", invitation).await.json(201);
    let page = format!("/connect/{}", made["token"].as_str().unwrap());
    left.keep("page", server.visitor().get(&page).await);
    let form =
        ("application/x-www-form-urlencoded", Bytes::from_static(b"user=u&password=PLANTED-entered&x=PLANTED-surplus"));
    left.keep("page with mistakes", server.visitor().send_raw(Method::POST, &page, Some(form)).await);
}

#[actix_web::test]
async fn no_planted_secret_leaves() {
    let log = log();
    let kv = Vendor::start(|_| HttpResponse::Ok().json(json!({ "data": { "data": { "key": "PLANTED-external" } } })));
    let url = kv.url.clone();
    let server = TestServer::with(move |config| {
        reaching_loopback(config);
        config.secrets.vault.url = url;
        config.secrets.vault.token = Secret::new("PLANTED-vault-token".to_owned());
    })
    .await;
    let tenant = server.tenant("acme").await;
    let mut left = Left::default();
    everything(&server, &tenant.owner, &mut left).await;
    for path in [
        "/api/v1/credentials",
        "/api/v1/audit?limit=250",
        "/api/v1/executions?includeData=true&limit=250",
        "/api/v1/credentials/keys",
        "/metrics",
    ] {
        left.keep(path, tenant.owner.get(path).await.expect(200));
    }
    match server.app.database.backend() {
        Backend::Postgres => tables(&server, &mut left).await,
        _ => files(&server.app.config.data.directory, &mut left),
    }
    let logged = log.lock().unwrap().clone();
    assert!(logged.len() > 1000, "the log is kept");
    left.0.push(("the log".to_owned(), logged));
    assert!(left.0.len() > 400);
    left.search();
}
