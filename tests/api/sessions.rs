//! Logins: refresh tokens that are copied, lists, ends; and the keys that sign.

use std::time::Duration;

use millrace::domains::users::Role;
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Reply, TestServer, email};

const ME: &str = "/api/v1/auth/me";
const SESSIONS: &str = "/api/v1/auth/sessions";

async fn login(server: &TestServer) -> Value {
    let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
    server.visitor().with("user-agent", "test/1").post("/api/v1/auth/login", login).await.json(200)
}

async fn refresh(server: &TestServer, session: &Value) -> Reply {
    server.visitor().post("/api/v1/auth/refresh", json!({ "refreshToken": session["refreshToken"] })).await
}

fn bearer(server: &TestServer, session: &Value) -> Client {
    server.bearer(session["accessToken"].as_str().unwrap())
}

#[actix_web::test]
async fn a_refresh_token_used_again_ends_the_login() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let first = login(&server).await;
    let second = refresh(&server, &first).await.json(200);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let signed_in = bearer(&server, &second);
    signed_in.get(ME).await.expect(200);

    server.clock.advance(Duration::from_secs(10));
    refresh(&server, &first).await.problem(401, "invalid_refresh_token");
    refresh(&server, &second).await.problem(401, "invalid_refresh_token");
    signed_in.get(ME).await.problem(401, "invalid_token");
    let actions: Vec<_> = tenant.audit().await.into_iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions[..2], ["session.tokenReuse", "session.refresh"]);
}

#[actix_web::test]
async fn the_last_token_but_one_is_forgiven_for_a_moment() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let first = login(&server).await;
    let second = refresh(&server, &first).await.json(200);
    server.clock.advance(Duration::from_secs(9));
    let again = refresh(&server, &first).await.json(200);
    assert_eq!(again["refreshToken"], second["refreshToken"], "there is one present token, whoever asks");
    // Once the present one was used, its predecessor's predecessor is a copy, however young.
    let third = refresh(&server, &second).await.json(200);
    refresh(&server, &first).await.problem(401, "invalid_refresh_token");
    refresh(&server, &third).await.problem(401, "invalid_refresh_token");
}

#[actix_web::test]
async fn racing_refreshes_get_the_same_next_token() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let session = login(&server).await;
    let racing = (0..4).map(|_| refresh(&server, &session));
    let answers: Vec<Value> =
        futures_util::future::join_all(racing).await.into_iter().map(|reply| reply.json(200)).collect();
    assert!(answers.iter().all(|answer| answer["refreshToken"] == answers[0]["refreshToken"]), "{answers:?}");
    for answer in &answers {
        bearer(&server, answer).get(ME).await.expect(200);
    }
    let refreshed = tenant.audit().await.iter().filter(|event| event["action"] == "session.refresh").count();
    assert_eq!(refreshed, 1);
    refresh(&server, &answers[0]).await.expect(200);
}

#[actix_web::test]
async fn logins_are_listed_and_ended_by_their_owner() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let (kept, ended) = (login(&server).await, login(&server).await);
    let (kept_client, ended_client) = (bearer(&server, &kept), bearer(&server, &ended));
    refresh(&server, &kept).await.expect(200);
    let page = kept_client.get(SESSIONS).await.json(200);
    let rows = page["data"].as_array().unwrap();
    // The registration and the two logins; nobody else's.
    assert_eq!(rows.len(), 3, "{page}");
    assert_eq!((&rows[0]["current"], &rows[1]["current"]), (&json!(false), &json!(true)));
    assert_eq!((&rows[1]["method"], &rows[1]["address"]), (&json!("password"), &json!("203.0.113.7")));
    assert_eq!((&rows[1]["userAgent"], rows[1]["refreshedAt"].is_string()), (&json!("test/1"), true));

    let path = format!("{SESSIONS}/{}", rows[0]["id"].as_str().unwrap());
    tenant.admin.delete(&path).await.problem(404, "session_not_found");
    kept_client.delete(&path).await.expect(204);
    ended_client.get(ME).await.problem(401, "invalid_token");
    refresh(&server, &ended).await.problem(401, "invalid_refresh_token");
    kept_client.delete(&path).await.problem(404, "session_not_found");
    assert_eq!(kept_client.get(SESSIONS).await.json(200)["data"].as_array().unwrap().len(), 2);
    tenant.api_key.get(SESSIONS).await.problem(403, "person_needed");
}

#[actix_web::test]
async fn signing_out_everywhere_ends_every_login() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let address = millrace::domains::users::Email::new("owner@acme.example");
    let (user, _) = server.app.users.find_by_email(&address).await.unwrap().unwrap();
    let transaction = server.app.database.begin(globex.id).await.unwrap();
    let ctx = millrace::common::Ctx::system(globex.id);
    server.app.users.join(&transaction, &ctx, &user, Role::Viewer).await.unwrap();
    transaction.commit().await.unwrap();
    let there = json!({ "email": "owner@acme.example", "password": PASSWORD, "tenant": globex.slug });
    let there = server.visitor().post("/api/v1/auth/login", there).await.json(200);
    let here = login(&server).await;

    bearer(&server, &here).post("/api/v1/auth/logout-everywhere", json!(null)).await.expect(204);
    for session in [&here, &there] {
        bearer(&server, session).get(ME).await.problem(401, "invalid_token");
        refresh(&server, session).await.problem(401, "invalid_refresh_token");
    }
    acme.owner.get(ME).await.problem(401, "invalid_token");
    // Other people, and programs, go on.
    acme.admin.get(ME).await.expect(200);
    acme.api_key.get(ME).await.expect(200);
    for tenant in [&acme, &globex] {
        let client = if tenant.id == acme.id { &acme.admin } else { &globex.owner };
        let newest = client.get("/api/v1/audit?limit=1").await.json(200);
        assert_eq!(newest["data"][0]["action"], "user.logoutEverywhere");
    }
    acme.api_key.post("/api/v1/auth/logout-everywhere", json!(null)).await.problem(403, "person_needed");
}

#[actix_web::test]
async fn signing_keys_change_without_signing_anybody_out() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let keys = async || {
        let set = server.visitor().get("/.well-known/jwks.json").await.json(200);
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let kid = |session: &Value| {
        use base64::Engine;
        let header = session["accessToken"].as_str().unwrap().split('.').next().unwrap().to_owned();
        let header = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    };
    let first = keys().await;
    assert_eq!(first.len(), 1);
    server.app.auth.rotate_signing_keys().await.unwrap();
    assert_eq!(keys().await, first, "it is not time yet");

    server.clock.advance(Duration::from_secs(30 * 86_400));
    let before = login(&server).await;
    server.app.auth.rotate_signing_keys().await.unwrap();
    let both = keys().await;
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    // The new key is shown before it signs.
    assert_eq!(kid(&login(&server).await), first[0]);
    server.clock.advance(Duration::from_secs(121));
    let after = login(&server).await;
    assert_eq!(kid(&after), both[1]);
    bearer(&server, &before).get(ME).await.expect(200);
    bearer(&server, &after).get(ME).await.expect(200);

    // The old key goes when no living token needs it.
    server.clock.advance(Duration::from_secs(900));
    server.app.auth.rotate_signing_keys().await.unwrap();
    assert_eq!(keys().await.len(), 2);
    server.clock.advance(Duration::from_secs(65));
    server.app.auth.rotate_signing_keys().await.unwrap();
    assert_eq!(keys().await, both[1..]);
    bearer(&server, &before).get(ME).await.problem(401, "invalid_token");
    bearer(&server, &login(&server).await).get(ME).await.expect(200);
}

#[actix_web::test]
async fn programs_can_verify_tokens_with_the_public_keys() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let reply = server.visitor().get("/.well-known/jwks.json").await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&reply.expect(200).body).unwrap();
    let session = login(&server).await;
    let token = session["accessToken"].as_str().unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["millrace-api"]);
    validation.set_issuer(&["millrace"]);
    // The test's clock stands in the past.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    let me = bearer(&server, &session).get(ME).await.json(200);
    assert_eq!((&claims["sub"], &claims["tid"]), (&me["user"]["id"], &me["tenant"]["id"]));
}

#[actix_web::test]
async fn an_api_key_may_have_a_limit_of_its_own() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let create = json!({ "name": "slow", "requestsPerMinute": 2 });
    let key = tenant.owner.post("/api/v1/api-keys", create).await.json(201);
    assert_eq!(key["requestsPerMinute"], 2);
    let client = server.visitor().with("x-n8n-api-key", key["key"].as_str().unwrap());
    client.get(ME).await.expect(200);
    assert_eq!(client.get(ME).await.expect(200).header("ratelimit-remaining"), Some("0"));
    client.get(ME).await.problem(429, "too_many_requests");
    tenant.api_key.get(ME).await.expect(200);
    for limit in [json!(0), json!(-1), json!(1.5), json!("many")] {
        let create = json!({ "name": "odd", "requestsPerMinute": limit });
        tenant.owner.post("/api/v1/api-keys", create).await.problem_at(422, "invalid_body", &["/requestsPerMinute"]);
    }
}

#[actix_web::test]
async fn members_see_their_own_logins_only() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let own = tenant.member(Role::Viewer).get(SESSIONS).await.json(200);
    assert_eq!(own["data"].as_array().unwrap().len(), 1, "{} has one login", email(Role::Viewer, "acme"));
}
