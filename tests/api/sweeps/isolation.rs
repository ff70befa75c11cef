//! A tenant's rows do not exist for another: every operation with an id answers 404 for a foreign one.

use actix_web::http::Method;
use millrace::common::TenantId;
use millrace::domains::users::Role;
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::Operation;
use crate::support::{Client, TestServer, TestTenant, add, administrator, email, sign_in};
use crate::workflows::{activated, greeting};

/// How to make, in a tenant, a resource that operations with this path work on.
async fn resource(path: &str, server: &TestServer, tenant: &TestTenant) -> Option<String> {
    let id = |value: Value| value["id"].as_str().unwrap().to_owned();
    if path.starts_with("/api/v1/api-keys/") {
        return Some(id(tenant.owner.post("/api/v1/api-keys", json!({ "name": "x" })).await.json(201)));
    }
    if path.starts_with("/api/v1/auth/sessions/") {
        sign_in(server, &email(Role::Owner, &tenant.slug)).await;
        let logins = tenant.owner.get("/api/v1/auth/sessions").await.json(200);
        return Some(id(logins["data"][0].clone()));
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
    if path.starts_with("/api/v1/schedules/") {
        nightly_report(tenant).await;
        let body = json!({ "workflowId": "nightly-report", "name": "x", "cron": "30 2 * * *" });
        let schedule = id(tenant.owner.post("/api/v1/schedules", body).await.json(201));
        if path.ends_with("/resume") {
            let pause = format!("/api/v1/schedules/{schedule}/pause");
            tenant.owner.post(&pause, json!({ "reason": "x" })).await.expect(200);
        }
        return Some(schedule);
    }
    if path.starts_with("/api/v1/webhook-subscriptions/") {
        return Some(subscription(tenant).await);
    }
    if path.starts_with("/api/v1/webhook-deliveries/") {
        let path = format!("/api/v1/webhook-subscriptions/{}/test", subscription(tenant).await);
        let pinged = tenant.owner.post(&path, json!({})).await.json(200);
        return Some(pinged["deliveryId"].as_str().unwrap().to_owned());
    }
    if path.starts_with("/api/v1/webhooks/queue/") {
        return Some(queued_webhook(server, tenant).await);
    }
    if path.starts_with("/api/v1/webhooks/") {
        return Some(signed_webhook(tenant).await);
    }
    if path.starts_with("/api/v1/integrations/n8n/") {
        let data = json!({ "baseUrl": "https://n8n.example", "apiKey": "k" });
        let body = json!({ "name": "x", "type": "n8nApi", "data": data });
        return Some(id(tenant.owner.post("/api/v1/credentials", body).await.json(201)));
    }
    if path.starts_with("/api/v1/credentials/connect-sessions/") {
        let session =
            tenant.owner.post("/api/v1/credentials/connect-sessions", json!({ "type": "httpBasicAuth" })).await;
        return Some(id(session.json(201)));
    }
    if path.starts_with("/api/v1/credentials/") {
        let oauth =
            json!({ "clientId": "c", "authUrl": "https://a.example/a", "accessTokenUrl": "https://a.example/t" });
        let (kind, data) = if path.ends_with("/oauth/start") {
            ("oAuth2Api", oauth)
        } else {
            ("httpBasicAuth", json!({ "user": "u" }))
        };
        let body = json!({ "name": "x", "type": kind, "data": data });
        return Some(id(tenant.owner.post("/api/v1/credentials", body).await.json(201)));
    }
    if path.starts_with("/api/v1/executions/jobs/") {
        let job = tenant.owner.post("/api/v1/executions/jobs", json!({ "action": "retry" })).await;
        return Some(id(job.json(202)));
    }
    if path.starts_with("/api/v1/data-tables/") {
        let name = uuid::Uuid::now_v7().to_string();
        let body = json!({ "name": name, "columns": [{ "name": "email", "type": "string" }] });
        let made = id(tenant.owner.post("/api/v1/data-tables", body).await.json(201));
        let rows = json!({ "data": [{ "email": "ann@example.com" }] });
        tenant.owner.post(&format!("/api/v1/data-tables/{made}/rows"), rows).await.expect(200);
        return Some(made);
    }
    if path.starts_with("/api/v1/executions/") {
        let ends = path.ends_with("/retry") || path.ends_with("/replay");
        return Some(id(execution(tenant, ends).await));
    }
    None
}

/// Somebody who wants to be told.
async fn subscription(tenant: &TestTenant) -> String {
    let body = json!({ "name": "x", "url": "https://status.example/hooks", "events": ["*"] });
    let made = tenant.owner.post("/api/v1/webhook-subscriptions", body).await.json(201);
    made["id"].as_str().unwrap().to_owned()
}

/// The active workflow that the examples of schedules name.
async fn nightly_report(tenant: &TestTenant) {
    let document = json!({ "id": "nightly-report", "name": "x", "nodes": [{
        "name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "position": [0, 0],
        "parameters": { "rule": { "interval": [{}] } }
    }], "connections": {} });
    tenant.owner.post("/api/v1/workflows/import", document).await.expect(201);
    tenant.owner.post("/api/v1/workflows/nightly-report/activate", json!({})).await.expect(200);
}

/// A webhook in the queue.
async fn queued_webhook(server: &TestServer, tenant: &TestTenant) -> String {
    let workflow = activated(&tenant.owner, greeting(&uuid::Uuid::now_v7().to_string())).await;
    let made = tenant.owner.post("/api/v1/webhooks/queue/secret", json!({})).await.json(201);
    let sender = server.visitor().with("x-n8n-signature", made["secret"].as_str().unwrap());
    let queued = sender.post(&format!("/api/v1/webhooks/n8n/{workflow}"), json!({})).await.json(200);
    queued["ids"][0].as_str().unwrap().to_owned()
}

/// A webhook of an active workflow, with a signature.
async fn signed_webhook(tenant: &TestTenant) -> String {
    let workflow = activated(&tenant.owner, greeting(&uuid::Uuid::now_v7().to_string())).await;
    let page = tenant.owner.get(&format!("/api/v1/webhooks?workflowId={workflow}")).await.json(200);
    let id = page["data"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({ "settings": { "signature": { "scheme": "github" } }, "secrets": { "signature": "hush" } });
    tenant.owner.send(Method::PUT, &format!("/api/v1/webhooks/{id}"), Some(body)).await.expect(200);
    id
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
const SHARED: &[&str] = &["/api/v1/credentials/schema/{type}", "/api/v1/node-types/{name}"];

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

/// Operations that end the caller's logins, or need a code, a link, another server or something made before: their own tests look for the row.
const TRIED_ELSEWHERE: &[&str] = &[
    "change_password",
    "logout_everywhere",
    "enrol_second_factor",
    "confirm_second_factor",
    "disable_second_factor",
    "create_recovery_codes",
    "delete_identity_provider",
    "delete_data_table_rows",
    "import_n8n_workflows",
    "trigger_n8n_workflow",
];

#[actix_web::test]
async fn every_mutation_leaves_an_audit_row() {
    let server = TestServer::with(|config| {
        config.limits.api_requests_per_minute = 0;
        config.tenants.own_hosts = true;
    })
    .await;
    let tenant = server.tenant("acme").await;
    nightly_report(&tenant).await;
    let of_members = |operation: &Operation| operation.is_mutation() && !operation.is_administrative();
    for operation in Operation::secured().into_iter().filter(of_members) {
        if TRIED_ELSEWHERE.contains(&operation.id.as_str()) {
            continue;
        }
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

/// What administrators do is in the log of the tenant they do it to, or in their own.
#[actix_web::test]
async fn every_deed_of_an_administrator_leaves_an_audit_row() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    add(&server, acme.id, "root@platform.example", Role::Viewer).await;
    let of_administrators = |operation: &Operation| operation.is_mutation() && operation.is_administrative();
    for operation in Operation::secured().into_iter().filter(of_administrators) {
        let id = if operation.path.starts_with("/api/v1/admin/administrators/") {
            let body = json!({ "email": "owner@acme.example" });
            admin.post("/api/v1/admin/administrators", body).await.json(201)["id"].as_str().unwrap().to_owned()
        } else {
            acme.id.to_string()
        };
        let before = (newest(&admin).await, newest_of(&server, acme.id).await);
        let reply = operation.send(&admin, &id).await;
        assert!(reply.status.is_success(), "{} with its own example: {:?}", operation.id, reply.body);
        let concerned = match (operation.id.as_str(), serde_json::from_slice::<Value>(&reply.body)) {
            ("admin_create_tenant", Ok(tenant)) => tenant["id"].as_str().unwrap().parse().unwrap(),
            _ => acme.id,
        };
        let after = (newest(&admin).await, newest_of(&server, concerned).await);
        let is_new = concerned != acme.id && after.1 > 0;
        assert!(is_new || after.0 > before.0 || after.1 > before.1, "{} left no audit row", operation.id);
        admin.post(&format!("/api/v1/admin/tenants/{}/resume", acme.id), json!({})).await.expect(200);
    }
}

async fn mark_for_deletion(client: &Client) {
    let body = Some(json!({ "slug": "acme" }));
    client.send(Method::DELETE, "/api/v1/tenants/current", body).await.expect(200);
}

async fn newest_of(server: &TestServer, tenant: TenantId) -> i64 {
    let backend = server.app.database.backend();
    let sql = "SELECT coalesce(max(sequence), 0) AS newest FROM audit_events WHERE tenant_id = $1";
    let statement = Statement::from_sql_and_values(backend, sql, [tenant.into()]);
    let row = server.app.database.read(AcrossTenants).query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "newest").unwrap()
}

async fn newest(client: &Client) -> u64 {
    client.get("/api/v1/audit?limit=1").await.json(200)["data"][0]["sequence"].as_u64().unwrap()
}
