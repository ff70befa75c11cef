//! API keys: what they allow, and when they stop.

use std::time::Duration;

use serde_json::json;

use crate::support::TestServer;

#[actix_web::test]
async fn a_key_is_shown_once_and_accepted_in_three_places() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let reply = tenant.developer.post("/api/v1/api-keys", json!({ "name": "deploy" })).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let created = reply.json(201);
    let key = created["key"].as_str().unwrap();
    assert!(key.starts_with(created["prefix"].as_str().unwrap()));
    for client in
        [server.visitor().with("x-api-key", key), server.visitor().with("x-n8n-api-key", key), server.bearer(key)]
    {
        let me = client.get("/api/v1/auth/me").await.json(200);
        assert_eq!((&me["apiKeyId"], &me["role"]), (&created["id"], &json!("developer")));
    }
    let list = tenant.owner.get("/api/v1/api-keys").await.expect(200);
    let text = String::from_utf8(list.body.to_vec()).unwrap();
    assert!(text.contains("deploy") && !text.contains(key), "{text}");
    let audit = serde_json::to_string(&tenant.audit().await).unwrap();
    assert!(audit.contains("apiKey.create") && !audit.contains(key));
}

#[actix_web::test]
async fn a_key_holds_what_it_was_given_and_its_maker_has() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let beyond = json!({ "name": "x", "permissions": ["audit:read", "workflows:read"] });
    tenant.developer.post("/api/v1/api-keys", beyond).await.problem_at(
        403,
        "beyond_own_permissions",
        &["/permissions"],
    );
    let unknown = json!({ "name": "x", "permissions": ["workflows:fly"] });
    tenant.developer.post("/api/v1/api-keys", unknown).await.problem_at(422, "invalid_body", &["/permissions/0"]);
    let none = json!({ "name": "x", "permissions": [] });
    tenant.developer.post("/api/v1/api-keys", none).await.problem_at(422, "invalid_body", &["/permissions"]);

    let key = tenant.key_with(&server, &["tenant:read", "apiKeys:write"]).await;
    key.get("/api/v1/tenants/current").await.expect(200);
    key.get("/api/v1/audit").await.problem(403, "forbidden");
    // A key cannot make a stronger key.
    let stronger = json!({ "name": "x", "permissions": ["audit:read"] });
    key.post("/api/v1/api-keys", stronger).await.problem(403, "beyond_own_permissions");
}

#[actix_web::test]
async fn a_key_loses_what_its_maker_loses() {
    let server = TestServer::with(|config| config.auth.cache_seconds = 0).await;
    let tenant = server.tenant("acme").await;
    let me = tenant.admin.get("/api/v1/auth/me").await.json(200);
    let created = tenant.admin.post("/api/v1/api-keys", json!({ "name": "x" })).await.json(201);
    let key = server.visitor().with("x-api-key", created["key"].as_str().unwrap());
    key.get("/api/v1/audit").await.expect(200);
    let path = format!("/api/v1/users/{}", me["user"]["id"].as_str().unwrap());
    tenant.owner.patch(&path, json!({ "role": "viewer" })).await.expect(200);
    key.get("/api/v1/audit").await.problem(403, "forbidden");
    key.get("/api/v1/tenants/current").await.expect(200);
    tenant.owner.delete(&path).await.expect(204);
    key.get("/api/v1/tenants/current").await.problem(401, "invalid_api_key");
}

#[actix_web::test]
async fn a_key_ends_by_deletion_and_by_age() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let past = json!({ "name": "x", "expiresAt": "2025-01-31T07:59:59Z" });
    tenant.owner.post("/api/v1/api-keys", past).await.problem_at(422, "invalid_body", &["/expiresAt"]);
    let body = json!({ "name": "x", "expiresAt": "2025-01-31T08:01:00Z" });
    let created = tenant.owner.post("/api/v1/api-keys", body).await.json(201);
    let key = server.visitor().with("x-api-key", created["key"].as_str().unwrap());
    key.get("/api/v1/auth/me").await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    key.get("/api/v1/auth/me").await.problem(401, "invalid_api_key");

    let created = tenant.owner.post("/api/v1/api-keys", json!({ "name": "y" })).await.json(201);
    let key = server.visitor().with("x-api-key", created["key"].as_str().unwrap());
    key.get("/api/v1/auth/me").await.expect(200);
    let path = format!("/api/v1/api-keys/{}", created["id"].as_str().unwrap());
    tenant.owner.delete(&path).await.expect(204);
    key.get("/api/v1/auth/me").await.problem(401, "invalid_api_key");
    tenant.owner.delete(&path).await.problem(404, "api_key_not_found");
}

#[actix_web::test]
async fn the_last_use_is_noted() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let created = tenant.owner.post("/api/v1/api-keys", json!({ "name": "x" })).await.json(201);
    assert_eq!(created["lastUsedAt"], json!(null));
    let key = server.visitor().with("x-api-key", created["key"].as_str().unwrap());
    key.get("/api/v1/auth/me").await.expect(200);
    for _ in 0..100 {
        let page = tenant.owner.get("/api/v1/api-keys?limit=1").await.json(200);
        assert_eq!(page["data"][0]["id"], created["id"]);
        if page["data"][0]["lastUsedAt"] == "2025-01-31T08:00:00.000Z" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the use was not noted");
}

#[actix_web::test]
async fn lists_are_pages() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    for number in 0..4 {
        tenant.owner.post("/api/v1/api-keys", json!({ "name": format!("key {number}") })).await.expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/api-keys?limit=2".to_owned();
    loop {
        let page = tenant.owner.get(&path).await.json(200);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2);
        names.extend(rows.iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/api/v1/api-keys?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["key 3", "key 2", "key 1", "key 0", "all"]);
}

#[actix_web::test]
async fn a_key_makes_none_that_is_worth_more() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let body = json!({ "name": "short", "expiresAt": "2025-02-01T08:00:00.000Z", "requestsPerMinute": 30 });
    let made = acme.owner.post("/api/v1/api-keys", body).await.json(201);
    let short = server.bearer(made["key"].as_str().unwrap());
    for (wanted, expires_at, limit) in [
        (json!({ "name": "a" }), "2025-02-01T08:00:00.000Z", 30),
        (
            json!({ "name": "b", "expiresAt": "2026-01-01T00:00:00.000Z", "requestsPerMinute": 500 }),
            "2025-02-01T08:00:00.000Z",
            30,
        ),
        (
            json!({ "name": "c", "expiresAt": "2025-01-31T09:00:00.000Z", "requestsPerMinute": 5 }),
            "2025-01-31T09:00:00.000Z",
            5,
        ),
    ] {
        let made = short.post("/api/v1/api-keys", wanted).await.json(201);
        assert_eq!((&made["expiresAt"], &made["requestsPerMinute"]), (&json!(expires_at), &json!(limit)), "{made}");
    }
}
