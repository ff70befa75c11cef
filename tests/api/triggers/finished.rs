//! Workflows that begin when a run of another one is over.

use serde_json::{Value, json};

use super::{items, running};
use crate::support::TestTenant;
use crate::workflows::{activated, greeting};

async fn follower(tenant: &TestTenant, name: &str, parameters: Value) -> String {
    let workflow = json!({
        "name": name,
        "nodes": [{ "name": "Finished", "type": "millrace.workflowFinished", "typeVersion": 1, "position": [0, 0],
                    "parameters": parameters }],
        "connections": {}
    });
    activated(&tenant.developer, workflow).await
}

#[actix_web::test]
async fn a_workflow_begins_when_another_is_over_and_so_does_no_third() {
    let (server, acme, shutdown) = running().await;
    let globex = server.tenant("globex").await;
    let hello = activated(&acme.developer, greeting("hello")).await;
    let failing = json!({
        "name": "Failing",
        "nodes": [
            { "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
              "parameters": { "httpMethod": "POST", "path": "fail", "responseMode": "lastNode", "options": {} } },
            { "name": "Stop", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1, "position": [200, 0],
              "parameters": { "errorMessage": "no" } }
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Stop", "type": "main", "index": 0 }]] } }
    });
    activated(&acme.developer, failing).await;
    let of_hello = follower(&acme, "Of hello", json!({ "workflows": hello })).await;
    let of_failures = follower(&acme, "Of failures", json!({ "workflows": "Failing", "statuses": ["error"] })).await;
    let of_all = follower(&acme, "Of all", json!({})).await;
    let strangers = follower(&globex, "Of all", json!({})).await;
    server.visitor().post("/t/acme/webhook/hello", json!({ "name": "Ann" })).await.expect(200);
    server.visitor().post("/t/acme/webhook/fail", json!({})).await.expect(500);
    let begun = items(&acme, &of_hello, 1).await;
    assert_eq!(begun[0]["workflow"]["id"], hello.as_str(), "{begun:?}");
    assert_eq!(
        (&begun[0]["execution"]["status"], &begun[0]["execution"]["mode"]),
        (&json!("success"), &json!("webhook"))
    );
    let begun = items(&acme, &of_failures, 1).await;
    assert_eq!(begun[0]["execution"]["error"]["message"], "no", "{begun:?}");
    assert_eq!(items(&acme, &of_all, 2).await.len(), 2);
    let all = acme.viewer.get("/api/v1/executions?limit=250").await.json(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 6, "what followed begins nothing");
    let others = globex.viewer.get(&format!("/api/v1/workflows/{strangers}/executions")).await.json(200);
    assert_eq!(others["data"], json!([]));
    shutdown.cancel();
}

#[actix_web::test]
async fn what_is_not_kept_is_over_all_the_same() {
    let (server, acme, shutdown) = running().await;
    let mut workflow = greeting("hello");
    workflow["settings"]["saveDataSuccessExecution"] = json!("none");
    let hello = activated(&acme.developer, workflow).await;
    let follower = follower(&acme, "Follower", json!({ "workflows": hello })).await;
    server.visitor().post("/t/acme/webhook/hello", json!({ "name": "Ann" })).await.expect(200);
    items(&acme, &follower, 1).await;
    let own = acme.viewer.get(&format!("/api/v1/workflows/{hello}/executions")).await.json(200);
    assert_eq!(own["data"], json!([]));
    shutdown.cancel();
}
