//! Roles that tenants make of permissions.

use millrace::common::Permission;
use serde_json::{Value, json};

use crate::support::{Client, TestServer, TestTenant};

async fn make(client: &Client, name: &str, permissions: &[&str]) -> Value {
    client.post("/api/v1/roles", json!({ "name": name, "permissions": permissions })).await.json(201)
}

async fn id_of(client: &Client) -> String {
    client.get("/api/v1/auth/me").await.json(200)["user"]["id"].as_str().unwrap().to_owned()
}

/// Gives a member a role.
async fn give(tenant: &TestTenant, member: &Client, role: &Value) {
    let path = format!("/api/v1/users/{}", id_of(member).await);
    let changed = tenant.owner.patch(&path, json!({ "customRoleId": role["id"] })).await.json(200);
    assert_eq!(changed["customRoleId"], role["id"]);
}

#[actix_web::test]
async fn a_role_allows_what_it_names_and_nothing_else() {
    let server = TestServer::with(|config| config.auth.cache_seconds = 0).await;
    let acme = server.tenant("acme").await;
    let role = make(&acme.admin, "auditor", &["audit:read", "tenant:read"]).await;
    give(&acme, &acme.developer, &role).await;
    acme.developer.get("/api/v1/audit").await.expect(200);
    acme.developer.get("/api/v1/workflows").await.problem(403, "forbidden");
    let me = acme.developer.get("/api/v1/auth/me").await.json(200);
    assert_eq!(me["permissions"], json!(["tenant:read", "audit:read"]));
    let path = format!("/api/v1/roles/{}", role["id"].as_str().unwrap());
    acme.admin.patch(&path, json!({ "permissions": ["tenant:read", "workflows:read"] })).await.expect(200);
    acme.developer.get("/api/v1/audit").await.problem(403, "forbidden");
    acme.developer.get("/api/v1/workflows").await.expect(200);
    acme.admin.delete(&path).await.problem(409, "role_in_use");
    let member = format!("/api/v1/users/{}", id_of(&acme.developer).await);
    acme.owner.patch(&member, json!({ "role": "developer" })).await.expect(200);
    acme.admin.delete(&path).await.expect(204);
    acme.admin.delete(&path).await.problem(404, "role_not_found");
}

#[actix_web::test]
async fn roles_are_listed_with_what_they_allow() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    make(&acme.admin, "releaser", &["workflows:activate"]).await;
    let roles = acme.viewer.get("/api/v1/roles").await.json(200);
    let names: Vec<_> = roles["data"].as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
    assert_eq!(names, ["viewer", "operator", "developer", "admin", "owner", "releaser"]);
    assert_eq!(roles["data"][4]["permissions"].as_array().unwrap().len(), Permission::ALL.len());
}

#[actix_web::test]
async fn nobody_puts_into_a_role_or_gives_what_they_lack() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let post = async |client: &Client, name: &str, permissions: &[&str]| {
        client.post("/api/v1/roles", json!({ "name": name, "permissions": permissions })).await
    };
    post(&acme.admin, "heir", &["tenant:delete"]).await.problem(403, "beyond_own_permissions");
    post(&acme.developer, "x", &["workflows:read"]).await.problem(403, "forbidden");
    let mighty = make(&acme.owner, "heir", &["tenant:delete"]).await;
    let path = format!("/api/v1/roles/{}", mighty["id"].as_str().unwrap());
    acme.admin.patch(&path, json!({ "name": "harmless" })).await.problem(403, "role_too_high");
    acme.admin.delete(&path).await.problem(403, "role_too_high");
    let viewer = format!("/api/v1/users/{}", id_of(&acme.viewer).await);
    let body = json!({ "customRoleId": mighty["id"] });
    acme.admin.patch(&viewer, body.clone()).await.problem(403, "role_too_high");
    acme.owner.patch(&viewer, body).await.expect(200);
    acme.admin.patch(&viewer, json!({ "role": "viewer" })).await.problem(403, "role_too_high");
    let owner = format!("/api/v1/users/{}", id_of(&acme.owner).await);
    let body = json!({ "customRoleId": mighty["id"] });
    acme.owner.patch(&owner, body).await.problem(409, "last_owner");
}

#[actix_web::test]
async fn roles_belong_to_their_tenant_and_have_names_of_their_own() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let role = make(&acme.owner, "releaser", &["workflows:activate"]).await;
    let again = json!({ "name": "releaser", "permissions": ["workflows:read"] });
    acme.owner.post("/api/v1/roles", again.clone()).await.problem(409, "role_name_taken");
    globex.owner.post("/api/v1/roles", again).await.expect(201);
    for (name, permissions, pointer) in [
        ("Owner", json!(["workflows:read"]), "/name"),
        (" ", json!(["workflows:read"]), "/name"),
        ("аdmin", json!(["workflows:read"]), "/name"),
        ("x", json!([]), "/permissions"),
        ("x", json!(["root:all"]), "/permissions/0"),
    ] {
        let body = json!({ "name": name, "permissions": permissions });
        acme.owner.post("/api/v1/roles", body).await.problem_at(422, "invalid_body", &[pointer]);
    }
    let viewer = format!("/api/v1/users/{}", id_of(&globex.viewer).await);
    globex.owner.patch(&viewer, json!({ "customRoleId": role["id"] })).await.problem(404, "role_not_found");
    let invited = json!({ "email": "a@b.example", "customRoleId": role["id"] });
    globex.owner.post("/api/v1/invitations", invited).await.problem(404, "role_not_found");
}
