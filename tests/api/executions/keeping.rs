//! What is kept of executions, how long, and how many.

use actix_web::http::Method;
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::reading::{imported, numbered, ran};
use crate::support::{TestServer, TestTenant};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

async fn settings(acme: &TestTenant, settings: Value) {
    acme.api_key.patch("/api/v1/tenants/current", json!({ "settings": settings })).await.expect(200);
}

async fn left(acme: &TestTenant) -> Vec<Value> {
    let page = acme.api_key.get("/api/v1/executions").await.json(200);
    page["data"].as_array().unwrap().iter().map(|execution| execution["id"].clone()).collect()
}

#[actix_web::test]
async fn executions_are_kept_as_long_and_as_many_as_the_tenant_wants() {
    // Days pass, and everybody stays signed in.
    let server = TestServer::with(|config| config.auth.access_token_seconds = 10_000_000).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let (own, other) = (imported(&acme, numbered()).await, imported(&globex, numbered()).await);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, ran(&acme, &own, json!({ "count": 1 })).await["id"].clone());
        ran(&globex, &other, json!({ "count": 1 })).await;
        server.clock.advance(DAY);
    }
    let wait = json!({ "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "parameters": { "resume": "webhook" } });
    let waiting = imported(&acme, crate::recovery::chain("waits", vec![wait])).await;
    let executor = server.app.executions.executor();
    assert_eq!(executor.prune().await.unwrap(), 0, "nobody wants anything deleted");
    let path = format!("/api/v1/workflows/{waiting}/trigger");
    let waits = acme.api_key.post(&path, json!({})).await.json(202)["id"].clone();
    while acme.api_key.get("/api/v1/executions?status=waiting").await.json(200)["data"] == json!([]) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    settings(&acme, json!({ "executionRetentionDays": 3 })).await;
    assert_eq!(executor.prune().await.unwrap(), 2);
    assert_eq!(left(&acme).await, [std::slice::from_ref(&waits), &ids[..3]].concat());
    settings(&acme, json!({ "executionRetentionCount": 2 })).await;
    assert_eq!(executor.prune().await.unwrap(), 2);
    assert_eq!(left(&acme).await, [&waits, &ids[0]].map(Clone::clone));
    server.clock.advance(DAY * 30);
    settings(&acme, json!({ "executionRetentionDays": 1 })).await;
    executor.prune().await.unwrap();
    assert_eq!(left(&acme).await, [waits], "what is not over stays");
    assert_eq!(left(&globex).await.len(), 5);
    let wrong = json!({ "settings": { "executionRetentionCount": 0 } });
    let refused = acme.api_key.patch("/api/v1/tenants/current", wrong).await;
    refused.problem_at(422, "invalid_body", &["/settings/executionRetentionCount"]);
}

#[actix_web::test]
async fn fields_that_a_workflow_names_are_not_kept() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = numbered();
    workflow["settings"]["redactFields"] = json!(["customer", "Token", "Begin", "main", "json"]);
    let id = imported(&acme, workflow.clone()).await;
    let ended = ran(&acme, &id, json!({ "count": 1, "customer": "Ann", "deep": [{ "token": "t0ken", "n": 1 }] })).await;
    assert_eq!(ended["status"], "success", "the run itself sees them");
    let path = format!("/api/v1/executions/{}?includeData=true", ended["id"].as_str().unwrap());
    let kept = acme.api_key.get(&path).await.json(200);
    let begun = &kept["data"]["resultData"]["runData"]["Begin"][0]["data"]["main"][0][0]["json"];
    let hidden = json!({ "count": 1, "customer": "**hidden**", "deep": [{ "token": "**hidden**", "n": 1 }] });
    assert_eq!(begun, &hidden);
    assert!(!kept.to_string().contains("t0ken"));
    let replay = format!("/api/v1/executions/{}/replay", ended["id"].as_str().unwrap());
    acme.api_key.post(&replay, json!({})).await.problem(409, "execution_without_data");
    workflow["settings"]["redactFields"] = json!("customer");
    let unread = acme.developer.send(Method::PUT, &format!("/api/v1/workflows/{id}"), Some(workflow)).await;
    unread.expect(200);
    let ended = ran(&acme, &id, json!({ "count": 1, "customer": "Ann" })).await;
    assert_eq!(ended["status"], "success", "what is no list names nothing");
}

#[actix_web::test]
async fn progress_is_kept_whatever_a_workflow_says_about_it() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let wait = json!({ "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "parameters": { "resume": "webhook" } });
    for said in [json!(true), json!(false), json!("DEFAULT"), json!(null), json!(["unknown"])] {
        let mut workflow = crate::recovery::chain("waits", vec![wait.clone()]);
        workflow["settings"]["saveExecutionProgress"] = said.clone();
        let id = imported(&acme, workflow.clone()).await;
        for path in [format!("/api/v1/workflows/{id}"), format!("/api/v1/workflows/{id}/export")] {
            let kept = acme.viewer.get(&path).await.json(200);
            assert_eq!(kept["settings"], workflow["settings"], "{path}");
        }
        let begun = acme.api_key.post(&format!("/api/v1/workflows/{id}/trigger"), json!({})).await.json(202);
        let path = format!("/api/v1/executions/{}", begun["id"].as_str().unwrap());
        while acme.viewer.get(&path).await.json(200)["status"] != "waiting" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let nodes = acme.viewer.get(&format!("{path}/nodes")).await.json(200);
        let named: Vec<&Value> = nodes["data"].as_array().unwrap().iter().map(|node| &node["node"]).collect();
        assert_eq!(named, ["Webhook", "Wait"], "{said}");
    }
}

#[actix_web::test]
async fn what_a_caller_has_not_taken_yet_stays() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = imported(&acme, numbered()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, ran(&acme, &id, json!({ "count": 1 })).await["id"].clone());
    }
    let database = server.app.database.write(AcrossTenants);
    // The newest was put aside for the oldest, was woken by its end, and no worker has been told of it.
    let woken = "UPDATE executions SET status = 'new', queued_at = 9000000000000000, \
        waits_for = (SELECT id FROM executions ORDER BY id LIMIT 1) \
        WHERE id = (SELECT id FROM executions ORDER BY id DESC LIMIT 1)";
    database.execute_unprepared(woken).await.unwrap();
    settings(&acme, json!({ "executionRetentionCount": 1 })).await;
    let executor = server.app.executions.executor();
    assert_eq!(executor.prune().await.unwrap(), 1);
    assert_eq!(left(&acme).await, [&ids[0], &ids[2]].map(Clone::clone));
    database.execute_unprepared("UPDATE executions SET status = 'success' WHERE status = 'new'").await.unwrap();
    assert_eq!(executor.prune().await.unwrap(), 1);
    assert_eq!(left(&acme).await, [ids[0].clone()]);
}
