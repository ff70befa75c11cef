//! Who may: nobody without credentials, only holders of the permission that the document names, roles as their table says.

use millrace::common::Permission;
use millrace::domains::users::Role;

use super::Operation;
use crate::support::{TestServer, administrator};

const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Operations without credentials, on purpose. Every other one has to ask.
const PUBLIC: &[&str] =
    &["register", "login", "refresh", "logout", "get_liveness", "get_readiness", "get_metrics", "accept_invitation"];

/// Operations for any caller who is signed in, whatever their permissions.
const ANY_PERMISSION: &[&str] = &["get_me", "list_my_tenants", "switch_tenant"];

#[actix_web::test]
async fn without_credentials_there_is_no_answer() {
    let server = TestServer::start().await;
    for operation in Operation::all() {
        let is_public = operation.declaration["security"] == serde_json::json!([]);
        assert_eq!(is_public, PUBLIC.contains(&operation.id.as_str()), "{}", operation.id);
        if !is_public {
            let reply = operation.send(&server.visitor(), UNKNOWN).await;
            assert_eq!(reply.status, 401, "{}", operation.id);
            let reply = operation.send(&server.bearer("forged"), UNKNOWN).await;
            assert_eq!(reply.status, 401, "{}", operation.id);
        }
    }
}

#[actix_web::test]
async fn the_permission_in_the_document_is_the_one_that_is_asked_for() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let tenant = server.tenant("acme").await;
    for operation in Operation::secured() {
        if operation.is_administrative() {
            continue;
        }
        let Some(needed) = operation.permission() else {
            assert!(ANY_PERMISSION.contains(&operation.id.as_str()), "{} names no permission", operation.id);
            continue;
        };
        let others: Vec<&str> =
            Permission::ALL.iter().map(|permission| permission.as_str()).filter(|name| *name != needed).collect();
        let without = tenant.key_with(&server, &others).await;
        operation.send(&without, UNKNOWN).await.problem(403, "forbidden");
        let with = tenant.key_with(&server, &[needed]).await;
        let reply = operation.send(&with, UNKNOWN).await;
        if operation.id == "delete_current_tenant" {
            tenant.owner.post("/api/v1/tenants/current/restore", serde_json::json!({})).await.expect(200);
        }
        assert_ne!(reply.status, 401, "{}", operation.id);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        assert_ne!(body["code"], "forbidden", "{}: {needed} is not enough", operation.id);
    }
}

#[actix_web::test]
async fn roles_may_what_their_table_says() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let tenant = server.tenant("acme").await;
    for operation in Operation::secured() {
        let Some(needed) = operation.permission() else { continue };
        let needed: Permission = needed.parse().unwrap();
        for role in Role::ALL.into_iter().filter(|role| !role.permissions().contains(needed)) {
            operation.send(tenant.member(role), UNKNOWN).await.problem(403, "forbidden");
        }
    }
}

#[actix_web::test]
async fn what_is_for_administrators_is_for_them_alone() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let (administrator, tenant) = (administrator(&server).await, server.tenant("acme").await);
    let mut seen = 0;
    for operation in Operation::secured().into_iter().filter(Operation::is_administrative) {
        assert!(operation.permission().is_none() && operation.declaration["responses"]["403"].is_object());
        for outsider in [&tenant.owner, &tenant.api_key, &tenant.viewer] {
            operation.send(outsider, UNKNOWN).await.problem(403, "administrator_needed");
        }
        let reply = operation.send(&administrator, UNKNOWN).await;
        assert!(![401, 403, 500].contains(&reply.status.as_u16()), "{}: {:?}", operation.id, reply.body);
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
