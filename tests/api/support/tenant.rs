//! A tenant and the people in it.

use millrace::common::{Ctx, TenantId, UserId};
use millrace::domains::users::{Email, NewUser, Role};
use serde_json::{Value, json};

use super::client::Client;
use super::server::TestServer;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A tenant with a member of each role.
pub(crate) struct TestTenant {
    pub(crate) id: TenantId,
    pub(crate) slug: String,
    pub(crate) owner: Client,
    pub(crate) admin: Client,
    pub(crate) developer: Client,
    pub(crate) operator: Client,
    pub(crate) viewer: Client,
    /// Holds everything its maker, the owner, may do.
    pub(crate) api_key: Client,
}

impl TestTenant {
    pub(super) async fn create(server: &TestServer, name: &str) -> TestTenant {
        let register = json!({
            "email": email(Role::Owner, name), "password": PASSWORD, "name": "owner", "tenantName": name
        });
        let session = server.visitor().post("/api/v1/auth/register", register).await.json(201);
        let owner = server.bearer(session["accessToken"].as_str().unwrap());
        let me = owner.get("/api/v1/auth/me").await.json(200);
        let id = me["tenant"]["id"].as_str().unwrap().parse().unwrap();
        let key = owner.post("/api/v1/api-keys", json!({ "name": "all" })).await.json(201);
        TestTenant {
            id,
            slug: me["tenant"]["slug"].as_str().unwrap().to_owned(),
            admin: member(server, id, name, Role::Admin).await,
            developer: member(server, id, name, Role::Developer).await,
            operator: member(server, id, name, Role::Operator).await,
            viewer: member(server, id, name, Role::Viewer).await,
            api_key: server.visitor().with("x-api-key", key["key"].as_str().unwrap()),
            owner,
        }
    }

    /// The member with this role.
    pub(crate) fn member(&self, role: Role) -> &Client {
        match role {
            Role::Viewer => &self.viewer,
            Role::Operator => &self.operator,
            Role::Developer => &self.developer,
            Role::Admin => &self.admin,
            Role::Owner => &self.owner,
        }
    }

    /// A client with an API key that holds just these permissions.
    pub(crate) async fn key_with(&self, server: &TestServer, permissions: &[&str]) -> Client {
        let body = json!({ "name": "some", "permissions": permissions });
        let key = self.owner.post("/api/v1/api-keys", body).await.json(201);
        server.visitor().with("x-api-key", key["key"].as_str().unwrap())
    }

    /// The tenant's audit log, newest first.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        let page = self.owner.get("/api/v1/audit?limit=250").await.json(200);
        page["data"].as_array().unwrap().clone()
    }
}

/// The address of the tenant's member with this role.
pub(crate) fn email(role: Role, tenant: &str) -> String {
    format!("{role}@{tenant}.example")
}

async fn member(server: &TestServer, tenant: TenantId, name: &str, role: Role) -> Client {
    add(server, tenant, &email(role, name), role).await;
    sign_in(server, &email(role, name)).await
}

/// Makes an account and a membership, as an accepted invitation does.
pub(crate) async fn add(server: &TestServer, tenant: TenantId, email: &str, role: Role) -> UserId {
    let ctx = Ctx::system(tenant);
    let password_hash = server.hash(PASSWORD).await;
    let new = NewUser { email: Email::new(email), name: role.to_string(), password_hash };
    let transaction = server.app.database.begin(tenant).await.unwrap();
    let user = server.app.users.create(&transaction, new).await.unwrap();
    server.app.users.join(&transaction, &ctx, &user, role).await.unwrap();
    transaction.commit().await.unwrap();
    user.id
}

pub(crate) async fn sign_in(server: &TestServer, email: &str) -> Client {
    let login = json!({ "email": email, "password": PASSWORD });
    let session = server.visitor().post("/api/v1/auth/login", login).await.json(200);
    server.bearer(session["accessToken"].as_str().unwrap())
}

/// Somebody who administers the platform: the owner of the tenant "platform".
pub(crate) async fn administrator(server: &TestServer) -> Client {
    let register = json!({ "email": "owner@platform.example", "password": PASSWORD, "tenantName": "platform" });
    let session = server.visitor().post("/api/v1/auth/register", register).await.json(201);
    let client = server.bearer(session["accessToken"].as_str().unwrap());
    let me = client.get("/api/v1/auth/me").await.json(200);
    let tenant: TenantId = me["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let (user, _) = server.app.users.find_by_email(&Email::new("owner@platform.example")).await.unwrap().unwrap();
    let transaction = server.app.database.begin(tenant).await.unwrap();
    server.app.users.appoint(&transaction, &Ctx::system(tenant), user).await.unwrap();
    transaction.commit().await.unwrap();
    client
}
