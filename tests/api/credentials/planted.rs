//! Marked secrets are planted wherever they can enter; then everything that leaves is searched for the mark: answers, the
//! database's files or tables, the log at its finest, execution data, the audit log, the metrics, mails, the tenant's archive,
//! the words of a panic. What the server makes itself cannot be marked, and is searched for as it is.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use actix_web::HttpResponse;
use actix_web::http::Method;
use bytes::Bytes;
use millrace::common::Secret;
use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::{create, http_request, reaching_loopback, run, workflow};
use crate::support::{Client, Log, PASSWORD, Reply, TestServer, TestTenant, Vendor};
use crate::workflows::{activated, greeting};

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

    /// Fails for the first that holds the mark, plainly, as hexadecimal digits or as base64, or one of these.
    fn search(&self, made: &[String]) {
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
            for form in forms.iter().chain(made) {
                let found = bytes.windows(form.len()).position(|window| window == form.as_bytes());
                if let Some(at) = found {
                    let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 60)];
                    panic!("{form} left by {what}: {}", String::from_utf8_lossy(around));
                }
            }
        }
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
        ("smtp", json!({ "host": "127.0.0.1", "port": 1, "user": "u", "password": "PLANTED-smtp" })),
        ("imap", json!({ "host": "127.0.0.1", "port": 1, "user": "u", "password": "PLANTED-imap" })),
        (
            "postgres",
            json!({ "host": "127.0.0.1", "port": 1, "password": "PLANTED-postgres", "privateKey": "PLANTED-ssh" }),
        ),
        ("redis", json!({ "host": "127.0.0.1", "port": 1, "password": "PLANTED-redis" })),
        (
            "aws",
            json!({ "accessKeyId": "AKIA1", "secretAccessKey": "PLANTED-aws", "temporaryCredentials": true, "sessionToken": "PLANTED-session" }),
        ),
        (
            "googleApi",
            json!({ "email": "a@x.example", "privateKey": "-----BEGIN PRIVATE KEY-----\nPLANTED-pem\n-----END PRIVATE KEY-----\n" }),
        ),
        (
            "httpSslAuth",
            json!({ "cert": "PLANTED-certificate", "key": "-----BEGIN PRIVATE KEY-----\nPLANTED\n", "passphrase": "PLANTED-phrase" }),
        ),
        ("jwtAuth", json!({ "keyType": "passphrase", "secret": "PLANTED-jwt" })),
    ]
}

async fn everything(server: &TestServer, owner: &Client, left: &mut Left) {
    for status in [200, 403, 500] {
        let vendor = Vendor::start(move |asked| {
            // A service that quotes what it was sent, whether it succeeds or not.
            let quoted = json!({ "message": format!("sent: {:?} {}", asked.headers, asked.path) });
            HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).json(quoted)
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
            if matches!(kind, "aws" | "googleApi") {
                node["parameters"]["authentication"] = json!("predefinedCredentialType");
                node["parameters"]["nodeCredentialType"] = json!(kind);
            }
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

/// Secrets of other domains: of webhooks, of single sign-on, of second factors. Gives those that the server made.
async fn elsewhere(server: &TestServer, tenant: &TestTenant, left: &mut Left) -> Vec<String> {
    let workflow = activated(&tenant.developer, greeting("hello")).await;
    let page = tenant.owner.get(&format!("/api/v1/webhooks?workflowId={workflow}")).await.json(200);
    let path = format!("/api/v1/webhooks/{}", page["data"][0]["id"].as_str().unwrap());
    // The mark, as base64.
    let key = "whsec_UExBTlRFRC13ZWJob29rLXNlY3JldC0xMjM0NTY3ODk=";
    let body =
        json!({ "settings": { "signature": { "scheme": "standardWebhooks" } }, "secrets": { "signature": key } });
    left.keep("webhook", tenant.owner.send(Method::PUT, &path, Some(body)).await.expect(200));
    left.keep("webhook again", tenant.owner.get(&path).await.expect(200));
    left.keep("webhook called", server.visitor().post("/t/acme/webhook/hello", json!({})).await);
    let rotated = tenant.owner.post(&format!("{path}/secret"), json!({})).await.json(201);

    let provider = "/api/v1/auth/sso/provider";
    let body = json!({ "issuer": "https://id.acme.example", "clientId": "millrace", "clientSecret": "PLANTED-single-sign-on" });
    left.keep("provider", tenant.owner.send(Method::PUT, provider, Some(body)).await.expect(200));
    left.keep("provider again", tenant.owner.get(provider).await.expect(200));

    let factor = "/api/v1/auth/second-factor";
    let enrolled = tenant.owner.post(factor, json!({ "password": PASSWORD })).await.json(201);
    left.keep("wrong code", tenant.owner.post(&format!("{factor}/confirm"), json!({ "code": "000000" })).await);
    left.keep("me", tenant.owner.get("/api/v1/auth/me").await.expect(200));
    let made = [&rotated["secret"], &enrolled["secret"]];
    made.iter().filter_map(|secret| secret.as_str()).map(str::to_owned).collect()
}

/// Everything of the tenant's, as its owner takes it away.
async fn archive(tenant: &TestTenant, left: &mut Left) {
    let reply = tenant.owner.get("/api/v1/tenants/current/export").await.expect(200);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&reply.body[..]));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        left.0.push((format!("the archive's {}", entry.path().unwrap().display()), content));
    }
}

/// What a panic says that shows all it has at hand.
async fn panicking(server: &TestServer, tenant: &TestTenant, left: &mut Left) {
    use millrace::domains::credentials::Wanted;
    let ctx = millrace::common::Ctx::system(tenant.id);
    create(&tenant.owner, "slackApi", json!({ "accessToken": "PLANTED-panic" })).await;
    let (reference, workflow) = (None, millrace::common::WorkflowId::new());
    let wanted = Wanted { kind: "slackApi", reference, node_type: "n8n-nodes-base.slack", workflow };
    let resolved = server.app.credentials.resolve(&ctx, &wanted).await.unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| panic!("{resolved:?} {:?}", resolved.allowed_hosts))).unwrap_err();
    let words = panic.downcast_ref::<String>().unwrap().clone();
    left.0.push(("a panic".to_owned(), words.into_bytes()));
}

#[actix_web::test]
async fn no_planted_secret_leaves() {
    let log = Log::default();
    log.hear_everything();
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
    let made = elsewhere(&server, &tenant, &mut left).await;
    assert_eq!(made.len(), 2, "a webhook's secret and a second factor's");
    panicking(&server, &tenant, &mut left).await;
    for path in [
        "/api/v1/credentials",
        "/api/v1/audit?limit=250",
        "/api/v1/executions?includeData=true&limit=250",
        "/api/v1/credentials/keys",
        "/metrics",
    ] {
        left.keep(path, tenant.owner.get(path).await.expect(200));
    }
    archive(&tenant, &mut left).await;
    match server.app.database.backend() {
        Backend::Postgres => tables(&server, &mut left).await,
        _ => files(&server.app.config.data.directory, &mut left),
    }
    // Renewals that were refused were told by mail.
    left.0.push(("the mails".to_owned(), server.outbox.text().into_bytes()));
    let logged = log.bytes();
    assert!(logged.len() > 1000, "the log is kept");
    left.0.push(("the log".to_owned(), logged));
    assert!(left.0.len() > 800);
    left.search(&made);
}
