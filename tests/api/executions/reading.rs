//! What can be read of executions: parts of their data, labels, statistics.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::recovery::chain;
use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

/// A workflow that numbers its items, labels its execution, and fails where the input says so.
pub(super) fn numbered() -> Value {
    let to = |name: &str| json!({ "main": [[{ "node": name, "type": "main", "index": 0 }]] });
    json!({
        "name": "Numbered",
        "nodes": [
            { "name": "Begin", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "position": [0, 0] },
            { "name": "Number", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [100, 0], "parameters": { "jsCode":
                "const count = $input.first().json.count; \
                 $execution.customData.set('customer', String($input.first().json.customer ?? 'none')); \
                 return Array.from({ length: count }, (_, n) => ({ json: { n } }));" } },
            { "name": "Check", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [200, 0], "parameters": { "jsCode":
                "if ($('Begin').first().json.fails) throw new Error('no'); return $input.all();" } },
        ],
        "connections": { "Begin": to("Number"), "Number": to("Check") },
        "settings": { "executionOrder": "v1" }
    })
}

pub(super) async fn imported(acme: &TestTenant, workflow: Value) -> String {
    let imported = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201);
    imported["id"].as_str().unwrap().to_owned()
}

/// Runs it to its end with this input; gives the execution.
pub(super) async fn ran(acme: &TestTenant, workflow: &str, input: Value) -> Value {
    let body = json!({ "inputData": input, "wait": true });
    acme.operator.post(&format!("/api/v1/workflows/{workflow}/trigger"), body).await.json(200)
}

fn own(execution: &Value, rest: &str) -> String {
    format!("/api/v1/executions/{}{rest}", execution["id"].as_str().unwrap())
}

#[actix_web::test]
async fn data_is_read_by_node_run_and_page() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = imported(&acme, numbered()).await;
    let ended = ran(&acme, &id, json!({ "count": 5 })).await;
    let nodes = acme.viewer.get(&own(&ended, "/nodes")).await.json(200);
    let named: Vec<&Value> = nodes["data"].as_array().unwrap().iter().map(|node| &node["node"]).collect();
    assert_eq!(named, ["Begin", "Number", "Check"]);
    let check = &nodes["data"][2]["runs"][0];
    assert_eq!((&check["itemsIn"], &check["itemsOut"], &check["status"]), (&json!(5), &json!([5]), &json!("success")));
    let path = own(&ended, "/nodes/Number/items?limit=2");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = acme.viewer.get(&format!("{path}{cursor}")).await.json(200);
        assert_eq!(page["total"], 5);
        found.extend(page["data"].as_array().unwrap().iter().map(|item| item["json"]["n"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, [0, 1, 2, 3, 4]);
    for missing in ["Nobody/items", "Number/items?run=1"] {
        acme.viewer.get(&own(&ended, &format!("/nodes/{missing}"))).await.problem(404, "node_run_not_found");
    }
    let empty = acme.viewer.get(&own(&ended, "/nodes/Number/items?output=3")).await.json(200);
    assert_eq!(empty, json!({ "data": [], "total": 0, "nextCursor": null }));
    acme.viewer.get(&own(&ended, "/nodes/Number/items?cursor=x")).await.problem(422, "invalid_query");
    let usage = acme.viewer.get(&own(&ended, "/usage")).await.json(200);
    assert_eq!((&usage["nodeRuns"], &usage["peakItems"], &usage["bytesOut"]), (&json!(3), &json!(5), &json!(0)));
}

#[actix_web::test]
async fn executions_are_found_by_what_is_written_on_them() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = imported(&acme, numbered()).await;
    let first = ran(&acme, &id, json!({ "count": 1, "customer": 42 })).await;
    server.clock.advance(std::time::Duration::from_secs(60));
    let second = ran(&acme, &id, json!({ "count": 1, "customer": 43 })).await;
    let written = json!({ "vote": "up", "note": "As it should be", "tags": ["reviewed", "vip"] });
    let path = own(&first, "/annotation");
    let annotated = acme.operator.send(Method::PUT, &path, Some(written.clone())).await.json(200);
    assert_eq!((&annotated["annotation"], &annotated["metadata"]), (&written, &json!({ "customer": "42" })));
    assert_eq!(acme.audit().await[0]["action"], "execution.annotate");
    let (one, other) = (&first["id"], &second["id"]);
    for (query, expected) in [
        ("tag=vip", vec![one]),
        ("tag=other", vec![]),
        ("metadata=customer:43", vec![other]),
        ("metadata=customer:44", vec![]),
        ("mode=trigger", vec![other, one]),
        ("mode=webhook", vec![]),
        ("createdBefore=2025-01-31T08:00:30Z", vec![one]),
        ("createdAfter=2025-01-31T08:00:30Z", vec![other]),
        ("createdAfter=2025-01-31T08:00:30Z&tag=vip", vec![]),
    ] {
        let page = acme.viewer.get(&format!("/api/v1/executions?{query}")).await.json(200);
        let found: Vec<&Value> = page["data"].as_array().unwrap().iter().map(|execution| &execution["id"]).collect();
        assert_eq!(found, expected, "{query}");
    }
    let cleared = acme.operator.send(Method::PUT, &path, Some(json!({}))).await.json(200);
    assert_eq!((&cleared["annotation"], &cleared["metadata"]["customer"]), (&json!(null), &json!("42")));
    for (wrong, pointer) in [
        (json!({ "tags": [" "] }), "/tags"),
        (json!({ "tags": vec!["x"; 33] }), "/tags"),
        (json!({ "vote": "sideways" }), "/vote"),
        (json!({ "note": "x".repeat(5001) }), "/note"),
    ] {
        acme.operator.send(Method::PUT, &path, Some(wrong)).await.problem_at(422, "invalid_body", &[pointer]);
    }
    globex.owner.send(Method::PUT, &path, Some(written)).await.problem(404, "execution_not_found");
    for wrong in ["metadata=customer", "metadata=:1", "createdAfter=noon", "mode=often"] {
        acme.viewer.get(&format!("/api/v1/executions?{wrong}")).await.problem(422, "invalid_query");
    }
}

#[actix_web::test]
async fn statistics_count_by_workflow_time_and_node() {
    let server = TestServer::with(|config| config.auth.access_token_seconds = 10_000_000).await;
    let acme = server.tenant("acme").await;
    let (numbered, greeting) = (imported(&acme, numbered()).await, activated(&acme.developer, greeting("hello")).await);
    for fails in [false, false, true] {
        ran(&acme, &numbered, json!({ "count": 1, "fails": fails })).await;
    }
    server.clock.advance(std::time::Duration::from_secs(3600));
    ran(&acme, &greeting, json!({ "name": "Ann" })).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let found = acme.viewer.get("/api/v1/executions/statistics?bucket=hour").await.json(200);
    let total = &found["total"];
    assert_eq!((&total["executions"], &total["success"], &total["error"]), (&json!(4), &json!(3), &json!(1)));
    assert_eq!((&total["successRate"], &found["isComplete"]), (&json!(0.75), &json!(true)));
    assert!(total["durationMs"]["p50"].is_u64(), "{found}");
    let counts = |list: &str| -> Vec<u64> {
        found[list].as_array().unwrap().iter().map(|part| part["executions"].as_u64().unwrap()).collect()
    };
    assert_eq!((counts("workflows"), counts("buckets")), (vec![3, 1], vec![3, 1]));
    assert_eq!(found["buckets"][0]["from"], "2025-01-31T08:00:00.000Z");
    let path = format!("/api/v1/executions/statistics?workflowId={greeting}");
    assert_eq!(acme.viewer.get(&path).await.json(200)["total"]["executions"], 1);
    let later = "/api/v1/executions/statistics?from=2025-02-01T00:00:00Z&to=2025-02-02T00:00:00Z";
    assert_eq!(acme.viewer.get(later).await.json(200)["total"]["successRate"], json!(null));
    for wrong in ["from=2025-02-01T00:00:00Z&to=2025-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z&bucket=minute"] {
        let refused = acme.viewer.get(&format!("/api/v1/executions/statistics?{wrong}")).await;
        refused.problem_at(422, "span_invalid", &["/from"]);
    }
    acme.viewer.get("/api/v1/executions/statistics?workflowId=nobody").await.problem(404, "workflow_not_found");
    let nodes = acme.viewer.get(&format!("/api/v1/workflows/{numbered}/statistics")).await.json(200);
    assert_eq!(nodes["executions"], 3);
    let told: Vec<(&str, u64, u64)> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["node"].as_str().unwrap(), node["runs"].as_u64().unwrap(), node["errors"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("Begin", 3, 0), ("Check", 3, 1), ("Number", 3, 0)]);
}

#[actix_web::test]
async fn scripts_count_for_what_they_compute_and_not_for_what_they_wait() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let busy = "let sum = 0; for (let n = 0; n < 1000000; n++) sum += n; return [{ json: { sum } }];";
    let waits = "await new Promise((done) => setTimeout(done, 1000)); return $input.all();";
    let mut used = Vec::new();
    for script in [busy, waits] {
        let mut workflow = numbered();
        workflow["nodes"][1]["parameters"]["jsCode"] = json!(script);
        let id = imported(&acme, workflow).await;
        let ended = ran(&acme, &id, json!({ "count": 1 })).await;
        let usage = acme.viewer.get(&own(&ended, "/usage")).await.json(200);
        let data = acme.viewer.get(&own(&ended, "?includeData=true")).await.json(200);
        let lasted = &data["data"]["resultData"]["runData"]["Number"][0]["executionTime"];
        used.push((usage["scriptMs"].as_u64().unwrap(), lasted.as_u64().unwrap()));
    }
    let [busy, waits] = used[..] else { panic!("{used:?}") };
    // The other script counts, too: a moment.
    assert!(busy.0 > 0 && busy.0 <= busy.1 + 100, "{busy:?}");
    assert!(waits.1 >= 1000 && waits.0 + 500 < waits.1, "{waits:?}");
}

#[actix_web::test]
async fn a_page_with_data_ends_before_it_is_too_much() {
    const EACH: usize = 3 << 20;
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, chain("big", Vec::new())).await;
    let text = "x".repeat(EACH);
    for _ in 0..7 {
        let request = json!({ "inputData": { "text": text }, "wait": true });
        acme.operator.post(&format!("/api/v1/workflows/{id}/trigger"), request).await.expect(200);
    }
    let (mut seen, mut pages, mut cursor) = (std::collections::BTreeSet::new(), Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/executions?includeData=true&limit=250{cursor}");
        let page = acme.viewer.get(&path).await.json(200);
        let executions = page["data"].as_array().unwrap();
        assert!(executions.iter().all(|execution| execution["data"].to_string().len() > EACH));
        seen.extend(executions.iter().map(|execution| execution["id"].as_str().unwrap().to_owned()));
        pages.push(executions.len());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7, "none is left out, none comes twice: {pages:?}");
    // 16 MiB, and what the last one is longer.
    assert!(pages[0] >= 1 && pages[0] <= 6 && pages.len() > 1, "{pages:?}");
    let without = acme.viewer.get("/api/v1/executions?limit=250").await.json(200);
    assert_eq!(without["data"].as_array().unwrap().len(), 7);
}
