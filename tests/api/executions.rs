//! Executions: triggered over the API, read, stopped, retried, deleted, and apart by tenant.

use serde_json::json;

use crate::support::TestServer;
use crate::workflows::{activated, greeting};

#[actix_web::test]
async fn a_trigger_waits_for_the_end_or_does_not() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, greeting("hello")).await;
    let path = format!("/api/v1/workflows/{id}/trigger");
    let ended = acme.operator.post(&path, json!({ "inputData": { "name": "Ann" }, "wait": true })).await.json(200);
    assert_eq!((&ended["status"], &ended["finished"]), (&json!("success"), &json!(true)));
    let greeted = &ended["data"]["resultData"]["runData"]["Greet"][0]["data"]["main"][0][0]["json"];
    assert_eq!(greeted["greeting"], "Hello Ann");
    let accepted = acme.operator.post(&path, json!({ "inputData": { "name": "Bob" } })).await.json(202);
    let own = format!("/api/v1/executions/{}", accepted["id"].as_str().unwrap());
    let mut execution = accepted;
    for _ in 0..200 {
        if execution["finished"] == true {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        execution = acme.viewer.get(&own).await.json(200);
    }
    assert_eq!(execution["status"], "success");
}

#[actix_web::test]
async fn executions_belong_to_their_tenant() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    let path = format!("/api/v1/workflows/{id}/trigger");
    let ended = acme.owner.post(&path, json!({ "wait": true })).await.json(200);
    let own = format!("/api/v1/executions/{}", ended["id"].as_str().unwrap());
    globex.owner.post(&path, json!({ "wait": true })).await.problem(404, "workflow_not_found");
    globex.owner.get(&own).await.problem(404, "execution_not_found");
    globex.owner.delete(&own).await.problem(404, "execution_not_found");
    assert_eq!(globex.owner.get("/api/v1/executions").await.json(200)["data"], json!([]));
    acme.owner.delete(&own).await.expect(200);
    acme.owner.get(&own).await.problem(404, "execution_not_found");
}

#[actix_web::test]
async fn what_failed_is_retried_from_where_it_failed() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.code", "typeVersion": 2,
        "position": [200, 0], "parameters": { "jsCode": "throw new Error('no')" } });
    let id = activated(&acme.developer, workflow).await;
    let path = format!("/api/v1/workflows/{id}/trigger");
    let failed = acme.owner.post(&path, json!({ "wait": true })).await.json(200);
    assert_eq!((&failed["status"], &failed["lastNodeExecuted"]), (&json!("error"), &json!("Greet")));
    let own = format!("/api/v1/executions/{}", failed["id"].as_str().unwrap());
    let retry = acme.operator.post(&format!("{own}/retry"), json!({})).await.json(200);
    assert_eq!((&retry["mode"], &retry["retryOf"]), (&json!("retry"), &failed["id"]));
    acme.operator.post(&format!("{own}/stop"), json!({})).await.problem(409, "execution_wrong_state");
}

#[actix_web::test]
async fn lists_are_filtered_and_paged() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, greeting("hello")).await;
    for _ in 0..3 {
        server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(200);
    }
    for (query, count) in [
        ("?status=success", 3),
        ("?status=error", 0),
        ("?limit=2", 2),
        ("?workflowId=nobody", 0),
        (&format!("?workflowId={id}"), 3),
    ] {
        let page = acme.viewer.get(&format!("/api/v1/executions{query}")).await.json(200);
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
    let first = acme.viewer.get("/api/v1/executions?limit=2").await.json(200);
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = acme.viewer.get(&format!("/api/v1/executions?limit=2&cursor={cursor}")).await.json(200);
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["nextCursor"]), (1, &json!(null)));
    acme.viewer.get("/api/v1/executions?status=sleepy").await.problem(422, "invalid_query");
    acme.viewer.get("/api/v1/executions/not-an-id").await.expect(404);
}
