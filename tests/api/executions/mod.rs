//! Executions: triggered over the API, read, stopped, retried, deleted, and apart by tenant.

mod binaries;
mod calls;
mod keeping;
mod killed;
mod live;
mod reading;
mod repeating;
mod shared;
mod unreadable;

use serde_json::{Value, json};

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
async fn the_record_says_of_every_node_what_went_in_and_out() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let node = |name: &str, kind: &str, version: f64, y: i32, parameters: Value| {
        json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": version,
                "position": [0, y], "parameters": parameters })
    };
    let to = |name: &str| json!([{ "node": name, "type": "main", "index": 0 }]);
    let number = json!({ "number": [{ "value1": "={{ $json.n }}", "operation": "larger", "value2": 1 }] });
    let workflow = json!({
        "name": "Counted",
        "nodes": [
            node("Begin", "manualTrigger", 1.0, 0, json!({})),
            node("Sort out", "if", 1.0, 100, json!({ "conditions": number })),
            node("Fail", "code", 2.0, 300, json!({ "jsCode": "throw new Error('no')" })),
            node("Rest", "noOp", 1.0, 200, json!({})),
        ],
        "connections": {
            "Begin": { "main": [to("Sort out")] },
            "Sort out": { "main": [to("Rest"), to("Fail")] },
        },
        "settings": { "executionOrder": "v1" }
    });
    let imported = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201);
    let trigger = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
    let body = json!({ "inputData": [{ "n": 1 }, { "n": 2 }, { "n": 3 }], "wait": true });
    let ended = acme.operator.post(&trigger, body).await.json(200);
    let path = format!("/api/v1/executions/{}?includeData=true", ended["id"].as_str().unwrap());
    let execution = acme.viewer.get(&path).await.json(200);
    let runs = &execution["data"]["resultData"]["runData"];
    for (name, index, (items_in, items_out), status, source) in [
        ("Begin", 0, (3, 3), "success", json!([])),
        ("Sort out", 1, (3, 3), "success", json!([from("Begin", 0)])),
        ("Rest", 2, (2, 2), "success", json!([from("Sort out", 0)])),
        ("Fail", 3, (1, 0), "error", json!([from("Sort out", 1)])),
    ] {
        let run = &runs[name][0];
        assert_eq!((&run["itemsIn"], &run["itemsOut"]), (&json!(items_in), &json!(items_out)), "{name}");
        assert_eq!((&run["executionIndex"], &run["executionStatus"]), (&json!(index), &json!(status)), "{name}");
        assert_eq!(run["source"], source, "{name}");
        assert!(run["startTime"].as_i64().unwrap() > 0 && run["executionTime"].is_u64(), "{name}: {run}");
        assert_eq!(run["data"].is_object(), status == "success", "{name}: {run}");
        assert_eq!(run["error"]["node"], if status == "error" { json!("Fail") } else { json!(null) }, "{name}");
    }
    assert_eq!(runs["Rest"][0]["data"]["main"][0][1]["json"], json!({ "n": 3 }));
    assert_eq!(execution["data"]["resultData"]["lastNodeExecuted"], "Fail");
    assert_eq!(execution["data"]["resultData"]["error"]["node"], "Fail");
}

/// The source of an input, as n8n writes it.
fn from(node: &str, output: usize) -> Value {
    json!({ "previousNode": node, "previousNodeOutput": output, "previousNodeRun": 0 })
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
