//! Requests that no client should send: each gets a problem with a stable code, and the server goes on.

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::json;

use crate::support::TestServer;

const KEYS: &str = "/api/v1/api-keys";

#[actix_web::test]
async fn bodies_that_are_not_json_are_refused() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(128), "]".repeat(128));
    for (body, code) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("{\"name\":\"a\"}}", "malformed_json"),
        ("{'name':1}", "malformed_json"),
        ("\u{feff}{}", "malformed_json"),
        (deep.as_str(), "nested_too_deep"),
    ] {
        let body = Bytes::copy_from_slice(body.as_bytes());
        tenant.owner.send_raw(Method::POST, KEYS, Some(("application/json", body))).await.problem(400, code);
    }
    let body = Bytes::from_static(b"{\"name\":\"\xc3\x28\"}");
    tenant.owner.send_raw(Method::POST, KEYS, Some(("application/json", body))).await.problem(400, "invalid_utf8");
}

#[actix_web::test]
async fn bodies_of_the_wrong_shape_are_refused_with_pointers() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    for (body, pointer) in [
        (json!([]), ""),
        (json!({}), "/name"),
        (json!({ "name": 1 }), "/name"),
        (json!({ "name": null }), "/name"),
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(121) }), "/name"),
        (json!({ "name": "a", "Name": "b" }), "/Name"),
        (json!({ "name": "a", "permissions": "workflows:read" }), "/permissions"),
        (json!({ "name": "a", "permissions": ["workflows:read", 7] }), "/permissions/1"),
        (json!({ "name": "a", "expiresAt": "tomorrow" }), "/expiresAt"),
    ] {
        if pointer == "/name" && body["name"] == "" {
            // Two rules break at once.
            tenant.owner.post(KEYS, body).await.problem_at(422, "invalid_body", &["/name", "/name"]);
        } else {
            tenant.owner.post(KEYS, body).await.problem_at(422, "invalid_body", &[pointer]);
        }
    }
}

#[actix_web::test]
async fn only_json_is_read() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let body = Bytes::from_static(b"{\"name\":\"a\"}");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "nonsense"] {
        let reply = tenant.owner.send_raw(Method::POST, KEYS, Some((content_type, body.clone()))).await;
        reply.problem(415, "unsupported_media_type");
    }
    tenant.owner.send_raw(Method::POST, KEYS, None).await.problem(415, "unsupported_media_type");
    for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"] {
        tenant.owner.send_raw(Method::POST, KEYS, Some((content_type, body.clone()))).await.expect(201);
    }
}

#[actix_web::test]
async fn bodies_over_the_limit_are_refused() {
    let server = TestServer::with(|config| config.server.body_limit_bytes = 2048).await;
    let tenant = server.tenant("acme").await;
    let body = json!({ "name": "x".repeat(4096) });
    tenant.owner.post(KEYS, body.clone()).await.problem(413, "body_too_large");
    tenant.owner.with("idempotency-key", "k").post(KEYS, body.clone()).await.problem(413, "body_too_large");
    // An announced size is looked at first, whoever announces it.
    server.visitor().with("content-length", "4096").post(KEYS, body).await.problem(413, "body_too_large");
}

#[actix_web::test]
async fn unknown_ids_and_paths_are_not_found() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    tenant.owner.delete(&format!("{KEYS}/{unknown}")).await.problem(404, "api_key_not_found");
    for id in ["x", "1", "..%2f..", "%00", &"9".repeat(3000)] {
        tenant.owner.delete(&format!("{KEYS}/{id}")).await.problem(404, "not_found");
    }
    for path in ["/nope", "/api/v1/nope", "/api/v2/workflows", "/api/v1/api-keys/"] {
        tenant.owner.get(path).await.problem(404, "route_not_found");
    }
    let reply = tenant.owner.send(Method::PUT, KEYS, None).await;
    assert_eq!(reply.header("allow"), Some("GET, POST"));
    reply.problem(405, "method_not_allowed");
}

#[actix_web::test]
async fn request_ids_are_echoed_when_well_formed() {
    let server = TestServer::start().await;
    let visitor = server.visitor();
    let reply = visitor.with("x-request-id", "abc-1.2_3").get("/nope").await;
    assert_eq!(reply.header("x-request-id"), Some("abc-1.2_3"));
    for odd in ["a b", &"x".repeat(129), "<script>"] {
        let reply = visitor.with("x-request-id", odd).get("/nope").await;
        assert_ne!(reply.header("x-request-id"), Some(odd));
        reply.problem(404, "route_not_found");
    }
}

/// What the framework says itself gives way to a problem, whatever the caller would have had it packed in.
#[actix_web::test]
async fn problems_are_not_announced_as_packed() {
    let server = TestServer::start().await;
    let visitor = server.visitor().with("accept-encoding", "gzip");
    let form = ("application/x-www-form-urlencoded", Bytes::from_static(b"state=1&state=2"));
    let path = "/api/v1/credentials/oauth/callback";
    let refused = visitor.send_raw(Method::POST, path, Some(form)).await;
    assert_eq!(refused.header("content-encoding"), None);
    refused.problem(400, "bad_request");
}
