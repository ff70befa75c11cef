//! Workflows and documents that no one should write: stopped by their limits, recorded, and no trouble for anybody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::Method;
use bytes::Bytes;
use millrace::common::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::flows::chain;
use crate::support::{TestServer, TestTenant};
use crate::workflows::greeting;

const IMPORT: &str = "/api/v1/workflows/import";

fn scripted(code: &str) -> Value {
    chain("Scripted", &[("Begin", "manualTrigger", 1.0, json!({})), ("Script", "code", 2.0, json!({ "jsCode": code }))])
}

/// Imports a workflow; gives the path that triggers it.
async fn trigger(tenant: &TestTenant, workflow: Value) -> String {
    let imported = tenant.developer.post(IMPORT, workflow).await.json(201);
    format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap())
}

async fn ended(tenant: &TestTenant, workflow: Value) -> Value {
    let path = trigger(tenant, workflow).await;
    tenant.operator.post(&path, json!({ "wait": true })).await.json(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_script_is_stopped_and_others_run_meanwhile() {
    let server = TestServer::with(|config| config.executions.script_seconds = 3).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let endless = trigger(&acme, scripted("while (true) {}")).await;
    let short = trigger(&globex, scripted("return [{ json: { ok: true } }];")).await;
    let began = Instant::now();
    let accepted = acme.operator.post(&endless, json!({})).await.json(202);
    let other = globex.operator.post(&short, json!({ "wait": true })).await.json(200);
    assert_eq!(other["status"], "success");
    assert!(began.elapsed() < Duration::from_secs(3), "the other tenant did not wait for the endless script");
    let path = format!("/api/v1/executions/{}?includeData=true", accepted["id"].as_str().unwrap());
    let mut execution = acme.viewer.get(&path).await.json(200);
    assert_ne!(execution["status"], "success");
    while !execution["stoppedAt"].is_string() {
        assert!(began.elapsed() < Duration::from_secs(60), "the endless script is not stopped");
        tokio::time::sleep(Duration::from_millis(20)).await;
        execution = acme.viewer.get(&path).await.json(200);
    }
    let error = &execution["data"]["resultData"]["error"];
    assert_eq!((&execution["status"], &error["node"]), (&json!("error"), &json!("Script")));
    assert!(error["message"].as_str().unwrap().contains("took longer than 3 s"), "{error}");
}

#[actix_web::test]
async fn a_run_that_holds_too_much_is_stopped_and_says_so() {
    let server = TestServer::with(|config| config.executions.max_bytes = 1 << 20).await;
    let acme = server.tenant("acme").await;
    let large = ended(&acme, scripted("return [{ json: { text: 'x'.repeat(2 << 20) } }];")).await;
    let error = &large["data"]["resultData"]["error"];
    assert_eq!(large["status"], "error", "{error}");
    assert!(error["message"].as_str().unwrap().contains("data got too large: more than 1 MB"), "{error}");
    assert!(error["description"].as_str().unwrap().contains("fewer items at a time"), "{error}");
    assert_eq!(ended(&acme, scripted("return [{ json: {} }];")).await["status"], "success");
}

#[actix_web::test]
async fn a_script_that_takes_all_memory_is_stopped() {
    let server = TestServer::with(|config| config.executions.script_memory_bytes = 16 << 20).await;
    let acme = server.tenant("acme").await;
    for code in [
        "const all = []; while (true) all.push(new Array(1000).fill('x'));",
        "let text = 'x'; while (true) text += text;",
        "return [{ json: { a: 'x'.repeat(1 << 28) } }];",
    ] {
        let ended = ended(&acme, scripted(code)).await;
        let error = &ended["data"]["resultData"]["error"];
        assert_eq!((&ended["status"], &error["node"]), (&json!("error"), &json!("Script")), "{code}");
    }
    let next = ended(&acme, scripted("return [{ json: { ok: true } }];")).await;
    assert_eq!(next["status"], "success", "the server goes on");
}

#[actix_web::test]
async fn an_expression_of_ten_megabytes_does_no_harm() {
    let server = TestServer::with(|config| config.server.body_limit_bytes = 64 << 20).await;
    let acme = server.tenant("acme").await;
    let long = format!("={{{{ '{}'.length }}}}", "x".repeat(10 << 20));
    let sum = format!("={{{{ 1{} }}}}", "+1".repeat(5 << 20));
    let deep = format!("={{{{ {}1{} }}}}", "(".repeat(5 << 20), ")".repeat(5 << 20));
    for (expression, value) in [(long, Some(10 << 20)), (sum, Some((5 << 20) + 1)), (deep, None)] {
        let value_of = json!({ "assignments": { "assignments": [
            { "id": "1", "name": "n", "type": "any", "value": expression }] }, "options": {} });
        let workflow = chain("Long", &[("Begin", "manualTrigger", 1.0, json!({})), ("Compute", "set", 3.4, value_of)]);
        let ended = ended(&acme, workflow).await;
        match value {
            Some(value) => {
                let computed = &ended["data"]["resultData"]["runData"]["Compute"][0]["data"]["main"][0][0]["json"];
                assert_eq!(computed["n"], json!(value), "{}", ended["data"]["resultData"]["error"]);
            }
            None => {
                assert_eq!(ended["status"], "error");
                assert_eq!(ended["data"]["resultData"]["error"]["node"], "Compute");
            }
        }
    }
}

#[actix_web::test]
async fn documents_that_cannot_be_read_are_refused() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let nested = |levels: usize| {
        let mut workflow = scripted("return []");
        // The document, its nodes, the node and its parameters are around it.
        let inside = format!("{}{}", "[".repeat(levels - 4), "]".repeat(levels - 4));
        workflow["nodes"][1]["parameters"]["deep"] = json!("PLACE");
        workflow.to_string().replace("\"PLACE\"", &inside)
    };
    let send = |content_type: &'static str, body: Vec<u8>| {
        let client = acme.developer.clone();
        async move { client.send_raw(Method::POST, IMPORT, Some((content_type, Bytes::from(body)))).await }
    };
    send("application/json", nested(127).into_bytes()).await.expect(201);
    send("application/json", nested(128).into_bytes()).await.problem(400, "nested_too_deep");
    send("application/json", b"{\"name\":\"\xff\",\"nodes\":[]}".to_vec()).await.problem(400, "invalid_utf8");
    send("application/json", b"{\"nodes\":[}".to_vec()).await.problem(400, "malformed_json");
    send("text/plain", scripted("").to_string().into_bytes()).await.problem(415, "unsupported_media_type");
    send("application/json", b"{\"nodes\":{}}".to_vec()).await.problem_at(422, "workflow_invalid", &["/nodes"]);
}

#[actix_web::test]
async fn our_own_bodies_have_no_other_fields_and_are_no_lists() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = trigger(&acme, greeting("a")).await;
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (path, body, pointer) in [
        (path.as_str(), json!({ "wait": true, "waits": true }), "/waits"),
        (path.as_str(), json!({ "wait": "yes" }), "/wait"),
        (path.as_str(), json!({ "mode": "cli" }), "/mode"),
        (path.as_str(), json!([]), ""),
        (path.as_str(), json!([null, { "a": 1 }, true]), ""),
        (&format!("/api/v1/executions/{unknown}/retry"), json!({ "loadworkflow": true }), "/loadworkflow"),
        (&format!("/api/v1/executions/{unknown}/retry"), json!([true]), ""),
        ("/api/v1/api-keys", json!({ "name": "k", "scopes": [] }), "/scopes"),
        ("/api/v1/api-keys", json!(["k"]), ""),
    ] {
        acme.owner.post(path, body).await.problem_at(422, "invalid_body", &[pointer]);
    }
    for (path, body) in [
        ("/api/v1/auth/login", json!(["owner@acme.example", "correct horse battery"])),
        ("/api/v1/auth/register", json!({ "email": "a@b.example", "password": "x", "role": "owner" })),
        ("/api/v1/auth/refresh", json!(["token"])),
    ] {
        server.visitor().post(path, body).await.problem(422, "invalid_body");
    }
    acme.viewer.get("/api/v1/executions?statuses=error").await.problem(422, "invalid_query");
}

/// Panics when a run asks it for the time; once.
struct Defective {
    clock: Arc<dyn Clock>,
    armed: Arc<AtomicBool>,
}

impl Clock for Defective {
    fn now(&self) -> Timestamp {
        // Requests are answered by the test itself; runs are tasks.
        let in_a_run = tokio::task::try_id().is_some();
        assert!(!in_a_run || !self.armed.swap(false, Ordering::SeqCst), "a defect, on purpose");
        self.clock.now()
    }
}

#[actix_web::test]
async fn a_panic_fails_its_execution_and_nothing_else() {
    let armed = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&armed);
    let server = TestServer::with_clock(|_| {}, move |clock| Arc::new(Defective { clock, armed: switch })).await;
    let acme = server.tenant("acme").await;
    let pausing = chain(
        "Pausing",
        &[
            ("Begin", "manualTrigger", 1.0, json!({})),
            ("Pause", "wait", 1.1, json!({ "resume": "timeInterval", "amount": 0, "unit": "seconds" })),
        ],
    );
    let path = trigger(&acme, pausing).await;
    armed.store(true, Ordering::SeqCst);
    let failed = acme.operator.post(&path, json!({ "wait": true })).await.json(200);
    assert!(!armed.load(Ordering::SeqCst), "the clock has panicked");
    assert_eq!(failed["status"], "error", "{failed}");
    let own = format!("/api/v1/executions/{}", failed["id"].as_str().unwrap());
    assert_eq!(acme.viewer.get(&own).await.json(200)["status"], "error");
    let next = acme.operator.post(&path, json!({ "wait": true })).await.json(200);
    assert_eq!(next["status"], "success");
}
