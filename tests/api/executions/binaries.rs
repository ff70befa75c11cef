//! Large binaries: kept apart from the records, for their tenant alone, as long as their execution; and what happens when
//! the store fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use bytes::Bytes;
use millrace::app::{App, BuildError};
use millrace::common::{Clock, Secret};
use millrace::infrastructure::config::{Config, StorageBackend};
use millrace::infrastructure::database::AcrossTenants;
use millrace::infrastructure::mail::UnsentMailer;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::flows::{chain, reached};
use crate::support::{Bucket, Client, Mood, TestServer, TestTenant, Vendor, administrator};
use crate::workflows::activated;

/// Larger than what stays in records.
fn large() -> Vec<u8> {
    (0..200_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn files() -> Vendor {
    Vendor::start(|asked| match asked.path.as_str() {
        "/small" => HttpResponse::Ok().content_type("application/pdf").body("small"),
        _ => HttpResponse::Ok().content_type("application/pdf").body(large()),
    })
}

/// Downloads a file and answers with it.
fn download(path: &str, url: &str) -> Value {
    let hook = json!({ "httpMethod": "POST", "path": path, "responseMode": "responseNode", "options": {} });
    let get = json!({ "url": url, "options": { "response": { "response": { "responseFormat": "file" } } } });
    let nodes = [
        ("Hook", "webhook", 2.0, hook),
        ("Get", "httpRequest", 4.2, get),
        ("Answer", "respondToWebhook", 1.1, json!({ "respondWith": "binary", "options": {} })),
    ];
    chain(path, &nodes)
}

fn open(config: &mut Config) {
    config.http_client.allow_private_networks = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
}

async fn with_directory(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        open(config);
        config.storage.backend = StorageBackend::FileSystem;
        change(config);
    })
    .await
}

fn use_bucket(config: &mut Config, bucket: &Bucket) {
    config.storage.backend = StorageBackend::S3;
    config.storage.s3.bucket = Bucket::NAME.to_owned();
    config.storage.s3.endpoint.clone_from(&bucket.url);
    config.storage.s3.access_key_id = Secret::new("id".to_owned());
    config.storage.s3.secret_access_key = Secret::new("secret".to_owned());
    config.storage.s3.prefix = "prod/blobs".to_owned();
    config.storage.s3.timeout_seconds = 1;
}

async fn call(server: &TestServer, tenant: &TestTenant, path: &str) -> crate::support::Reply {
    server.visitor().post(&format!("/t/{}/webhook/{path}", tenant.slug), json!({})).await
}

fn binary_of(execution: &Value, node: &str) -> Value {
    execution["data"]["resultData"]["runData"][node][0]["data"]["main"][0][0]["binary"]["data"].clone()
}

/// Files below a directory.
fn found(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let all = entries.map(|entry| entry.unwrap().path());
    all.flat_map(|path| if path.is_dir() { found(&path) } else { vec![path] }).collect()
}

fn directory(server: &TestServer) -> PathBuf {
    server.app.config.data.directory.join("binaries")
}

async fn fetch(client: &Client, handle: &str) -> crate::support::Reply {
    let (execution, binary) = handle.split_once('/').unwrap();
    client.get(&format!("/api/v1/executions/{execution}/binaries/{binary}")).await
}

#[actix_web::test]
async fn large_binaries_are_kept_apart_and_go_with_their_execution() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, download("large", &format!("{}/large", vendor.url))).await;
    assert_eq!(call(&server, &acme, "large").await.expect(200).body, Bytes::from(large()));
    let execution = reached(&acme.viewer, &id, "success").await;
    let binary = binary_of(&execution, "Get");
    assert_eq!((&binary["data"], &binary["bytes"]), (&json!("filesystem"), &json!(200_000)));
    let handle = binary["id"].as_str().unwrap().to_owned();
    assert_eq!(handle.split('/').next(), execution["id"].as_str());
    let files = found(&directory(&server));
    assert_eq!(files, [directory(&server).join(acme.id.to_string()).join(&handle)], "under its tenant");
    let reply = fetch(&acme.viewer, &handle).await.expect(200);
    assert_eq!(reply.header("content-disposition"), Some("attachment"));
    assert_eq!(reply.body, Bytes::from(large()));
    let usage = acme.owner.get("/api/v1/tenants/current/usage").await.json(200);
    assert!(usage["month"]["storageBytes"].as_u64().unwrap() > 200_000, "{usage}");
    let small = activated(&acme.developer, download("small", &format!("{}/small", vendor.url))).await;
    call(&server, &acme, "small").await.expect(200);
    assert_eq!(binary_of(&reached(&acme.viewer, &small, "success").await, "Get")["data"], "c21hbGw=");
    let executor = server.app.executions.executor();
    assert_eq!(executor.clear_binaries().await.unwrap(), 0);
    acme.owner.delete(&format!("/api/v1/executions/{}", execution["id"].as_str().unwrap())).await.expect(200);
    fetch(&acme.viewer, &handle).await.problem(404, "binary_not_found");
    assert_eq!(executor.clear_binaries().await.unwrap(), 1);
    assert_eq!(found(&directory(&server)), Vec::<PathBuf>::new());
}

#[actix_web::test]
async fn what_is_not_kept_leaves_nothing() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let acme = server.tenant("acme").await;
    acme.owner.patch("/api/v1/tenants/current", json!({ "settings": { "saveSuccess": false } })).await.expect(200);
    activated(&acme.developer, download("large", &format!("{}/large", vendor.url))).await;
    call(&server, &acme, "large").await.expect(200);
    let executor = server.app.executions.executor();
    for attempt in 0.. {
        executor.clear_binaries().await.unwrap();
        if found(&directory(&server)).is_empty() {
            break;
        }
        assert!(attempt < 500, "{:?}", found(&directory(&server)));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn what_a_called_workflow_made_belongs_to_its_caller() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let acme = server.tenant("acme").await;
    let file = json!({ "response": { "response": { "responseFormat": "file" } } });
    let get = json!({ "url": format!("{}/large", vendor.url), "options": file });
    let begin = ("Begin", "executeWorkflowTrigger", 1.1, json!({ "inputSource": "passthrough" }));
    let mut called = chain("called", &[begin, ("Get", "httpRequest", 4.2, get)]);
    called["settings"]["saveDataSuccessExecution"] = json!("none");
    let called = acme.developer.post("/api/v1/workflows/import", called).await.json(201);
    let hook = json!({ "httpMethod": "POST", "path": "calling", "responseMode": "lastNode", "options": {} });
    let call_it = json!({ "workflowId": { "__rl": true, "mode": "id", "value": called["id"] }, "options": {} });
    let nodes = [("Hook", "webhook", 2.0, hook), ("Call", "executeWorkflow", 1.2, call_it)];
    let id = activated(&acme.developer, chain("calling", &nodes)).await;
    call(&server, &acme, "calling").await.expect(200);
    let execution = reached(&acme.viewer, &id, "success").await;
    let handle = binary_of(&execution, "Call")["id"].as_str().unwrap().to_owned();
    let executor = server.app.executions.executor();
    assert_eq!(executor.clear_binaries().await.unwrap(), 0, "the called execution was not kept, its caller was");
    assert_eq!(fetch(&acme.viewer, &handle).await.expect(200).body, Bytes::from(large()));
    acme.owner.delete(&format!("/api/v1/executions/{}", execution["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(executor.clear_binaries().await.unwrap(), 1);
}

#[actix_web::test]
async fn the_last_nodes_binary_is_the_answer() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let acme = server.tenant("acme").await;
    let hook = json!({ "httpMethod": "POST", "path": "last", "responseMode": "lastNode",
        "responseData": "firstEntryBinary", "responseBinaryPropertyName": "data", "options": {} });
    let url = format!("{}/large", vendor.url);
    let get = json!({ "url": url, "options": { "response": { "response": { "responseFormat": "file" } } } });
    let nodes = [("Hook", "webhook", 2.0, hook), ("Get", "httpRequest", 4.2, get)];
    activated(&acme.developer, chain("last", &nodes)).await;
    let reply = call(&server, &acme, "last").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/pdf"));
    assert_eq!(reply.body, Bytes::from(large()));
}

#[actix_web::test]
async fn what_never_got_an_execution_goes_after_a_day() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, download("large", &format!("{}/large", vendor.url))).await;
    call(&server, &acme, "large").await.expect(200);
    reached(&acme.viewer, &id, "success").await;
    // As a process leaves it that died before its execution was stored.
    server.app.database.write(AcrossTenants).execute_unprepared("DELETE FROM executions").await.unwrap();
    let executor = server.app.executions.executor();
    assert_eq!(executor.clear_binaries().await.unwrap(), 0, "it may yet be stored");
    server.clock.advance(Duration::from_secs(2 * 86_400));
    assert_eq!(executor.clear_binaries().await.unwrap(), 1);
    assert_eq!(found(&directory(&server)), Vec::<PathBuf>::new());
}

#[actix_web::test]
async fn a_handle_of_somebody_else_means_nothing() {
    let (vendor, server) = (files(), with_directory(|_| {}).await);
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = activated(&acme.developer, download("large", &format!("{}/large", vendor.url))).await;
    call(&server, &acme, "large").await.expect(200);
    let handle = binary_of(&reached(&acme.viewer, &id, "success").await, "Get")["id"].as_str().unwrap().to_owned();
    fetch(&globex.owner, &handle).await.problem(404, "binary_not_found");
    let path = format!("../{}/{handle}", acme.id);
    for (at, forged) in [handle.as_str(), path.as_str(), "../../keys/auth.key", "", "x/y"].into_iter().enumerate() {
        let code = format!(
            "return [{{ json: {{}}, binary: {{ data: {{ id: {forged:?}, data: 'filesystem', mimeType: 'x/y' }} }} }}];"
        );
        let hook = json!({ "httpMethod": "POST", "path": format!("forged{at}"), "responseMode": "responseNode", "options": {} });
        let nodes = [
            ("Hook", "webhook", 2.0, hook),
            ("Forge", "code", 2.0, json!({ "jsCode": code })),
            ("Answer", "respondToWebhook", 1.1, json!({ "respondWith": "binary", "options": {} })),
        ];
        let id = activated(&globex.developer, chain("forging", &nodes)).await;
        let reply = call(&server, &globex, &format!("forged{at}")).await;
        assert_eq!(reply.status.as_u16(), 500, "{forged:?}");
        let failed = reached(&globex.viewer, &id, "error").await;
        assert!(failed["error"].as_str().unwrap().contains("cannot be read"), "{forged:?}: {failed}");
    }
}

#[actix_web::test]
async fn an_execution_may_put_out_only_so_much() {
    let vendor = files();
    let server = with_directory(|config| config.executions.max_binaries_bytes = 250_000).await;
    let acme = server.tenant("acme").await;
    let get = |name: &'static str| {
        let url = format!("{}/large", vendor.url);
        (
            name,
            "httpRequest",
            4.2,
            json!({ "url": url, "options": { "response": { "response": { "responseFormat": "file" } } } }),
        )
    };
    let hook = json!({ "httpMethod": "POST", "path": "two", "responseMode": "lastNode", "options": {} });
    let id = activated(&acme.developer, chain("two", &[("Hook", "webhook", 2.0, hook), get("One"), get("Two")])).await;
    call(&server, &acme, "two").await.expect(500);
    let failed = reached(&acme.viewer, &id, "error").await;
    assert_eq!(failed["lastNodeExecuted"], "Two");
    let error = &failed["data"]["resultData"]["error"];
    assert_eq!(error["context"]["code"], "binaries_too_large", "{error}");
    assert!(failed["error"].as_str().unwrap().contains("400 kB, at most 250 kB"), "{failed}");
}

#[actix_web::test]
async fn a_bucket_serves_as_well_and_a_deleted_tenant_leaves_nothing_in_it() {
    let (vendor, bucket) = (files(), Bucket::start(Mood::Fine));
    let server = TestServer::with(|config| {
        open(config);
        use_bucket(config, &bucket);
        config.tenants.deletion_grace_days = 0;
    })
    .await;
    assert_eq!(bucket.keys(), Vec::<String>::new(), "what was tried out is gone");
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    for tenant in [&acme, &globex] {
        let id = activated(&tenant.developer, download("large", &format!("{}/large", vendor.url))).await;
        assert_eq!(call(&server, tenant, "large").await.expect(200).body, Bytes::from(large()));
        let binary = binary_of(&reached(&tenant.viewer, &id, "success").await, "Get");
        assert_eq!(binary["data"], "s3");
        let key = format!("prod/blobs/{}/{}", tenant.id, binary["id"].as_str().unwrap());
        assert!(bucket.keys().contains(&key), "{key}: {:?}", bucket.keys());
    }
    let admin = administrator(&server).await;
    admin.delete(&format!("/api/v1/admin/tenants/{}", acme.id)).await.expect(200);
    bucket.be(Mood::Denies);
    assert_eq!(server.app.tenants.erase_due().await.unwrap(), 0, "not before its files are gone");
    bucket.be(Mood::Fine);
    assert_eq!(server.app.tenants.erase_due().await.unwrap(), 1);
    let of_globex = format!("prod/blobs/{}/", globex.id);
    assert!(bucket.keys().len() == 1 && bucket.keys()[0].starts_with(&of_globex), "{:?}", bucket.keys());
}

#[actix_web::test]
async fn a_store_that_fails_is_a_run_error_and_a_retry_goes_on() {
    let (vendor, bucket) = (files(), Bucket::start(Mood::Fine));
    let server = TestServer::with(|config| {
        open(config);
        use_bucket(config, &bucket);
    })
    .await;
    let acme = server.tenant("acme").await;
    for mood in [Mood::Denies, Mood::Fails, Mood::Hangs] {
        let path = format!("{mood:?}").to_lowercase();
        let id = activated(&acme.developer, download(&path, &format!("{}/large", vendor.url))).await;
        bucket.be(mood);
        call(&server, &acme, &path).await.expect(500);
        let failed = reached(&acme.viewer, &id, "error").await;
        let error = &failed["data"]["resultData"]["error"];
        assert_eq!(error["context"]["code"], "storage_unavailable", "{mood:?}: {error}");
        assert!(failed["error"].as_str().unwrap().starts_with("The binary data cannot be stored"), "{failed}");
        // What a caller brings is not taken either, and the caller is told.
        let form = format!(
            "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
            content-type: application/octet-stream\r\n\r\n{}\r\n--x--\r\n",
            "a".repeat(100_000)
        );
        let body = Some(("multipart/form-data; boundary=x", Bytes::from(form)));
        let upload = server.visitor().send_raw(Method::POST, &format!("/t/acme/webhook/{path}"), body).await;
        assert_eq!(upload.json(503)["code"], 503, "{mood:?}");
        bucket.be(Mood::Fine);
        let retry = format!("/api/v1/executions/{}/retry", failed["id"].as_str().unwrap());
        acme.operator.post(&retry, json!({})).await;
        let done = reached(&acme.viewer, &id, "success").await;
        let handle = binary_of(&done, "Get")["id"].as_str().unwrap().to_owned();
        assert_eq!(fetch(&acme.viewer, &handle).await.expect(200).body, Bytes::from(large()), "{mood:?}");
    }
}

#[actix_web::test]
async fn what_a_caller_uploads_is_kept_apart() {
    let server = with_directory(|_| {}).await;
    let acme = server.tenant("acme").await;
    let hook = json!({ "httpMethod": "POST", "path": "up", "responseMode": "responseNode", "options": {} });
    let answer =
        json!({ "respondWith": "binary", "responseDataSource": "set", "inputFieldName": "file", "options": {} });
    let nodes = [("Hook", "webhook", 2.0, hook), ("Answer", "respondToWebhook", 1.1, answer)];
    let id = activated(&acme.developer, chain("up", &nodes)).await;
    let content = "b".repeat(100_000);
    let form = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
        content-type: text/plain\r\n\r\n{content}\r\n--x--\r\n"
    );
    let body = Some(("multipart/form-data; boundary=x", Bytes::from(form)));
    let reply = server.visitor().send_raw(Method::POST, "/t/acme/webhook/up", body).await.expect(200);
    assert_eq!(reply.body, Bytes::from(content));
    let execution = reached(&acme.viewer, &id, "success").await;
    let hook = &execution["data"]["resultData"]["runData"]["Hook"][0]["data"]["main"][0][0]["binary"]["file"];
    assert_eq!(hook["data"], "filesystem", "{hook}");
    assert_eq!(found(&directory(&server)).len(), 1);
}

/// A server with this configuration beside `server`.
async fn started(server: &TestServer, change: impl FnOnce(&mut Config)) -> Result<App, BuildError> {
    let mut config = Config::clone(&server.app.config);
    change(&mut config);
    let clock: Arc<dyn Clock> = server.clock.clone();
    App::build_with(config, clock, Arc::new(UnsentMailer)).await
}

#[actix_web::test]
async fn a_store_that_cannot_be_used_keeps_the_server_from_starting() {
    let server = TestServer::start().await;
    let file = server.app.config.data.directory.join("file");
    std::fs::write(&file, "x").unwrap();
    let in_file = started(&server, |config| {
        config.storage.backend = StorageBackend::FileSystem;
        config.storage.directory = file.join("binaries");
    });
    let error = in_file.await.err().unwrap().to_string();
    assert!(error.starts_with("storage.directory: ") && error.contains("cannot be written"), "{error}");
    let bucket = Bucket::start(Mood::HasNoBucket);
    for (mood, told) in [(Mood::HasNoBucket, "storage.s3.bucket: "), (Mood::Denies, "storage.s3: ")] {
        bucket.be(mood);
        let error = started(&server, |config| use_bucket(config, &bucket)).await.err().unwrap().to_string();
        assert!(error.starts_with(told) && error.contains(Bucket::NAME), "{error}");
    }
    // One that is only away may come back.
    for mood in [Mood::Fails, Mood::Hangs] {
        bucket.be(mood);
        assert!(started(&server, |config| use_bucket(config, &bucket)).await.is_ok(), "{mood:?}");
    }
}
