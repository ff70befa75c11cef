//! Members and their roles.

use millrace::domains::users::Role;
use serde_json::json;

use crate::support::{Client, TestServer, add, sign_in};

async fn path_of(client: &Client) -> String {
    let me = client.get("/api/v1/auth/me").await.json(200);
    format!("/api/v1/users/{}", me["user"]["id"].as_str().unwrap())
}

#[actix_web::test]
async fn members_are_listed_with_their_roles() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    server.tenant("globex").await;
    let page = tenant.viewer.get("/api/v1/users").await.json(200);
    let members: Vec<_> =
        page["data"].as_array().unwrap().iter().map(|user| (user["email"].clone(), user["role"].clone())).collect();
    let expected = ["viewer", "operator", "developer", "admin", "owner"]
        .map(|role| (json!(format!("{role}@acme.example")), json!(role)));
    assert_eq!(members, expected);
}

#[actix_web::test]
async fn nobody_grants_or_takes_more_than_they_hold() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let (owner, admin, viewer) =
        (path_of(&tenant.owner).await, path_of(&tenant.admin).await, path_of(&tenant.viewer).await);
    tenant.admin.patch(&viewer, json!({ "role": "owner" })).await.problem(403, "role_too_high");
    tenant.admin.patch(&owner, json!({ "role": "viewer" })).await.problem(403, "role_too_high");
    tenant.admin.delete(&owner).await.problem(403, "role_too_high");
    tenant.developer.patch(&viewer, json!({ "role": "developer" })).await.problem(403, "forbidden");
    let changed = tenant.admin.patch(&viewer, json!({ "role": "admin" })).await.json(200);
    assert_eq!(changed["role"], "admin");
    tenant.owner.patch(&admin, json!({ "role": "owner" })).await.expect(200);
}

#[actix_web::test]
async fn a_tenant_always_keeps_an_owner() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let owner = path_of(&tenant.owner).await;
    tenant.owner.patch(&owner, json!({ "role": "admin" })).await.problem(409, "last_owner");
    tenant.owner.delete(&owner).await.problem(409, "last_owner");

    add(&server, tenant.id, "second@acme.example", Role::Owner).await;
    let second = sign_in(&server, "second@acme.example").await;
    let second_path = path_of(&second).await;
    // Both resign at once: one of them must stay.
    let (one, two) = tokio::join!(tenant.owner.delete(&owner), second.delete(&second_path));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert_ne!(statuses[1], 204, "{statuses:?}");
}

#[actix_web::test]
async fn a_removed_member_is_out_at_once() {
    let server = TestServer::with(|config| config.auth.cache_seconds = 0).await;
    let tenant = server.tenant("acme").await;
    let developer = path_of(&tenant.developer).await;
    tenant.owner.delete(&developer).await.expect(204);
    tenant.developer.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    let login = json!({ "email": "developer@acme.example", "password": crate::support::PASSWORD });
    server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
    tenant.owner.delete(&developer).await.problem(404, "user_not_found");
}
