//! The audit log as it is read.

use serde_json::json;

use crate::support::TestServer;

#[actix_web::test]
async fn events_say_who_did_what_from_where() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let me = tenant.admin.get("/api/v1/auth/me").await.json(200);
    let admin = tenant.admin.with("x-request-id", "req-42");
    admin.patch("/api/v1/tenants/current", json!({ "name": "Renamed" })).await.expect(200);
    let event = &tenant.audit().await[0];
    for (field, expected) in [
        ("actorKind", json!("user")),
        ("userId", me["user"]["id"].clone()),
        ("apiKeyId", json!(null)),
        ("action", json!("tenant.update")),
        ("resourceKind", json!("tenant")),
        ("resourceId", json!(tenant.id)),
        ("address", json!("203.0.113.7")),
        ("requestId", json!("req-42")),
        ("occurredAt", json!("2025-01-31T08:00:00.000Z")),
    ] {
        assert_eq!(event[field], expected, "{field}");
    }
    tenant.api_key.patch("/api/v1/tenants/current", json!({ "name": "Again" })).await.expect(200);
    let event = &tenant.audit().await[0];
    assert_eq!(event["actorKind"], "apiKey");
    assert!(event["apiKeyId"].is_string() && event["userId"].is_string());
}

#[actix_web::test]
async fn events_are_numbered_without_gaps_even_under_concurrency() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let changes = (0..20)
        .map(|number| tenant.owner.patch("/api/v1/tenants/current", json!({ "name": format!("name {number}") })));
    for reply in futures_util::future::join_all(changes).await {
        reply.expect(200);
    }
    // A refused change leaves no number behind.
    tenant.owner.patch("/api/v1/tenants/current", json!({ "hosts": ["a b"] })).await.expect(422);
    let events = tenant.audit().await;
    let mut numbers: Vec<_> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=u64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
}

#[actix_web::test]
async fn events_are_filtered_and_tenants_see_their_own() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let page = acme.owner.get("/api/v1/audit?action=user.login").await.json(200);
    let events = page["data"].as_array().unwrap();
    assert_eq!(events.len(), 4, "four members signed in");
    assert!(events.iter().all(|event| event["action"] == "user.login"));
    let path = format!("/api/v1/audit?resourceId={}", globex.id);
    assert_eq!(acme.owner.get(&path).await.json(200)["data"], json!([]));
    assert_eq!(globex.owner.get(&path).await.json(200)["data"][0]["action"], "tenant.create");
    acme.owner.get("/api/v1/audit?nonsense=1").await.problem_at(422, "invalid_query", &["?nonsense"]);
    acme.owner.get("/api/v1/audit?limit=0").await.problem(422, "invalid_query");
    acme.owner.get("/api/v1/audit?cursor=forged").await.problem(422, "invalid_query");
}

#[actix_web::test]
async fn failed_sign_ins_are_recorded_in_every_tenant_of_the_account() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let login = json!({ "email": "owner@acme.example", "password": "wrong horse battery" });
    server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
    let path = "/api/v1/audit?action=user.loginFailed";
    let mut found = json!(null);
    for _ in 0..200 {
        found = acme.owner.get(path).await.json(200)["data"].clone();
        if found != json!([]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let me = acme.owner.get("/api/v1/auth/me").await.json(200);
    assert_eq!(found[0]["resourceId"], me["user"]["id"], "{found}");
    assert_eq!(globex.owner.get(path).await.json(200)["data"], json!([]));
}
