//! Webhooks: routes, answers, refusals.

mod credentials;
mod guard;
mod killed;
mod queue;
mod requests;
mod subscriptions;
mod trace;
mod wire;

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::json;

use crate::support::TestServer;
use crate::workflows::{activated, greeting};

#[actix_web::test]
async fn a_call_is_answered_by_the_workflow_and_recorded() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, greeting("hello")).await;
    let called = server.visitor().post("/t/acme/webhook/hello", json!({ "name": "Ann" })).await.json(200);
    assert_eq!(called, json!({ "greeting": "Hello Ann" }));
    let page = acme.viewer.get(&format!("/api/v1/workflows/{id}/executions?includeData=true")).await.json(200);
    let execution = &page["data"][0];
    assert_eq!((&execution["status"], &execution["mode"]), (&json!("success"), &json!("webhook")));
    let runs = &execution["data"]["resultData"]["runData"];
    assert_eq!(runs["Greet"][0]["data"]["main"][0][0]["json"]["greeting"], "Hello Ann");
    assert_eq!(runs["Greet"][0]["source"][0]["previousNode"], "Webhook");
    let own = format!("/api/v1/executions/{}", execution["id"].as_str().unwrap());
    assert_eq!(acme.viewer.get(&own).await.json(200)["data"], json!(null), "without includeData");
}

#[actix_web::test]
async fn what_is_not_registered_says_so() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, greeting("hello")).await;
    let visitor = server.visitor();
    assert_eq!(visitor.get("/t/acme/webhook/other").await.json(404)["code"], 404);
    let wrong = visitor.get("/t/acme/webhook/hello").await.json(404);
    assert!(wrong["message"].as_str().unwrap().contains("POST"), "{wrong}");
    visitor.post("/t/nobody/webhook/hello", json!({})).await.json(404);
    acme.developer.post(&format!("/api/v1/workflows/{id}/deactivate"), json!({})).await.expect(200);
    visitor.post("/t/acme/webhook/hello", json!({})).await.json(404);
}

#[actix_web::test]
async fn a_path_has_one_owner_in_a_tenant() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let owner = activated(&acme.developer, greeting("hello")).await;
    let second = acme.developer.post("/api/v1/workflows/import", greeting("hello")).await.json(201);
    let path = format!("/api/v1/workflows/{}/activate", second["id"].as_str().unwrap());
    let refused = acme.developer.post(&path, json!({})).await.problem(409, "webhook_path_taken");
    assert!(refused["detail"].as_str().unwrap().contains(&owner), "{refused}");
    activated(&globex.developer, greeting("hello")).await;
}

#[actix_web::test]
async fn bad_bodies_are_refused() {
    let server = TestServer::with(|config| config.server.webhook_body_limit_bytes = 1000).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, greeting("hello")).await;
    let send = |body: Vec<u8>| async {
        let body = Some(("application/json", Bytes::from(body)));
        server.visitor().send_raw(Method::POST, "/t/acme/webhook/hello", body).await
    };
    send(b"{".to_vec()).await.json(422);
    send(format!("{}{}", "[".repeat(400), "]".repeat(400)).into_bytes()).await.json(422);
    send(vec![b' '; 2000]).await.json(413);
    send(b"{\"name\":\"Ann\"}".to_vec()).await.json(200);
}

#[actix_web::test]
async fn credentials_that_cannot_be_checked_let_nobody_in() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][0]["parameters"]["authentication"] = json!("headerAuth");
    let imported = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201);
    let path = format!("/api/v1/workflows/{}/activate", imported["id"].as_str().unwrap());
    let pointers = &["/nodes/0/parameters/authentication"];
    acme.developer.post(&path, json!({})).await.problem_at(422, "workflow_not_runnable", pointers);
}

#[actix_web::test]
async fn a_workflow_that_fails_answers_500_and_its_execution_says_why() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.code", "typeVersion": 2,
        "position": [200, 0], "parameters": { "jsCode": "const a = 1;\nreturn parseJobElements(a);" } });
    activated(&acme.developer, workflow).await;
    let answer = server.visitor().post("/t/acme/webhook/hello", json!({})).await.json(500);
    let path = format!("/api/v1/executions/{}?includeData=true", answer["executionId"].as_str().unwrap());
    let execution = acme.viewer.get(&path).await.json(200);
    assert_eq!(execution["status"], "error");
    let error = &execution["data"]["resultData"]["error"];
    assert!(error["message"].as_str().unwrap().contains("parseJobElements is not defined"), "{error}");
    assert_eq!(error["node"], "Greet", "{error}");
}
