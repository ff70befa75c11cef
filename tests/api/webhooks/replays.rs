//! What is remembered of calls: signatures and deliveries that come again, and those that came to nothing.

use std::time::Duration;

use actix_web::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use millrace::common::Clock;
use serde_json::{Value, json};
use sha2::Sha256;

use super::guard::webhook;
use crate::support::{Client, Reply, TestServer, TestTenant, administrator};
use crate::workflows::{activated, greeting};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An active workflow at `/hello` with these settings; gives the webhook's path in the API.
async fn set(tenant: &TestTenant, workflow: Value, settings: Value, secret: &str) -> String {
    let workflow = activated(&tenant.developer, workflow).await;
    let id = webhook(&tenant.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/webhooks/{id}");
    let secrets = if secret.is_empty() { json!({}) } else { json!({ "signature": secret }) };
    let body = json!({ "settings": settings, "secrets": secrets });
    tenant.developer.send(Method::PUT, &path, Some(body)).await.expect(200);
    path
}

fn mac(key: &[u8], content: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

async fn send(client: &Client, body: &str) -> Reply {
    let body = Some(("application/json", Bytes::from(body.to_owned())));
    client.send_raw(Method::POST, "/t/acme/webhook/hello", body).await
}

/// Signed as GitHub does, which tells no time.
async fn github(client: &Client, secret: &str, body: &str) -> Reply {
    let digits: String = mac(secret.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect();
    send(&client.with("x-hub-signature-256", &format!("sha256={digits}")), body).await
}

fn standard(server: &TestServer, secrets: &[&str], id: &str, body: &str) -> Client {
    let at = server.clock.now().as_seconds();
    let signatures = secrets.iter().map(|secret| {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        format!("v1,{}", BASE64_STANDARD.encode(mac(&key, &format!("{id}.{at}.{body}"))))
    });
    let client = server.visitor().with("webhook-id", id).with("webhook-timestamp", &at.to_string());
    client.with("webhook-signature", &signatures.collect::<Vec<_>>().join(" "))
}

/// The greeting, but it fails.
fn failing() -> Value {
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1,
        "position": [200, 0], "parameters": { "errorMessage": "no credit left" } });
    workflow
}

async fn executions(tenant: &TestTenant) -> usize {
    tenant.viewer.get("/api/v1/executions").await.json(200)["data"].as_array().unwrap().len()
}

#[actix_web::test]
async fn a_signed_call_beyond_a_limit_of_the_server_counts_when_it_comes_again() {
    let server = TestServer::with(|config| config.webhooks.requests_per_minute = 1).await;
    let acme = server.tenant("acme").await;
    set(&acme, greeting("hello"), json!({ "signature": { "scheme": "github" } }), "hush").await;
    github(&server.visitor(), "hush", r#"{"name":"Ann"}"#).await.expect(200);
    github(&server.visitor(), "hush", r#"{"name":"Bea"}"#).await.expect(429);
    server.clock.advance(Duration::from_secs(60));
    github(&server.visitor(), "hush", r#"{"name":"Bea"}"#).await.expect(200);
}

#[actix_web::test]
async fn what_began_nothing_is_no_answer_for_its_delivery() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let settings = json!({ "signature": { "scheme": "github" }, "deduplication": {} });
    set(&acme, greeting("hello"), settings, "hush").await;
    let tenant = format!("/api/v1/admin/tenants/{}", acme.id);
    admin.post(&format!("{tenant}/suspend"), json!({ "reason": "unpaid invoices" })).await.expect(200);
    let sender = server.visitor().with("x-github-delivery", "d1");
    github(&sender, "hush", r#"{"name":"Ann"}"#).await.expect(403);
    admin.post(&format!("{tenant}/resume"), json!({})).await.expect(200);
    let taken = github(&sender, "hush", r#"{"name":"Ann"}"#).await.expect(200);
    assert_eq!(taken.header("idempotency-replayed"), None);
}

#[actix_web::test]
async fn what_was_signed_is_known_to_processes_that_begin_later() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, greeting("hello"), json!({ "signature": { "scheme": "github" } }), "hush").await;
    github(&server.visitor(), "hush", r#"{"name":"Ann"}"#).await.expect(200);
    let later = server.visitor_of_a_replica().await;
    let refused = github(&later, "hush", r#"{"name":"Ann"}"#).await.json(401);
    assert!(refused["hint"].as_str().unwrap().contains("before"), "{refused}");
    server.clock.advance(Duration::from_secs(86_401));
    github(&later, "hush", r#"{"name":"Ann"}"#).await.expect(200);
}

#[actix_web::test]
async fn one_signature_of_several_is_no_other_request() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let settings = json!({ "signature": { "scheme": "standardWebhooks" } });
    let path = set(&acme, greeting("hello"), settings, SECRET).await;
    let rotated = acme.developer.post(&format!("{path}/secret"), json!({ "overlapSeconds": 600 })).await.json(201);
    let new = rotated["secret"].as_str().unwrap();
    let body = r#"{"name":"Ann"}"#;
    send(&standard(&server, &[SECRET, new], "m1", body), body).await.expect(200);
    for captured in [&[SECRET][..], &[new], &[new, SECRET]] {
        send(&standard(&server, captured, "m1", body), body).await.expect(401);
    }
    assert_eq!(executions(&acme).await, 1);
}

#[actix_web::test]
async fn a_failed_run_is_no_licence_to_send_a_dated_signature_again() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, failing(), json!({ "signature": { "scheme": "standardWebhooks" } }), SECRET).await;
    let captured = standard(&server, &[SECRET], "m1", "{}");
    send(&captured, "{}").await.expect(500);
    send(&captured, "{}").await.expect(401);
    // Senders sign each try anew.
    server.clock.advance(Duration::from_secs(1));
    send(&standard(&server, &[SECRET], "m1", "{}"), "{}").await.expect(500);
}

#[actix_web::test]
async fn a_failed_run_may_be_tried_again_by_senders_who_tell_no_time() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, failing(), json!({ "signature": { "scheme": "github" } }), "hush").await;
    github(&server.visitor(), "hush", "{}").await.expect(500);
    github(&server.visitor(), "hush", "{}").await.expect(500);
    assert_eq!(executions(&acme).await, 2);
}

/// A workflow that answers with this.
fn responding(response: Value) -> Value {
    let mut workflow = greeting("hello");
    workflow["nodes"][0]["parameters"]["responseMode"] = json!("responseNode");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1.1,
        "position": [200, 0], "parameters": response });
    workflow
}

#[actix_web::test]
async fn the_first_answer_comes_again_with_its_headers() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let headers =
        json!({ "entries": [{ "name": "Location", "value": "/orders/7" }, { "name": "X-Own", "value": "1" }] });
    let response = json!({ "respondWith": "text", "responseBody": "made",
                           "options": { "responseCode": 201, "responseHeaders": headers } });
    set(&acme, responding(response), json!({ "deduplication": {} }), "").await;
    let sender = server.visitor().with("idempotency-key", "d1");
    let first = send(&sender, "{}").await.expect(201);
    let again = send(&sender, "{}").await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    for name in ["location", "x-own", "content-type"] {
        assert!(first.header(name).is_some(), "{name}");
        assert_eq!(first.header(name), again.header(name));
    }
    assert_eq!(first.body, again.body);
}

#[actix_web::test]
async fn an_answer_too_large_to_be_kept_keeps_its_status() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let response = json!({ "respondWith": "text", "responseBody": "={{ 'x'.repeat(1100000) }}",
                           "options": { "responseCode": 202 } });
    set(&acme, responding(response), json!({ "deduplication": {} }), "").await;
    let sender = server.visitor().with("idempotency-key", "d1");
    assert_eq!(send(&sender, "{}").await.expect(202).body.len(), 1_100_000);
    let again = send(&sender, "{}").await.expect(202);
    assert_eq!((again.header("idempotency-replayed"), again.body.len()), (Some("true"), 0));
}

#[actix_web::test]
async fn deliveries_that_come_again_use_up_what_their_address_is_allowed() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let limit = json!({ "requests": 3, "seconds": 60 });
    set(&acme, greeting("hello"), json!({ "deduplication": {}, "rateLimitPerAddress": limit }), "").await;
    let sender = server.visitor().with("idempotency-key", "d1");
    for expected in [200, 200, 200, 429] {
        send(&sender, "{}").await.expect(expected);
    }
    assert_eq!(executions(&acme).await, 1);
}
