//! What browsers are told: which pages may call the API, and what they must not do with its answers.

use actix_web::http::Method;

use crate::support::{Client, Reply, TestServer};

const ME: &str = "/api/v1/auth/me";
const OURS: &str = "https://app.acme.example";

async fn server(origins: &[&str]) -> TestServer {
    let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    TestServer::with(|config| config.server.cors_origins = origins).await
}

async fn preflight(client: &Client, origin: &str) -> Reply {
    let client = client.with("origin", origin).with("access-control-request-method", "POST");
    client.with("access-control-request-headers", "authorization,content-type").send(Method::OPTIONS, ME, None).await
}

#[actix_web::test]
async fn pages_of_listed_origins_may_call() {
    let server = server(&[OURS]).await;
    let reply = preflight(&server.visitor(), OURS).await.expect(200);
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS));
    let allowed = reply.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    // Refusals can be read by the page, too.
    let reply = server.visitor().with("origin", OURS).get(ME).await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS));
    assert!(reply.header("access-control-expose-headers").unwrap().contains("ratelimit-remaining"));
    reply.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn refusals_before_the_handler_can_be_read_too() {
    let server = TestServer::with(|config| {
        config.server.cors_origins = vec![OURS.to_owned()];
        config.limits.anonymous_requests_per_minute = 1;
    })
    .await;
    let page = server.visitor().with("origin", OURS);
    page.get(ME).await.problem(401, "unauthenticated");
    let reply = page.get(ME).await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS));
    reply.problem(429, "too_many_requests");
}

#[actix_web::test]
async fn pages_of_other_origins_may_not() {
    for origins in [&[][..], &[OURS]] {
        let server = server(origins).await;
        let reply = preflight(&server.visitor(), "https://evil.example").await;
        assert_eq!(reply.header("access-control-allow-origin"), None);
        reply.problem(400, "bad_request");
        let reply = server.visitor().with("origin", "https://evil.example").get(ME).await;
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[actix_web::test]
async fn every_origin_may_call_where_the_operator_says_so() {
    let server = server(&["*"]).await;
    let reply = preflight(&server.visitor(), "https://any.example").await.expect(200);
    assert!(reply.header("access-control-allow-origin").is_some());
}

#[actix_web::test]
async fn answers_carry_protective_headers() {
    let server = TestServer::start().await;
    for path in [ME, "/health/live", "/nope"] {
        let reply = server.visitor().get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-site"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
        assert_eq!(reply.header("strict-transport-security"), None, "{path}");
    }
    // Swagger UI is a page with scripts and styles of its own.
    let page = server.visitor().get("/api-docs/").await.expect(200);
    assert_eq!(page.header("content-security-policy"), None);
}

#[actix_web::test]
async fn browsers_keep_to_https_where_the_server_is_known_by_it() {
    let server = TestServer::with(|config| config.server.public_url = "https://flows.acme.example".to_owned()).await;
    let reply = server.visitor().get("/health/live").await;
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"));
}
