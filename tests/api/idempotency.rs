//! `Idempotency-Key`: the same request twice is done once.

use std::time::Duration;

use serde_json::json;

use crate::support::TestServer;

const KEYS: &str = "/api/v1/api-keys";

#[actix_web::test]
async fn a_secret_is_not_kept_and_not_made_twice() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let client = tenant.owner.with("idempotency-key", "k1");
    client.post(KEYS, json!({ "name": "once" })).await.expect(201);
    client.post(KEYS, json!({ "name": "once" })).await.problem(409, "idempotent_answer_not_kept");
    let page = tenant.owner.get(KEYS).await.json(200);
    let made = page["data"].as_array().unwrap().iter().filter(|key| key["name"] == "once").count();
    assert_eq!(made, 1);
}

#[actix_web::test]
async fn the_first_answer_is_given_again() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let client = tenant.developer.with("idempotency-key", "k1");
    let document = json!({ "name": "Once", "nodes": [], "connections": {} });
    let first = client.post("/api/v1/workflows", document.clone()).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = client.post("/api/v1/workflows", document.clone()).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.header("content-type"), again.header("content-type"));
    assert_eq!(first.body, again.body);
    let page = tenant.developer.get("/api/v1/workflows").await.json(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let post = async |client: &crate::support::Client, name: &str| {
        client.with("idempotency-key", "k1").post(KEYS, json!({ "name": name })).await
    };
    post(&acme.owner, "a").await.expect(201);
    post(&acme.owner, "b").await.problem(422, "idempotency_key_reused");
    post(&acme.developer, "b").await.expect(201);
    post(&globex.owner, "b").await.expect(201);
}

#[actix_web::test]
async fn what_failed_may_be_tried_again() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let client = tenant.owner.with("idempotency-key", "k1");
    client.post(KEYS, json!({ "name": "" })).await.problem(422, "invalid_body");
    client.post(KEYS, json!({ "name": "fine" })).await.expect(201);
    let long = "x".repeat(256);
    for odd in ["", long.as_str()] {
        let client = tenant.owner.with("idempotency-key", odd);
        client.post(KEYS, json!({ "name": "x" })).await.problem(400, "invalid_idempotency_key");
    }
}

#[actix_web::test]
async fn keys_are_forgotten_after_their_time() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let keys = millrace::infrastructure::database::idempotency::IdempotencyKeys::new(
        server.app.database.clone(),
        server.clock.clone(),
    );
    let client = tenant.owner.with("idempotency-key", "k1");
    client.post(KEYS, json!({ "name": "a" })).await.expect(201);
    assert_eq!(keys.prune(Duration::from_secs(3600)).await.unwrap(), 0);
    server.clock.advance(Duration::from_secs(3601));
    assert_eq!(keys.prune(Duration::from_secs(3600)).await.unwrap(), 1);
    // The old token has expired by now; the API key has not.
    tenant.api_key.with("idempotency-key", "k1").post(KEYS, json!({ "name": "a" })).await.expect(201);
}
