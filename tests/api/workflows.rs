//! Workflows through the API: kept as they came, versioned, activated where they can run.

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Client, TestServer};

/// Webhook at `path`, answered by the last node, a Set node that greets.
pub(crate) fn greeting(path: &str) -> Value {
    json!({
        "name": format!("Greeting at {path}"),
        "nodes": [
            { "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
              "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode", "options": {} } },
            { "name": "Greet", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
              "parameters": { "options": {}, "assignments": { "assignments": [
                  { "id": "1", "name": "greeting", "type": "string", "value": "=Hello {{ $json.body.name }}" }] } } }
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Greet", "type": "main", "index": 0 }]] } },
        "settings": { "executionOrder": "v1" }
    })
}

/// Imports and activates a workflow; gives its id.
pub(crate) async fn activated(client: &Client, workflow: Value) -> String {
    let imported = client.post("/api/v1/workflows/import", workflow).await.json(201);
    let id = imported["id"].as_str().unwrap().to_owned();
    client.post(&format!("/api/v1/workflows/{id}/activate"), json!({})).await.expect(200);
    id
}

#[actix_web::test]
async fn an_export_has_the_values_of_the_import() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let text = r#"{"name":"Kept","zeta":12345678901234567890,"nodes":[{"name":"A","type":"n8n-nodes-base.noOp","own":{"b":1.10,"a":"é\u0000"}}],"connections":{},"id":"x1","alpha":null}"#;
    let body = Some(("application/json", Bytes::from(text)));
    let imported = acme.developer.send_raw(Method::POST, "/api/v1/workflows/import", body).await.json(201);
    assert_eq!(imported["alias"], "x1");
    for id in [imported["id"].as_str().unwrap(), "x1"] {
        let exported = acme.viewer.get(&format!("/api/v1/workflows/{id}/export")).await.expect(200);
        assert_eq!(exported.body, text.as_bytes(), "{id}");
    }
}

#[actix_web::test]
async fn lists_of_workflows_are_imported_together_or_not_at_all() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let import = |body: Value| acme.developer.post("/api/v1/workflows/import", body);
    let both = import(json!({ "data": [greeting("a"), greeting("b")], "nextCursor": null })).await.json(201);
    assert_eq!(both["data"].as_array().unwrap().len(), 2);
    let mut broken = greeting("c");
    broken["connections"]["Webhook"]["main"][0][0]["node"] = json!("Nobody");
    import(json!([greeting("d"), broken])).await.problem_at(
        422,
        "workflow_invalid",
        &["/1/connections/Webhook/main/0/0/node"],
    );
    import(json!("x")).await.problem(400, "import_unreadable");
    let page = acme.viewer.get("/api/v1/workflows").await.json(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 2, "nothing of the second list is kept");
}

#[actix_web::test]
async fn unknown_node_types_are_kept_but_not_activated() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("a");
    workflow["nodes"][1]["type"] = json!("n8n-nodes-base.unheardOf");
    let imported = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201);
    assert_eq!(imported["problems"][0]["pointer"], "/nodes/1/type");
    let id = imported["id"].as_str().unwrap();
    let path = format!("/api/v1/workflows/{id}/activate");
    acme.developer.post(&path, json!({})).await.problem_at(422, "workflow_not_runnable", &["/nodes/1/type"]);
}

#[actix_web::test]
async fn every_change_makes_a_version_and_stale_ones_are_refused() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let first = acme.developer.post("/api/v1/workflows", greeting("a")).await.json(201);
    let path = format!("/api/v1/workflows/{}", first["id"].as_str().unwrap());
    let put = |version: &Value, name: &str| {
        let mut body = greeting("a");
        body["name"] = json!(name);
        body["versionId"] = version.clone();
        let (client, path) = (acme.developer.clone(), path.clone());
        async move { client.send(Method::PUT, &path, Some(body)).await }
    };
    let second = put(&first["versionId"], "Second").await.json(200);
    assert_ne!(first["versionId"], second["versionId"]);
    put(&first["versionId"], "Third").await.problem(409, "workflow_outdated");
    put(&json!("of another server"), "Third").await.expect(200);
    assert_eq!(acme.viewer.get(&path).await.json(200)["name"], "Third");
}

#[actix_web::test]
async fn lists_are_filtered() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut tagged = greeting("a");
    tagged["tags"] = json!([{ "name": "prod" }, "blue"]);
    tagged["name"] = json!("100% Tagged");
    activated(&acme.developer, tagged).await;
    acme.developer.post("/api/v1/workflows", greeting("b")).await.expect(201);
    for (query, count) in [
        ("", 2),
        ("?active=true", 1),
        ("?active=false", 1),
        ("?name=tagged", 1),
        ("?name=%25", 1),
        ("?tags=prod,blue", 1),
        ("?tags=prod,red", 0),
        ("?limit=1", 1),
    ] {
        let page = acme.viewer.get(&format!("/api/v1/workflows{query}")).await.json(200);
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(page["nextCursor"].is_string(), query == "?limit=1", "{query}");
    }
}
