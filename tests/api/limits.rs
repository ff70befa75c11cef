//! How often one may ask: each limit is hit, by whom it is meant for, and nobody else is slowed down.

use std::time::Duration;

use serde_json::json;

use crate::support::{Client, Reply, TestServer};

const ME: &str = "/api/v1/auth/me";

/// Asks until it is refused; gives the refusal and how often it was answered before.
async fn until_refused(client: &Client) -> (Reply, u64) {
    let mut answered = 0;
    loop {
        let reply = client.get(ME).await;
        if reply.status == 429 {
            return (reply, answered);
        }
        reply.expect(200);
        answered += 1;
        assert!(answered < 100, "there is no limit");
    }
}

fn rate(reply: &Reply) -> [&str; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| reply.header(name).unwrap_or_default())
}

#[actix_web::test]
async fn a_tenant_has_an_allowance() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 20).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let (refused, _) = until_refused(&acme.viewer).await;
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(rate(&refused), ["20", "0", "60"]);
    refused.problem(429, "too_many_requests");
    acme.owner.get(ME).await.problem(429, "too_many_requests");
    globex.viewer.get(ME).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(rate(&acme.viewer.get(ME).await.expect(200)), ["20", "19", "60"]);
}

/// Where there is Redis, no process is a way around what another has counted.
#[actix_web::test]
async fn limits_and_lockouts_hold_for_all_processes_together() {
    if std::env::var("MILLRACE_TEST_REDIS_URL").is_err() || std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let server = TestServer::with(|config| {
        config.limits.anonymous_requests_per_minute = 10;
        config.auth.max_failures_per_account = 2;
    })
    .await;
    server.tenant("acme").await;
    server.clock.advance(Duration::from_secs(60));
    let elsewhere = server.visitor_of_a_replica().await;
    let wrong = json!({ "email": "owner@acme.example", "password": "wrong horse battery" });
    server.visitor().post("/api/v1/auth/login", wrong.clone()).await.problem(401, "wrong_login");
    elsewhere.post("/api/v1/auth/login", wrong.clone()).await.problem(401, "wrong_login");
    for client in [server.visitor(), elsewhere.clone()] {
        client.post("/api/v1/auth/login", wrong.clone()).await.problem(429, "locked_out");
    }
    for _ in 0..3 {
        server.visitor().get("/.well-known/jwks.json").await.expect(200);
        elsewhere.get("/.well-known/jwks.json").await.expect(200);
    }
    elsewhere.get("/.well-known/jwks.json").await.problem(429, "too_many_requests");
}

/// Pages, and what else strangers may read, are no way around.
#[actix_web::test]
async fn pages_count_as_requests() {
    let server = TestServer::with(|config| config.limits.anonymous_requests_per_minute = 6).await;
    for path in [
        "/account/reset-password",
        "/account/account.js",
        "/invitations/accept",
        "/connect/mrc_unknown",
        "/.well-known/jwks.json",
    ] {
        let reply = server.visitor().get(path).await;
        assert_eq!(reply.header("ratelimit-limit"), Some("6"), "{path}: {reply:?}");
    }
    server.visitor().get("/account/verify-email").await.expect(200);
    server.visitor().get("/account/verify-email").await.problem(429, "too_many_requests");
    server.visitor().get("/.well-known/jwks.json").await.problem(429, "too_many_requests");
    server.visitor().get("/health/live").await.expect(200);
}

/// A key may be given less than others have, never more.
#[actix_web::test]
async fn a_keys_own_limit_is_within_the_operators() {
    let server = TestServer::with(|config| config.limits.api_key_requests_per_minute = 5).await;
    let acme = server.tenant("acme").await;
    let body = json!({ "name": "x", "requestsPerMinute": 50 });
    let made = acme.owner.post("/api/v1/api-keys", body).await.json(201);
    let (_, answered) = until_refused(&server.bearer(made["key"].as_str().unwrap())).await;
    assert_eq!(answered, 5);
}

#[actix_web::test]
async fn a_person_has_an_allowance() {
    let server = TestServer::with(|config| config.limits.user_requests_per_minute = 5).await;
    let acme = server.tenant("acme").await;
    server.clock.advance(Duration::from_secs(15));
    let (refused, answered) = until_refused(&acme.viewer).await;
    assert_eq!((answered, rate(&refused)), (5, ["5", "0", "45"]));
    acme.developer.get(ME).await.expect(200);
}

#[actix_web::test]
async fn an_api_key_has_an_allowance() {
    let server = TestServer::with(|config| config.limits.api_key_requests_per_minute = 5).await;
    let acme = server.tenant("acme").await;
    let other = acme.key_with(&server, &["workflows:read"]).await;
    let (refused, answered) = until_refused(&acme.api_key).await;
    assert_eq!((answered, rate(&refused)), (5, ["5", "0", "60"]));
    other.get(ME).await.expect(200);
    acme.owner.get(ME).await.expect(200);
}

#[actix_web::test]
async fn an_address_has_an_allowance_whoever_asks() {
    let server = TestServer::with(|config| {
        config.limits.address_requests_per_minute = 30;
        config.server.trusted_proxies = vec!["203.0.113.7/32".parse().unwrap()];
    })
    .await;
    let acme = server.tenant("acme").await;
    let there = acme.viewer.with("x-forwarded-for", "198.51.100.1");
    let (refused, answered) = until_refused(&there).await;
    assert_eq!((answered, rate(&refused)), (30, ["30", "0", "60"]));
    acme.owner.with("x-forwarded-for", "198.51.100.1").get(ME).await.problem(429, "too_many_requests");
    acme.viewer.with("x-forwarded-for", "198.51.100.2").get(ME).await.expect(200);
}

#[actix_web::test]
async fn strangers_have_an_allowance_by_address() {
    let server = TestServer::with(|config| config.limits.anonymous_requests_per_minute = 3).await;
    let login = json!({ "email": "a@b.example", "password": "x" });
    for remaining in ["2", "1", "0"] {
        let reply = server.visitor().post("/api/v1/auth/login", login.clone()).await;
        assert_eq!(rate(&reply), ["3", remaining, "60"]);
        reply.problem(401, "wrong_login");
    }
    server.visitor().post("/api/v1/auth/login", login).await.problem(429, "too_many_requests");
    // Forged credentials make nobody a known caller.
    server.bearer("forged").get(ME).await.problem(429, "too_many_requests");
}

#[actix_web::test]
async fn size_comes_before_credentials_and_credentials_before_limits() {
    let server = TestServer::with(|config| {
        config.server.body_limit_bytes = 2048;
        config.limits.user_requests_per_minute = 3;
    })
    .await;
    let acme = server.tenant("acme").await;
    until_refused(&acme.viewer).await;
    // Too large, forged and over the limit: the size is told, and costs nothing of the allowance.
    server.bearer("forged").with("content-length", "4096").get(ME).await.problem(413, "body_too_large");
    acme.viewer.with("content-length", "4096").get(ME).await.problem(413, "body_too_large");
    // Forged credentials are told before anybody's limit.
    server.bearer("forged").get(ME).await.problem(401, "invalid_token");
    acme.viewer.get(ME).await.problem(429, "too_many_requests");
}

#[actix_web::test]
async fn without_limits_no_headers_promise_any() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let acme = server.tenant("acme").await;
    let reply = acme.viewer.get(ME).await.expect(200);
    assert_eq!(rate(&reply), ["", "", ""]);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
