//! Connecting accounts and keeping tokens fresh, against an authorisation server that is played: what it answers and
//! how it fails is the test's choice. The way through a real one, in a real browser, is in `browser`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::{create, error_of, http_request, run, run_workflow, server, workflow};
use crate::support::{Asked, Client, Reply, TestServer, TestTenant, Vendor};

/// Gives tokens `token-1`, `token-2`, … and takes each refresh token once, as servers that rotate them do.
pub(super) fn authorisation_server() -> Vendor {
    let count = AtomicUsize::new(0);
    Vendor::start(move |asked| {
        let form: std::collections::HashMap<String, String> =
            url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
        let given = count.load(Ordering::SeqCst);
        let is_good = match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => form["code"] == "good-code" && form["code_verifier"].len() >= 43,
            Some("refresh_token") => form["refresh_token"] == format!("refresh-{given}"),
            Some("client_credentials") => true,
            _ => false,
        };
        if !is_good {
            return HttpResponse::BadRequest()
                .json(json!({ "error": "invalid_grant", "error_description": asked.body }));
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let body = json!({
            "access_token": format!("token-{number}"), "refresh_token": format!("refresh-{number}"),
            "token_type": "Bearer", "expires_in": 3600, "scope": "read write"
        });
        HttpResponse::Ok().json(body)
    })
}

pub(super) fn data(token_url: &str) -> Value {
    json!({
        "clientId": "client", "clientSecret": "client-secret", "authUrl": "https://accounts.example/authorize?x=1",
        "accessTokenUrl": token_url, "scope": "read write", "authQueryParameters": "prompt=consent"
    })
}

/// A change to another token endpoint, with all that has to be entered again for it.
pub(super) fn moved(token_url: &str) -> Value {
    let tokens = json!({ "access_token": "token-1", "refresh_token": "refresh-1" });
    json!({ "data": { "accessTokenUrl": token_url, "clientSecret": "client-secret", "oauthTokenData": tokens } })
}

/// What `oauth/start` gave: the address to open, the state in it, and the cookie.
pub(super) struct Begun {
    pub(super) url: url::Url,
    pub(super) state: String,
    pub(super) cookie: String,
}

pub(super) async fn begin(client: &Client, id: &str) -> Begun {
    let reply = client.post(&format!("/api/v1/credentials/{id}/oauth/start"), json!({})).await;
    let cookie = reply.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=600"),
        "{cookie}"
    );
    let body = reply.json(201);
    let url: url::Url = body["authorizationUrl"].as_str().unwrap().parse().unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    Begun { url, state, cookie: cookie.split(';').next().unwrap().to_owned() }
}

pub(super) async fn come_back(server: &TestServer, cookie: &str, query: &str) -> Reply {
    server.visitor().with("cookie", cookie).get(&format!("/api/v1/credentials/oauth/callback?{query}")).await
}

pub(super) async fn connected(server: &TestServer, tenant: &TestTenant, token_url: &str) -> String {
    let id = create(&tenant.api_key, "oAuth2Api", data(token_url)).await;
    let begun = begin(&tenant.api_key, &id).await;
    come_back(server, &begun.cookie, &format!("state={}&code=good-code", begun.state)).await.expect(200);
    id
}

pub(super) fn requesting(vendor: &Vendor, id: &str) -> Value {
    workflow(http_request(&vendor.url, "oAuth2Api", json!({ "id": id })))
}

#[actix_web::test]
async fn an_account_is_connected_and_its_token_used() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let (authority, vendor) = (authorisation_server(), Vendor::start(|_| HttpResponse::Ok().json(json!({}))));
    let id = create(&tenant.api_key, "oAuth2Api", data(&authority.url)).await;
    let path = format!("/api/v1/credentials/{id}");
    assert_eq!(tenant.api_key.get(&path).await.json(200)["status"], "notConnected");
    let execution = run(&tenant.api_key, requesting(&vendor, &id)).await;
    assert!(error_of(&execution).contains("is not connected"), "{execution}");

    let begun = begin(&tenant.api_key, &id).await;
    let pairs: std::collections::HashMap<_, _> = begun.url.query_pairs().into_owned().collect();
    assert_eq!(pairs["code_challenge_method"], "S256");
    assert_eq!(pairs["redirect_uri"], "http://localhost:8080/api/v1/credentials/oauth/callback");
    assert_eq!((&*pairs["scope"], &*pairs["prompt"], &*pairs["x"]), ("read write", "consent", "1"));
    let page = come_back(&server, &begun.cookie, &format!("state={}&code=good-code", begun.state)).await.expect(200);
    assert!(String::from_utf8_lossy(&page.body).contains("is connected"));
    assert!(authority.last().header("authorization").unwrap().starts_with("Basic "));

    let shown = tenant.api_key.get(&path).await.json(200);
    assert_eq!((&shown["status"], &shown["scopes"]), (&json!("ready"), &json!(["read", "write"])));
    assert!(!shown.to_string().contains("token-1") && !shown.to_string().contains("refresh-1"), "{shown}");
    let execution = run(&tenant.api_key, requesting(&vendor, &id)).await;
    assert_eq!(execution["status"], "success", "{execution}");
    assert_eq!(vendor.last().header("authorization"), Some("Bearer token-1"));
    let actions: Vec<_> = tenant.audit().await.iter().map(|row| row["action"].as_str().unwrap().to_owned()).collect();
    assert!(actions.contains(&"credential.connect".to_owned()), "{actions:?}");
}

#[actix_web::test]
async fn ways_back_that_lead_nowhere_are_refused() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = authorisation_server();
    let id = create(&tenant.api_key, "oAuth2Api", data(&authority.url)).await;
    let path = format!("/api/v1/credentials/{id}");
    let begun = begin(&tenant.api_key, &id).await;
    let other = begin(&tenant.api_key, &id).await;
    let good = format!("state={}&code=good-code", begun.state);
    for (cookie, query, status, code) in [
        (&begun.cookie, "code=good-code".to_owned(), 400, "oauth_state_missing"),
        (&begun.cookie, "state=&code=good-code".to_owned(), 400, "oauth_state_missing"),
        (&begun.cookie, "state=forged&code=good-code".to_owned(), 400, "oauth_state_unknown"),
        (&String::new(), good.clone(), 403, "oauth_other_browser"),
        (&other.cookie, good.clone(), 403, "oauth_other_browser"),
    ] {
        come_back(&server, cookie, &query).await.problem(status, code);
    }
    assert!(authority.asked().is_empty(), "no code is exchanged");
    come_back(&server, &begun.cookie, &good).await.expect(200);
    come_back(&server, &begun.cookie, &good).await.problem(409, "oauth_state_used");
    assert_eq!(authority.asked().len(), 1);

    let late = begin(&tenant.api_key, &id).await;
    server.clock.advance(Duration::from_secs(601));
    come_back(&server, &late.cookie, &format!("state={}&code=good-code", late.state))
        .await
        .problem(400, "oauth_state_expired");
    for (query, status, code) in [
        ("error=access_denied", 400, "oauth_consent_denied"),
        ("error=temporarily_unavailable", 409, "oauth_provider_refused"),
        ("error=%3Cscript%3E", 409, "oauth_provider_refused"),
        ("x=1", 400, "oauth_code_missing"),
        ("code=stale-code", 409, "oauth_provider_refused"),
    ] {
        let begun = begin(&tenant.api_key, &id).await;
        let query = format!("state={}&{query}", begun.state);
        let problem = come_back(&server, &begun.cookie, &query).await.problem(status, code);
        assert!(!problem.to_string().contains("script") && !problem.to_string().contains("stale-code"), "{problem}");
        // Nothing of what was connected is lost.
        assert_eq!(tenant.api_key.get(&path).await.json(200)["status"], "ready");
    }
    // A browser gets a page.
    let page = server.visitor().with("accept", "text/html,*/*").get("/api/v1/credentials/oauth/callback?code=x").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (400, Some("text/html; charset=utf-8")));
}

#[actix_web::test]
async fn strangers_cannot_begin_and_other_types_have_nothing_to_connect() {
    let server = server().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = create(&acme.api_key, "oAuth2Api", data("http://127.0.0.1:1")).await;
    let path = format!("/api/v1/credentials/{id}/oauth/start");
    globex.api_key.post(&path, json!({})).await.problem(404, "credential_not_found");
    acme.viewer.post(&path, json!({})).await.problem(403, "forbidden");
    let basic = create(&acme.api_key, "httpBasicAuth", json!({ "user": "u" })).await;
    acme.api_key
        .post(&format!("/api/v1/credentials/{basic}/oauth/start"), json!({}))
        .await
        .problem(409, "credential_not_oauth");
    let broken = create(
        &acme.api_key,
        "oAuth2Api",
        json!({ "clientId": "c", "authUrl": "javascript:x", "accessTokenUrl": "x" }),
    )
    .await;
    acme.api_key
        .post(&format!("/api/v1/credentials/{broken}/oauth/start"), json!({}))
        .await
        .problem(422, "oauth_provider_url");
}

#[actix_web::test]
async fn whoever_may_no_longer_connect_does_not_by_coming_back_late() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let admin = crate::support::administrator(&server).await;
    let authority = authorisation_server();
    let user = |client: Client| async move {
        client.get("/api/v1/auth/me").await.json(200)["user"]["id"].as_str().unwrap().to_owned()
    };
    let (developer, second) = (user(tenant.developer.clone()).await, user(tenant.admin.clone()).await);
    let mut begun = Vec::new();
    for client in [&tenant.developer, &tenant.admin, &tenant.owner] {
        let id = create(client, "oAuth2Api", data(&authority.url)).await;
        begun.push(begin(client, &id).await);
    }
    // One is no member any more, one may only look on, and then the tenant stands still.
    tenant.owner.delete(&format!("/api/v1/users/{developer}")).await.expect(204);
    tenant.owner.patch(&format!("/api/v1/users/{second}"), json!({ "role": "viewer" })).await.expect(200);
    for begun in &begun[..2] {
        let query = format!("state={}&code=good-code", begun.state);
        come_back(&server, &begun.cookie, &query).await.problem(403, "oauth_no_longer_allowed");
    }
    admin.post(&format!("/api/v1/admin/tenants/{}/suspend", tenant.id), json!({ "reason": "x" })).await.expect(200);
    let query = format!("state={}&code=good-code", begun[2].state);
    come_back(&server, &begun[2].cookie, &query).await.problem(403, "tenant_suspended");
    assert!(authority.asked().is_empty(), "no code is exchanged");
}

#[actix_web::test]
async fn a_server_that_fails_leaves_everything_as_it_was() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let html = Vendor::start(|_| HttpResponse::Ok().content_type("text/html").body("<html>token-page</html>"));
    let broken = Vendor::start(|_| HttpResponse::InternalServerError().body("Traceback: client-secret"));
    let moved = Vendor::start(|_| HttpResponse::Found().insert_header(("location", "http://127.0.0.1:1/")).finish());
    for (url, status, code) in [
        (&*html.url, 503, "oauth_provider_unreadable"),
        (&*broken.url, 503, "oauth_provider_unreadable"),
        (&*moved.url, 503, "oauth_provider_unreadable"),
        ("http://127.0.0.1:1", 503, "oauth_provider_unreachable"),
    ] {
        let id = create(&tenant.api_key, "oAuth2Api", data(url)).await;
        let begun = begin(&tenant.api_key, &id).await;
        let query = format!("state={}&code=good-code", begun.state);
        let problem = come_back(&server, &begun.cookie, &query).await.problem(status, code);
        assert!(
            !problem.to_string().contains("client-secret") && !problem.to_string().contains("token-page"),
            "{problem}"
        );
        assert_eq!(tenant.api_key.get(&format!("/api/v1/credentials/{id}")).await.json(200)["status"], "notConnected");
    }
}

#[actix_web::test]
async fn tokens_are_renewed_before_they_end_by_one_of_many() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let (authority, vendor) = (authorisation_server(), Vendor::start(|_| HttpResponse::Ok().json(json!({}))));
    let id = connected(&server, &tenant, &authority.url).await;
    let made = tenant.api_key.post("/api/v1/workflows", requesting(&vendor, &id)).await.json(201);
    let workflow = made["id"].as_str().unwrap();
    server.clock.advance(Duration::from_secs(3570));
    let runs = (0..12).map(|_| run_workflow(&tenant.api_key, workflow));
    for execution in futures_util::future::join_all(runs).await {
        assert_eq!(execution["status"], "success", "{execution}");
    }
    assert_eq!(authority.asked().len(), 2, "connected once, renewed once");
    assert!(vendor.asked().iter().all(|asked| asked.header("authorization") == Some("Bearer token-2")));
    // The refresh token that came with it is the one that works next.
    server.clock.advance(Duration::from_secs(7200));
    run_workflow(&tenant.api_key, workflow).await;
    assert_eq!(vendor.last().header("authorization"), Some("Bearer token-3"));
}

#[actix_web::test]
async fn a_token_that_a_service_refuses_is_renewed_once() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = authorisation_server();
    let vendor = Vendor::start(|asked: &Asked| match asked.header("authorization") {
        Some("Bearer token-2") => HttpResponse::Ok().json(json!({ "in": true })),
        _ => HttpResponse::Unauthorized().json(json!({ "message": "expired" })),
    });
    let id = connected(&server, &tenant, &authority.url).await;
    let execution = run(&tenant.api_key, requesting(&vendor, &id)).await;
    assert_eq!(execution["status"], "success", "{execution}");
    assert_eq!((vendor.asked().len(), authority.asked().len()), (2, 2));
    let stubborn = Vendor::start(|_| HttpResponse::Unauthorized().json(json!({ "message": "never" })));
    let execution = run(&tenant.api_key, requesting(&stubborn, &id)).await;
    assert_eq!(execution["status"], "error", "{execution}");
    assert_eq!((stubborn.asked().len(), authority.asked().len()), (2, 3));
}

#[actix_web::test]
async fn withdrawn_access_marks_the_credential_and_is_told() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let authority = authorisation_server();
    let id = connected(&server, &tenant, &authority.url).await;
    let path = format!("/api/v1/credentials/{id}");
    let made = tenant.api_key.post("/api/v1/workflows", requesting(&vendor, &id)).await.json(201);
    let workflow = made["id"].as_str().unwrap();
    // Away for a moment: what is there serves as long as it lasts, and nothing is marked.
    let away = Vendor::start(|_| HttpResponse::BadGateway().body("<html>away</html>"));
    tenant.api_key.patch(&path, moved(&away.url)).await.expect(200);
    server.clock.advance(Duration::from_secs(3570));
    assert_eq!(run_workflow(&tenant.api_key, workflow).await["status"], "success");
    server.clock.advance(Duration::from_secs(3600));
    let execution = run_workflow(&tenant.api_key, workflow).await;
    assert!(error_of(&execution).contains("something other than tokens"), "{execution}");
    assert_eq!(tenant.api_key.get(&path).await.json(200)["status"], "ready");
    // Refused for good.
    let refusing = Vendor::start(|_| HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" })));
    tenant.api_key.patch(&path, moved(&refusing.url)).await.expect(200);
    let execution = run_workflow(&tenant.api_key, workflow).await;
    assert!(error_of(&execution).contains("invalid_grant"), "{execution}");
    let shown = tenant.api_key.get(&path).await.json(200);
    assert_eq!(shown["status"], "reconnectNeeded");
    assert!(shown["problem"].as_str().unwrap().contains("invalid_grant"), "{shown}");
    let execution = run_workflow(&tenant.api_key, workflow).await;
    assert!(error_of(&execution).contains("is not connected"), "{execution}");
    assert_eq!(refusing.asked().len(), 1, "nobody asks again in vain");
    let audit = tenant.api_key.get("/api/v1/audit?limit=250").await.json(200);
    assert!(audit["data"].as_array().unwrap().iter().any(|row| row["action"] == "credential.renewFailed"));
    // Connecting again mends it.
    let fresh = authorisation_server();
    tenant.api_key.patch(&path, moved(&fresh.url)).await.expect(200);
    let begun = begin(&tenant.api_key, &id).await;
    come_back(&server, &begun.cookie, &format!("state={}&code=good-code", begun.state)).await.expect(200);
    assert_eq!(run_workflow(&tenant.api_key, workflow).await["status"], "success");
}

#[actix_web::test]
async fn clients_get_tokens_for_themselves_and_deleted_ones_are_revoked() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let authority = authorisation_server();
    let revocations = Arc::new(Vendor::start(|_| HttpResponse::Ok().finish()));
    let mut client = data(&authority.url);
    client["grantType"] = json!("clientCredentials");
    client["authentication"] = json!("body");
    client["revocationUrl"] = json!(revocations.url);
    let id = create(&tenant.api_key, "oAuth2Api", client).await;
    assert_eq!(run(&tenant.api_key, requesting(&vendor, &id)).await["status"], "success");
    assert_eq!(vendor.last().header("authorization"), Some("Bearer token-1"));
    assert!(authority.last().body.contains("client_secret=client-secret"));
    tenant
        .owner
        .post(&format!("/api/v1/credentials/{id}/oauth/start"), json!({}))
        .await
        .problem(409, "credential_not_oauth");
    tenant.api_key.delete(&format!("/api/v1/credentials/{id}")).await.expect(200);
    assert!(revocations.last().body.contains("token=refresh-1"), "{:?}", revocations.asked());
}
