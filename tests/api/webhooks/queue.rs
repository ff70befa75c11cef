//! Webhooks that are queued: who may queue, for whom, tries, dead letters. And test calls.

use std::time::Duration;

use actix_web::http::Method;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Client, Reply, TestServer, TestTenant};
use crate::workflows::{activated, greeting};

const GENERIC: &str = "/t/acme/api/v1/webhooks/n8n/generic";

/// A workflow that wants an event, and does this.
fn wanting(path: &str, events: &[&str], then: Value) -> Value {
    let mut workflow = greeting(path);
    workflow["triggerEvents"] = json!(events);
    workflow["nodes"][1] = then;
    workflow["connections"]["Webhook"]["main"][0][0]["node"] = workflow["nodes"][1]["name"].clone();
    workflow
}

fn nothing() -> Value {
    json!({ "name": "Then", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [200, 0], "parameters": {} })
}

fn failing() -> Value {
    json!({ "name": "Then", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1, "position": [200, 0],
            "parameters": { "errorMessage": "no credit left" } })
}

async fn secret(tenant: &TestTenant) -> String {
    let made = tenant.developer.post("/api/v1/webhooks/queue/secret", json!({})).await.json(201);
    made["secret"].as_str().unwrap().to_owned()
}

/// Signed with an HMAC of the body.
async fn queue(client: &Client, secret: &str, path: &str, body: &Value) -> Reply {
    let text = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let client = client.with("x-n8n-signature", &signature);
    client.send_raw(Method::POST, path, Some(("application/json", Bytes::from(text)))).await
}

async fn status(tenant: &TestTenant) -> Value {
    tenant.viewer.get("/api/v1/webhooks/queue/status").await.json(200)
}

/// Works until nothing is due.
async fn work(server: &TestServer) {
    while server.app.webhooks.process_due().await.unwrap() > 0 {}
}

#[actix_web::test]
async fn an_event_is_queued_for_every_active_workflow_that_wants_it() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let secret = secret(&acme).await;
    let one = activated(&acme.developer, wanting("one", &["lead_created"], nothing())).await;
    let two = activated(&acme.developer, wanting("two", &["lead_created", "lead_updated"], nothing())).await;
    activated(&acme.developer, wanting("three", &["lead_updated"], nothing())).await;
    activated(&globex.developer, wanting("one", &["lead_created"], nothing())).await;
    acme.developer.post("/api/v1/workflows/import", wanting("four", &["lead_created"], nothing())).await.expect(201);
    let body = json!({ "event": "lead_created", "data": { "leadId": 7 } });
    let queued = queue(&server.visitor(), &secret, GENERIC, &body).await.json(200);
    assert_eq!((&queued["status"], queued["ids"].as_array().unwrap().len()), (&json!("queued"), 2), "{queued}");
    assert_eq!(status(&acme).await["queued"], 2);
    work(&server).await;
    assert_eq!(status(&acme).await["completed"], 2);
    for workflow in [&one, &two] {
        let path = format!("/api/v1/workflows/{workflow}/executions?includeData=true");
        let page = acme.viewer.get(&path).await.json(200);
        let data = &page["data"][0]["data"]["resultData"]["runData"]["Then"][0]["data"]["main"][0][0]["json"];
        assert_eq!(data["body"], json!({ "leadId": 7 }), "{page}");
    }
    assert_eq!(globex.viewer.get("/api/v1/executions").await.json(200)["data"], json!([]));
    acme.developer.post(&format!("/api/v1/workflows/{one}/deactivate"), json!({})).await.expect(200);
    let body = json!({ "event": "lead_created", "data": { "leadId": 8 } });
    let queued = queue(&server.visitor(), &secret, GENERIC, &body).await.json(200);
    assert_eq!(queued["ids"].as_array().unwrap().len(), 1, "a workflow that is not active wants nothing");
}

#[actix_web::test]
async fn only_who_knows_the_secret_may_queue() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let workflow = activated(&acme.developer, wanting("one", &["e"], nothing())).await;
    let path = format!("/api/v1/webhooks/n8n/{workflow}");
    let (visitor, body) = (server.visitor(), json!({ "event": "e", "data": {} }));
    for path in [path.as_str(), GENERIC] {
        queue(&visitor, "anything", path, &body).await.problem(401, "webhook_signature_wrong");
    }
    let secret = secret(&acme).await;
    for path in [path.as_str(), GENERIC] {
        queue(&visitor, "wrong", path, &body).await.problem(401, "webhook_signature_wrong");
        visitor.post(path, body.clone()).await.problem(401, "webhook_signature_wrong");
        queue(&visitor, &secret, path, &body).await.expect(200);
        // The secret itself, as n8n's own HTTP Request node can send it.
        visitor.with("x-n8n-signature", &secret).post(path, body.clone()).await.expect(200);
    }
    let (once, body) = (visitor.with("idempotency-key", "k1"), json!({ "event": "e", "data": { "leadId": 7 } }));
    assert_eq!(queue(&once, &secret, &path, &body).await.json(200)["duplicate"], false);
    assert_eq!(queue(&once, &secret, &path, &body).await.json(200)["duplicate"], true);
    assert_eq!(status(&acme).await["queued"], 5);
    visitor.get("/api/v1/webhooks/n8n/test").await.expect(200);
}

#[actix_web::test]
async fn an_old_secret_of_senders_counts_until_the_overlap_is_over() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, wanting("one", &["e"], nothing())).await;
    let old = secret(&acme).await;
    const SECRET: &str = "/api/v1/webhooks/queue/secret";
    let given = json!({ "secret": "given by the sender", "overlapSeconds": 600 });
    let rotated = acme.developer.post(SECRET, given).await.json(201);
    assert_eq!(rotated["secret"], "given by the sender");
    let visitor = server.visitor();
    let body = |n: u32| json!({ "event": "e", "data": { "n": n } });
    queue(&visitor, &old, GENERIC, &body(1)).await.expect(200);
    queue(&visitor, "given by the sender", GENERIC, &body(2)).await.expect(200);
    server.clock.advance(Duration::from_secs(599));
    queue(&visitor, &old, GENERIC, &body(3)).await.expect(200);
    server.clock.advance(Duration::from_secs(1));
    queue(&visitor, &old, GENERIC, &body(4)).await.problem(401, "webhook_signature_wrong");
    queue(&visitor, "given by the sender", GENERIC, &body(5)).await.expect(200);
    let at_once = acme.developer.post(SECRET, json!({ "overlapSeconds": 0 })).await.json(201);
    queue(&visitor, "given by the sender", GENERIC, &body(6)).await.problem(401, "webhook_signature_wrong");
    queue(&visitor, at_once["secret"].as_str().unwrap(), GENERIC, &body(7)).await.expect(200);
    acme.developer.post(SECRET, json!({ "secret": "short" })).await.problem_at(422, "invalid_body", &["/secret"]);
    acme.operator.post(SECRET, json!({})).await.expect(403);
    let audit = serde_json::to_string(&acme.audit().await).unwrap();
    assert!(
        audit.contains("webhookReceiver.rotate") && !audit.contains(&old) && !audit.contains("given by the sender")
    );
}

#[actix_web::test]
async fn secrets_of_senders_that_change_at_the_same_time_do_not_undo_one_another() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, wanting("one", &["e"], nothing())).await;
    let first = secret(&acme).await;
    let secrets = ["secret number 1", "secret number 2", "secret number 3", "secret number 4"];
    let outcomes = futures_util::future::join_all(secrets.iter().map(async |secret| {
        let body = json!({ "secret": secret, "overlapSeconds": 600 });
        acme.developer.post("/api/v1/webhooks/queue/secret", body).await.status.as_u16()
    }))
    .await;
    assert!(outcomes.contains(&201) && outcomes.iter().all(|status| [201, 409].contains(status)), "{outcomes:?}");
    let visitor = server.visitor();
    for (secret, status) in secrets.iter().zip(outcomes) {
        let reply = queue(&visitor, secret, GENERIC, &json!({ "event": "e", "data": { "of": secret } })).await;
        assert_eq!(reply.status == 200, status == 201, "what was answered with success counts: {secret}");
    }
    queue(&visitor, &first, GENERIC, &json!({ "event": "e" })).await.expect(200);
}

#[actix_web::test]
async fn forged_webhooks_keep_no_sender_out() {
    let server = TestServer::with(|config| {
        config.limits.anonymous_requests_per_minute = 60;
        config.limits.address_requests_per_minute = 60;
    })
    .await;
    let _acme = server.tenant("acme").await;
    server.clock.advance(Duration::from_secs(60));
    let acme = crate::support::sign_in(&server, "developer@acme.example").await;
    let made = acme.post("/api/v1/webhooks/queue/secret", json!({})).await.json(201);
    let secret = made["secret"].as_str().unwrap();
    activated(&acme, wanting("one", &["e"], nothing())).await;
    let (visitor, body) = (server.visitor(), json!({ "event": "e" }));
    let workflow = format!("/api/v1/webhooks/n8n/{}", uuid::Uuid::now_v7());
    for _ in 0..60 {
        visitor.post(&workflow, body.clone()).await.expect(404);
    }
    queue(&visitor, secret, GENERIC, &body).await.expect(200);
    let unknown = visitor.with("x-n8n-signature", secret).post(&workflow, body.clone()).await;
    unknown.problem(404, "workflow_not_found");
}

#[actix_web::test]
async fn a_signed_webhook_is_queued_once() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let secret = secret(&acme).await;
    activated(&acme.developer, wanting("one", &["e"], nothing())).await;
    let (visitor, body) = (server.visitor(), json!({ "event": "e", "data": { "leadId": 7 } }));
    // What was not taken may come again.
    let unknown = json!({ "event": "f" });
    for _ in 0..2 {
        queue(&visitor, &secret, GENERIC, &unknown).await.problem(404, "webhook_event_unknown");
    }
    queue(&visitor.with("idempotency-key", "k1"), &secret, GENERIC, &body).await.expect(200);
    for captured in [visitor.clone(), visitor.with("idempotency-key", "k2")] {
        queue(&captured, &secret, GENERIC, &body).await.problem(401, "webhook_signature_wrong");
    }
    let again = queue(&visitor.with("idempotency-key", "k1"), &secret, GENERIC, &body).await.json(200);
    assert_eq!((&again["duplicate"], &again["ids"]), (&json!(true), &json!([])));
    assert_eq!(status(&acme).await["queued"], 1);
    server.clock.advance(Duration::from_secs(86_401));
    let elsewhere = crate::support::sign_in(&server, "viewer@acme.example").await;
    queue(&visitor, &secret, GENERIC, &body).await.expect(200);
    assert_eq!(elsewhere.get("/api/v1/webhooks/queue/status").await.json(200)["queued"], 2);
    let server = TestServer::with(|config| config.webhooks.queue_refuses_replays = false).await;
    let acme = server.tenant("acme").await;
    let secret = super::queue::secret(&acme).await;
    activated(&acme.developer, wanting("one", &["e"], nothing())).await;
    for _ in 0..2 {
        queue(&server.visitor(), &secret, GENERIC, &body).await.expect(200);
    }
}

#[actix_web::test]
async fn what_fails_is_tried_again_and_then_a_dead_letter() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let secret = secret(&acme).await;
    let workflow = activated(&acme.developer, wanting("one", &["e"], failing())).await;
    let path = format!("/api/v1/webhooks/n8n/{workflow}");
    let queued = queue(&server.visitor(), &secret, &path, &json!({ "leadId": 7 })).await.json(200);
    let id = queued["ids"][0].as_str().unwrap().to_owned();
    let mut runs = 0;
    for wait in [60, 120, 240] {
        work(&server).await;
        runs += 1;
        let row = acme.viewer.get("/api/v1/webhooks/queue").await.json(200)["data"][0].clone();
        assert_eq!((&row["status"], &row["attempts"]), (&json!("queued"), &json!(runs)), "{row}");
        assert!(row["error"].as_str().unwrap().contains("no credit left"), "{row}");
        server.clock.advance(Duration::from_secs(wait - 1));
        assert_eq!(server.app.webhooks.process_due().await.unwrap(), 0, "not before its time");
        server.clock.advance(Duration::from_secs(1));
    }
    work(&server).await;
    let dead = acme.viewer.get("/api/v1/webhooks/queue?status=failed").await.json(200)["data"][0].clone();
    assert_eq!((&dead["id"], &dead["attempts"], &dead["nextRetryAt"]), (&json!(id), &json!(4), &json!(null)));
    assert_eq!(acme.viewer.get("/api/v1/executions").await.json(200)["data"].as_array().unwrap().len(), 4);
    acme.developer
        .send(Method::PUT, &format!("/api/v1/workflows/{workflow}"), Some(wanting("one", &["e"], nothing())))
        .await
        .expect(200);
    acme.operator.post(&format!("/api/v1/webhooks/queue/{id}/retry"), json!({})).await.expect(200);
    work(&server).await;
    assert_eq!(status(&acme).await["completed"], 1, "{}", status(&acme).await);
    assert_eq!(acme.operator.delete("/api/v1/webhooks/queue?status=completed").await.json(200)["deleted"], 1);
}

#[actix_web::test]
async fn a_webhook_whose_worker_died_is_taken_over() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let secret = secret(&acme).await;
    let waiting = json!({ "name": "Then", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [200, 0],
                          "parameters": { "resume": "webhook" } });
    let workflow = activated(&acme.developer, wanting("one", &["e"], waiting)).await;
    let path = format!("/api/v1/webhooks/n8n/{workflow}");
    queue(&server.visitor(), &secret, &path, &json!({})).await.expect(200);
    dropped_at(&server, &acme, 1).await;
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(server.app.webhooks.process_due().await.unwrap(), 0, "it may still be worked on");
    server.clock.advance(Duration::from_secs(200));
    dropped_at(&server, &acme, 2).await;
}

/// Works on what is due until the only webhook is tried so many times, and stops half-way, as a process that ends.
async fn dropped_at(server: &TestServer, tenant: &TestTenant, attempts: u64) {
    let working = server.app.webhooks.process_due();
    let seen = async {
        loop {
            let page = tenant.viewer.get("/api/v1/webhooks/queue").await.json(200);
            let row = &page["data"][0];
            if row["status"] == "processing" && row["attempts"] == attempts {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        ended = working => panic!("it is not worked on: {ended:?}"),
        () = seen => {}
    }
}

#[actix_web::test]
async fn wrong_webhooks_are_refused_with_their_place() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let secret = secret(&acme).await;
    let idle = acme.developer.post("/api/v1/workflows/import", wanting("x", &["e"], nothing())).await.json(201);
    let visitor = server.visitor();
    for (body, pointer) in [
        (json!([]), ""),
        (json!({}), "/event"),
        (json!({ "event": 5 }), "/event"),
        (json!({ "event": " " }), "/event"),
        (json!({ "event": "e", "data": [1] }), "/data"),
    ] {
        queue(&visitor, &secret, GENERIC, &body).await.problem_at(422, "invalid_body", &[pointer]);
    }
    queue(&visitor, &secret, GENERIC, &json!({ "event": "e" })).await.problem(404, "webhook_event_unknown");
    let path = format!("/api/v1/webhooks/n8n/{}", idle["id"].as_str().unwrap());
    queue(&visitor, &secret, &path, &json!({})).await.problem(409, "workflow_not_active");
    queue(&visitor, &secret, "/t/acme/api/v1/webhooks/n8n/nothing", &json!({}))
        .await
        .problem(404, "workflow_not_found");
    let unknown = format!("/api/v1/webhooks/n8n/{}", uuid::Uuid::now_v7());
    queue(&visitor, &secret, &unknown, &json!({})).await.problem(404, "workflow_not_found");
    let text = Some(("application/json", Bytes::from_static(b"{")));
    visitor.with("x-n8n-signature", &secret).send_raw(Method::POST, GENERIC, text).await.problem(400, "malformed_json");
    let wrong = wanting("y", &[""], nothing());
    let wrong = acme.developer.post("/api/v1/workflows/import", wrong).await.json(201);
    let activate = format!("/api/v1/workflows/{}/activate", wrong["id"].as_str().unwrap());
    acme.developer.post(&activate, json!({})).await.problem_at(422, "workflow_not_runnable", &["/triggerEvents"]);
}

#[actix_web::test]
async fn one_test_call_runs_the_newest_version_and_its_listener_is_told() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let imported = acme.developer.post("/api/v1/workflows/import", greeting("hello")).await.json(201);
    let id = imported["id"].as_str().unwrap().to_owned();
    let visitor = server.visitor();
    visitor.post("/t/acme/webhook-test/hello", json!({})).await.expect(404);
    let (path, body) = ("/t/acme/webhook-test/hello", json!({ "name": "Ann" }));
    let listen = format!("/api/v1/workflows/{id}/listen?seconds=20");
    let listening = acme.operator.get(&listen);
    let calling = async {
        for _ in 0..500 {
            let reply = visitor.post(path, body.clone()).await;
            if reply.status == 200 {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody listens");
    };
    let (told, called) = futures_util::join!(listening, calling);
    assert_eq!(called.json(200), json!({ "greeting": "Hello Ann" }));
    let told = String::from_utf8(told.expect(200).body.to_vec()).unwrap();
    let events: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(events, ["listening", "received", "answered", "finished"], "{told}");
    assert!(told.contains(r#""executionMode":"test""#), "{told}");
    let page = acme.viewer.get("/api/v1/executions").await.json(200);
    assert_eq!((page["data"].as_array().unwrap().len(), &page["data"][0]["mode"]), (1, &json!("manual")));
    visitor.post(path, body).await.expect(404);
    acme.operator.get(&format!("/api/v1/workflows/{id}/listen?seconds=0")).await.problem(422, "invalid_query");
    let told = acme.operator.get(&format!("/api/v1/workflows/{id}/listen?seconds=1")).await.expect(200);
    assert!(String::from_utf8_lossy(&told.body).contains("event: timeout"));
}
