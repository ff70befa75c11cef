//! The log of requests, and replays of them.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::guard::webhook;
use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

async fn logged(tenant: &TestTenant, log: Value) -> String {
    let workflow = activated(&tenant.developer, greeting("hello")).await;
    let id = webhook(&tenant.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/webhooks/{id}");
    let authentication = json!({ "type": "header", "name": "X-Own" });
    let body = json!({
        "settings": { "log": log, "authentication": authentication }, "secrets": { "authentication": "hush" }
    });
    tenant.developer.send(Method::PUT, &path, Some(body)).await.expect(200);
    path
}

/// The log, once it has so many entries.
async fn entries(tenant: &TestTenant, path: &str, query: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..500 {
        let page = tenant.viewer.get(&format!("{path}/requests{query}")).await.json(200);
        found = page["data"].as_array().unwrap().clone();
        if found.len() == count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(found.len(), count, "{query}");
    found
}

#[actix_web::test]
async fn what_came_in_can_be_seen_found_and_replayed() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = logged(&acme, json!({ "bodies": true, "redact": ["card"] })).await;
    let caller = server.visitor().with("x-own", "hush");
    caller.post("/t/acme/webhook/hello?card=4111&b=2", json!({ "name": "Ann", "card": "4111" })).await.expect(200);
    caller.post("/t/acme/webhook/hello", json!({ "name": "Bea" })).await.expect(200);
    server.visitor().post("/t/acme/webhook/hello", json!({ "name": "Eve" })).await.expect(403);
    let all = entries(&acme, &path, "", 3).await;
    let statuses: Vec<i64> = all.iter().map(|entry| entry["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2);
    let refused = entries(&acme, &path, "?outcome=refused&status=403", 1).await;
    assert_eq!(refused[0]["executionId"], json!(null));
    let ann = entries(&acme, &path, "?text=Ann", 1).await[0].clone();
    entries(&acme, &path, "?text=%25", 0).await;
    let whole = acme.viewer.get(&format!("{path}/requests/{}", ann["id"].as_str().unwrap())).await.json(200);
    assert_eq!(whole["request"]["headers"]["x-own"], "[redacted]");
    assert!(!whole.to_string().contains("4111") && !whole.to_string().contains("hush"), "{whole}");
    assert_eq!(whole["response"]["body"], r#"{"greeting":"Hello Ann"}"#);
    let execution = format!("/api/v1/executions/{}", whole["executionId"].as_str().unwrap());
    acme.viewer.get(&execution).await.expect(200);

    let one = json!({ "requests": [ann["id"]] });
    let replayed = acme.operator.post(&format!("{path}/replay"), one).await.json(200);
    assert_eq!((&replayed["data"][0]["status"], replayed["data"].as_array().unwrap().len()), (&json!(200), 1));
    let many = acme.operator.post(&format!("{path}/replay"), json!({ "outcome": "accepted" })).await.json(200);
    assert_eq!(many["data"].as_array().unwrap().len(), 2);
    let executions = acme.viewer.get("/api/v1/executions").await.json(200);
    assert_eq!(executions["data"].as_array().unwrap().len(), 5);
}

#[actix_web::test]
async fn the_header_that_a_node_asks_for_is_not_told() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let data = json!({ "name": "X-Acme", "value": "hush" });
    let credential = json!({ "name": "callers", "type": "httpHeaderAuth", "data": data });
    let id = acme.developer.post("/api/v1/credentials", credential).await.json(201)["id"].clone();
    let mut workflow = greeting("hello");
    workflow["nodes"][0]["parameters"]["authentication"] = json!("headerAuth");
    workflow["nodes"][0]["credentials"] = json!({ "httpHeaderAuth": { "id": id, "name": "callers" } });
    let workflow = activated(&acme.developer, workflow).await;
    let path = format!("/api/v1/webhooks/{}", webhook(&acme.viewer, &workflow).await["id"].as_str().unwrap());
    let body = json!({ "settings": { "log": {} } });
    acme.developer.send(Method::PUT, &path, Some(body)).await.expect(200);
    let caller = server.visitor().with("x-other", "told");
    caller.with("x-acme", "hush").post("/t/acme/webhook/hello", json!({})).await.expect(200);
    caller.with("x-acme", "hushes").post("/t/acme/webhook/hello", json!({})).await.expect(403);
    for entry in entries(&acme, &path, "", 2).await {
        let whole = acme.viewer.get(&format!("{path}/requests/{}", entry["id"].as_str().unwrap())).await.json(200);
        let headers = &whole["request"]["headers"];
        assert_eq!((&headers["x-acme"], &headers["x-other"]), (&json!("[redacted]"), &json!("told")), "{whole}");
    }
}

#[actix_web::test]
async fn long_answers_are_redacted_before_they_are_cut() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = logged(&acme, json!({ "bodies": true, "redact": ["greeting"] })).await;
    let name = "4111".repeat(20_000);
    let caller = server.visitor().with("x-own", "hush");
    caller.post("/t/acme/webhook/hello", json!({ "name": name })).await.expect(200);
    let entry = entries(&acme, &path, "", 1).await[0].clone();
    let whole = acme.viewer.get(&format!("{path}/requests/{}", entry["id"].as_str().unwrap())).await.json(200);
    assert_eq!(whole["response"]["body"], r#"{"greeting":"[redacted]"}"#);
}

#[actix_web::test]
async fn bodies_are_kept_only_where_that_is_asked_for_and_for_a_while() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = logged(&acme, json!({})).await;
    server.visitor().with("x-own", "hush").post("/t/acme/webhook/hello", json!({ "name": "Ann" })).await.expect(200);
    let entry = entries(&acme, &path, "", 1).await[0].clone();
    entries(&acme, &path, "?text=Ann", 0).await;
    let id = entry["id"].as_str().unwrap();
    let whole = acme.viewer.get(&format!("{path}/requests/{id}")).await.json(200);
    assert_eq!((&whole["request"]["body"], &whole["response"]["body"]), (&json!(null), &json!(null)));
    let replayed = acme.operator.post(&format!("{path}/replay"), json!({ "requests": [id] })).await.json(200);
    assert!(replayed["data"][0]["error"].as_str().unwrap().contains("not kept"), "{replayed}");
    acme.viewer
        .get(&format!("{path}/requests/{}", uuid::Uuid::now_v7()))
        .await
        .problem(404, "webhook_request_not_found");
    server.clock.advance(Duration::from_secs(8 * 86_400));
    server.app.webhooks.prune().await.unwrap();
    let again = crate::support::sign_in(&server, "viewer@acme.example").await;
    assert_eq!(again.get(&format!("{path}/requests")).await.json(200)["data"], json!([]));
}
