//! Webhooks: routes, answers, refusals.

mod credentials;
mod guard;
mod killed;
mod places;
mod queue;
mod replays;
mod requests;
pub(crate) mod streaming;
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
async fn documents_of_workflows_share_nothing_with_the_servers_pages() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    for (path, kind, is_sandboxed) in
        [("page", "text/html", true), ("drawing", "image/svg+xml", true), ("data", "application/json", false)]
    {
        let headers = json!({ "entries": [{ "name": "Content-Type", "value": kind }] });
        let mut workflow = greeting(path);
        workflow["nodes"][0]["parameters"]["responseMode"] = json!("responseNode");
        workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1.1,
            "position": [200, 0], "parameters": { "respondWith": "text", "responseBody": "{}",
            "options": { "responseHeaders": headers } } });
        activated(&acme.developer, workflow).await;
        let answer = server.visitor().post(&format!("/t/acme/webhook/{path}"), json!({})).await.expect(200);
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").collect();
        let has = policies.iter().any(|policy| policy.to_str().unwrap().starts_with("sandbox "));
        assert_eq!(has, is_sandboxed, "{path}: {policies:?}");
    }
}

#[actix_web::test]
async fn a_tenant_may_be_called_like_a_folder_of_the_server() {
    let server = TestServer::start().await;
    for name in ["webhook", "form"] {
        let tenant = server.tenant(name).await;
        activated(&tenant.developer, greeting("hello")).await;
        let path = format!("/t/{}/webhook/hello", tenant.slug);
        assert_eq!(tenant.slug, name);
        server.visitor().post(&path, json!({ "name": "Ann" })).await.expect(200);
    }
}

#[actix_web::test]
async fn a_tenant_is_known_by_its_host_name() {
    let server = TestServer::with(|config| {
        config.tenants.own_hosts = true;
        config.server.public_url = "https://millrace.example".to_owned();
    })
    .await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    activated(&acme.developer, greeting("hello")).await;
    let hosts = json!({ "hosts": ["hooks.acme.example"] });
    acme.owner.patch("/api/v1/tenants/current", hosts).await.expect(200);
    let caller = |host: &str| server.visitor().with("host", host);
    let body = json!({ "name": "Ann" });
    caller("hooks.acme.example").post("/webhook/hello", body.clone()).await.expect(200);
    caller("hooks.other.example").post("/webhook/hello", body.clone()).await.expect(404);
    assert_eq!(globex.viewer.get("/api/v1/executions").await.json(200)["data"], json!([]));
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
