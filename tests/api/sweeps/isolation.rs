//! A tenant's rows do not exist for another: every operation with an id answers 404 for a foreign one.

use millrace::domains::users::Role;
use serde_json::{Value, json};

use super::Operation;
use crate::support::{Client, TestServer, TestTenant, add};

/// How to make, in a tenant, a resource that operations with this path work on.
async fn resource(path: &str, server: &TestServer, tenant: &TestTenant) -> Option<String> {
    let id = |value: Value| value["id"].as_str().unwrap().to_owned();
    if path.starts_with("/api/v1/api-keys/") {
        return Some(id(tenant.owner.post("/api/v1/api-keys", json!({ "name": "x" })).await.json(201)));
    }
    if path.starts_with("/api/v1/users/") {
        let email = format!("{}@{}.example", uuid::Uuid::now_v7(), tenant.slug);
        return Some(add(server, tenant.id, &email, Role::Viewer).await.to_string());
    }
    if path.starts_with("/api/v1/invitations/") {
        let email = format!("{}@{}.example", uuid::Uuid::now_v7(), tenant.slug);
        return Some(id(tenant.owner.post("/api/v1/invitations", json!({ "email": email })).await.json(201)));
    }
    if path.starts_with("/api/v1/roles/") {
        let name = format!("role {}", uuid::Uuid::now_v7());
        let body = json!({ "name": name, "permissions": ["workflows:read"] });
        return Some(id(tenant.owner.post("/api/v1/roles", body).await.json(201)));
    }
    if path.starts_with("/api/v1/workflows/") {
        let document = json!({ "name": "x", "nodes": [{
            "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
            "parameters": { "path": uuid::Uuid::now_v7() }
        }], "connections": {} });
        return Some(id(tenant.owner.post("/api/v1/workflows", document).await.json(201)));
    }
    if path.starts_with("/api/v1/executions/") {
        let ends = path.ends_with("/retry");
        return Some(id(execution(tenant, ends).await));
    }
    None
}

/// An execution that failed, or one that waits for a call.
async fn execution(tenant: &TestTenant, ends: bool) -> Value {
    let node = if ends {
        json!({ "name": "Then", "type": "n8n-nodes-base.stopAndError", "parameters": { "errorMessage": "no" } })
    } else {
        json!({ "name": "Then", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "parameters": { "resume": "webhook" } })
    };
    let document = json!({
        "name": "x",
        "nodes": [{ "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1 }, node],
        "connections": { "Start": { "main": [[{ "node": "Then", "type": "main", "index": 0 }]] } }
    });
    let workflow = tenant.owner.post("/api/v1/workflows", document).await.json(201);
    let trigger = format!("/api/v1/workflows/{}/trigger", workflow["id"].as_str().unwrap());
    let started = tenant.owner.post(&trigger, json!({})).await.json(202);
    let path = format!("/api/v1/executions/{}", started["id"].as_str().unwrap());
    let at_rest = if ends { "error" } else { "waiting" };
    let mut execution = started;
    for _ in 0..200 {
        if execution["status"] == at_rest {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        execution = tenant.owner.get(&path).await.json(200);
    }
    assert_eq!(execution["status"], at_rest);
    execution
}

/// What every tenant shares: there is no foreign one.
const SHARED: &[&str] = &["/api/v1/node-types/{name}"];

#[actix_web::test]
async fn another_tenants_resource_is_not_found() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    for operation in Operation::secured().into_iter().filter(Operation::has_id) {
        if SHARED.contains(&operation.path.as_str()) || operation.is_administrative() {
            continue;
        }
        let id = resource(&operation.path, &server, &acme).await;
        let id = id.unwrap_or_else(|| panic!("say above how to make what {} works on", operation.path));
        for stranger in [&globex.owner, &globex.api_key] {
            let reply = operation.send(stranger, &id).await;
            assert_eq!(reply.status, 404, "{}: {:?}", operation.id, reply.body);
        }
        let text = String::from_utf8(operation.send(&globex.owner, &id).await.body.to_vec()).unwrap();
        assert!(!text.contains("acme"), "{}: {text}", operation.id);
    }
}

#[actix_web::test]
async fn every_mutation_leaves_an_audit_row() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let tenant = server.tenant("acme").await;
    let of_members = |operation: &Operation| operation.is_mutation() && !operation.is_administrative();
    for operation in Operation::secured().into_iter().filter(of_members) {
        let id =
            if operation.has_id() { resource(&operation.path, &server, &tenant).await.unwrap() } else { String::new() };
        let before = newest(&tenant.owner).await;
        if operation.id == "restore_current_tenant" {
            mark_for_deletion(&tenant.owner).await;
        }
        let reply = operation.send(&tenant.owner, &id).await;
        assert!(reply.status.is_success(), "{} with its own example: {:?}", operation.id, reply.body);
        if operation.id == "delete_current_tenant" {
            tenant.owner.post("/api/v1/tenants/current/restore", json!({})).await.expect(200);
        }
        let after = newest(&tenant.owner).await;
        assert!(after > before, "{} changed something and left no audit row", operation.id);
    }
}

async fn mark_for_deletion(client: &Client) {
    let body = Some(json!({ "slug": "acme" }));
    client.send(actix_web::http::Method::DELETE, "/api/v1/tenants/current", body).await.expect(200);
}

async fn newest(client: &Client) -> u64 {
    client.get("/api/v1/audit?limit=1").await.json(200)["data"][0]["sequence"].as_u64().unwrap()
}
