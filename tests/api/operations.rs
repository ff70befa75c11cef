//! What operators and newcomers ask first.

use serde_json::json;

use crate::support::TestServer;

#[actix_web::test]
async fn health_names_every_dependency() {
    let server = TestServer::start().await;
    assert_eq!(server.visitor().get("/health/live").await.json(200), json!({ "status": "ok" }));
    let ready = server.visitor().get("/health/ready").await.json(200);
    let ok = json!({ "status": "ok" });
    assert_eq!(ready, json!({ "status": "ok", "checks": { "cache": ok, "database": ok, "queue": ok } }));
}

#[actix_web::test]
async fn a_dependency_that_is_away_shows_as_unready() {
    let server = TestServer::with(|config| {
        // A port nothing listens on.
        config.cache.url = millrace::common::Secret::new("redis://127.0.0.1:1".to_owned());
    })
    .await;
    let ready = server.visitor().get("/health/ready").await.json(503);
    assert_eq!((&ready["status"], &ready["checks"]["cache"]["status"]), (&json!("unavailable"), &json!("unavailable")));
    assert_eq!(ready["checks"]["database"]["status"], "ok");
    server.visitor().get("/health/live").await.expect(200);
    let login = json!({ "email": "a@b.example", "password": "x" });
    server.visitor().post("/api/v1/auth/login", login).await.problem(503, "cache_unavailable");
}

#[actix_web::test]
async fn requests_are_measured_by_route() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    tenant.owner.delete("/api/v1/api-keys/01890a5d-ac96-774b-bcce-b302099a8057").await.expect(404);
    let reply = server.visitor().get("/metrics").await.expect(200);
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.contains("route=\"/api/v1/api-keys/{id}\""), "{text}");
    assert!(!text.contains("01890a5d"));
}

#[actix_web::test]
async fn metrics_can_be_switched_off() {
    let server = TestServer::with(|config| config.metrics.enabled = false).await;
    server.visitor().get("/metrics").await.problem(404, "route_not_found");
}

#[actix_web::test]
async fn the_root_leads_to_the_documentation() {
    let server = TestServer::start().await;
    for path in ["/", "/api-docs"] {
        let reply = server.visitor().get(path).await.expect(302);
        assert_eq!(reply.header("location"), Some("/api-docs/"));
    }
    let page = server.visitor().get("/api-docs/").await.expect(200);
    assert!(String::from_utf8_lossy(&page.body).contains("swagger-ui"));
    let document = server.visitor().get("/api-docs/openapi.json").await.json(200);
    assert_eq!(document["info"]["title"], "Millrace");
}
