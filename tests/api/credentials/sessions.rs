//! Connect sessions: a page for people who are no users here; half an hour, once.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use super::server;
use crate::support::{Reply, TestServer, Vendor};

async fn invite(server: &TestServer, client: &crate::support::Client, body: Value) -> (String, String) {
    let made = client.post("/api/v1/credentials/connect-sessions", body).await.json(201);
    let url = made["url"].as_str().unwrap();
    let page = url.strip_prefix(&server.app.config.public_url()).unwrap().to_owned();
    (format!("/api/v1/credentials/connect-sessions/{}", made["id"].as_str().unwrap()), page)
}

async fn send(server: &TestServer, page: &str, form: &'static str) -> Reply {
    let form = ("application/x-www-form-urlencoded", Bytes::from_static(form.as_bytes()));
    server.visitor().send_raw(Method::POST, page, Some(form)).await
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

#[actix_web::test]
async fn a_stranger_enters_what_is_asked_for_once() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let body = json!({ "type": "smtp", "name": "<b>Their</b> mail", "endUser": "customer-17", "data": { "host": "mail.example" }, "allowedHosts": ["mail.example"] });
    let (session, page) = invite(&server, &tenant.api_key, body).await;
    let shown = server.visitor().get(&page).await.expect(200);
    let html = text(&shown);
    assert!(html.contains("&lt;b&gt;Their") && html.contains("name=\"password\" type=\"password\""), "{html}");
    assert!(!html.contains("mail.example"), "what the inviting side gave is not shown");
    assert!(shown.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert_eq!(tenant.api_key.get(&session).await.json(200)["status"], "pending");

    let refused = send(&server, &page, "user=u&password=hunter22&port=many").await.expect(422);
    assert!(text(&refused).contains("must be a number") && !text(&refused).contains("hunter22"));
    send(&server, &page, "user=u&password=hunter22&port=587&secure=false&host=evil.example").await.expect(200);
    let outcome = tenant.api_key.get(&session).await.json(200);
    assert_eq!((&outcome["status"], &outcome["endUser"]), (&json!("connected"), &json!("customer-17")));
    let told = tenant.audit().await;
    let told = told.iter().find(|event| event["action"] == "connectSession.connect").unwrap();
    assert_eq!(
        (&told["after"]["credentialId"], &told["after"]["endUser"]),
        (&outcome["credentialId"], &outcome["endUser"])
    );
    let credential = format!("/api/v1/credentials/{}", outcome["credentialId"].as_str().unwrap());
    let credential = tenant.api_key.get(&credential).await.json(200);
    assert_eq!((&credential["data"]["host"], &credential["data"]["secure"]), (&json!("mail.example"), &json!(false)));
    assert_eq!(credential["allowedHosts"], json!(["mail.example"]));
    for again in [send(&server, &page, "user=v").await, server.visitor().get(&page).await] {
        assert!(text(&again.expect(409)).contains("connect_session_used"));
    }
}

#[actix_web::test]
async fn the_outcome_comes_as_a_webhook_too() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let subscriber = Vendor::start(|_| HttpResponse::Ok().finish());
    let wanted = json!({ "name": "s", "url": subscriber.url, "events": ["connect_session.*"] });
    tenant.developer.post("/api/v1/webhook-subscriptions", wanted).await.expect(201);
    let (session, page) = invite(&server, &tenant.api_key, json!({ "type": "httpBasicAuth" })).await;
    send(&server, &page, "user=u&password=hunter22").await.expect(200);
    for _ in 0..400 {
        server.app.subscriptions.deliver_due().await.unwrap();
        if !subscriber.asked().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let told = subscriber.last();
    assert!(!told.body.contains("hunter22") && told.header("webhook-signature").is_some(), "{told:?}");
    let (told, outcome) = (told.json(), tenant.api_key.get(&session).await.json(200));
    assert_eq!(told["type"], "connect_session.connected");
    assert_eq!((&told["data"]["session"], &told["data"]["credential"]), (&outcome["id"], &outcome["credentialId"]));
}

#[actix_web::test]
async fn invitations_end_and_belong_to_their_tenant() {
    let server = server().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let (session, page) = invite(&server, &acme.api_key, json!({ "type": "httpBasicAuth" })).await;
    globex.api_key.get(&session).await.problem(404, "connect_session_not_found");
    assert!(
        text(&server.visitor().get("/connect/mrc_unknown").await.expect(404)).contains("connect_session_not_found")
    );
    server.clock.advance(Duration::from_secs(1801));
    assert!(text(&send(&server, &page, "user=u").await.expect(409)).contains("connect_session_expired"));
    assert_eq!(acme.api_key.get(&session).await.json(200)["status"], "expired");
    let wrong = json!({ "type": "httpBasicAuth", "data": { "x": 1 } });
    acme.api_key.post("/api/v1/credentials/connect-sessions", wrong).await.problem_at(
        422,
        "invalid_body",
        &["/data/x"],
    );
    let unknown = json!({ "type": "nothing" });
    acme.api_key.post("/api/v1/credentials/connect-sessions", unknown).await.problem_at(
        422,
        "invalid_body",
        &["/type"],
    );
}

#[actix_web::test]
async fn consent_that_is_denied_leaves_no_credential() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let data = json!({ "clientId": "c", "authUrl": "https://accounts.example/a", "accessTokenUrl": "https://accounts.example/t" });
    let (session, page) = invite(&server, &tenant.api_key, json!({ "type": "oAuth2Api", "data": data })).await;
    let away = send(&server, &page, "").await.expect(303);
    let target: url::Url = away.header("location").unwrap().parse().unwrap();
    assert_eq!(target.host_str(), Some("accounts.example"));
    assert_eq!(tenant.api_key.get(&session).await.json(200)["status"], "started");
    let state = target.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let cookie = away.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let back = format!("/api/v1/credentials/oauth/callback?error=access_denied&state={state}");
    server.visitor().with("cookie", &cookie).get(&back).await.problem(400, "oauth_consent_denied");
    let outcome = tenant.api_key.get(&session).await.json(200);
    assert_eq!((&outcome["status"], &outcome["problem"]), (&json!("failed"), &json!("oauth_consent_denied")));
    let told = tenant.audit().await;
    let told = told.iter().find(|event| event["action"] == "connectSession.fail").unwrap();
    assert_eq!(told["after"]["problem"], "oauth_consent_denied");
    assert_eq!(tenant.api_key.get("/api/v1/credentials").await.json(200)["data"], json!([]));
}

#[actix_web::test]
async fn whoever_leaves_and_does_not_come_back_has_failed() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let data = json!({ "clientId": "c", "authUrl": "https://accounts.example/a", "accessTokenUrl": "https://accounts.example/t" });
    let (session, page) = invite(&server, &tenant.api_key, json!({ "type": "oAuth2Api", "data": data })).await;
    send(&server, &page, "").await.expect(303);
    let started = tenant.api_key.get(&session).await.json(200);
    assert_eq!(started["status"], "started");
    let credential = format!("/api/v1/credentials/{}", started["credentialId"].as_str().unwrap());
    server.app.credentials.give_up_sessions().await.unwrap();
    tenant.api_key.get(&credential).await.expect(200);
    server.clock.advance(Duration::from_secs(661));
    let over = tenant.api_key.get(&session).await.json(200);
    assert_eq!((&over["status"], &over["problem"]), (&json!("failed"), &json!("oauth_state_expired")));
    for _ in 0..2 {
        server.app.credentials.give_up_sessions().await.unwrap();
    }
    assert_eq!(tenant.api_key.get(&session).await.json(200), over);
    tenant.api_key.get(&credential).await.problem(404, "credential_not_found");
    let told = tenant.api_key.get("/api/v1/audit?action=connectSession.fail").await.json(200);
    assert_eq!(told["data"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["data"][0]["after"]["problem"], "oauth_state_expired");
    assert!(text(&send(&server, &page, "").await.expect(409)).contains("connect_session_used"));
}

#[actix_web::test]
async fn a_session_whose_way_out_fails_has_failed() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let data = json!({ "clientId": "c", "authUrl": "javascript:x", "accessTokenUrl": "https://accounts.example/t" });
    let (session, page) = invite(&server, &tenant.api_key, json!({ "type": "oAuth2Api", "data": data })).await;
    assert!(text(&send(&server, &page, "").await.expect(422)).contains("oauth_provider_url"));
    let outcome = tenant.api_key.get(&session).await.json(200);
    assert_eq!((&outcome["status"], &outcome["problem"]), (&json!("failed"), &json!("oauth_provider_url")));
    assert_eq!(tenant.api_key.get("/api/v1/credentials").await.json(200)["data"], json!([]));
}

#[actix_web::test]
async fn a_page_takes_no_more_than_any_request() {
    let server = TestServer::with(|config| config.server.body_limit_bytes = 4096).await;
    let tenant = server.tenant("acme").await;
    let (session, page) = invite(&server, &tenant.api_key, json!({ "type": "httpBasicAuth" })).await;
    let form = ("application/x-www-form-urlencoded", Bytes::from(format!("user={}", "u".repeat(5000))));
    server.visitor().send_raw(Method::POST, &page, Some(form)).await.problem(413, "body_too_large");
    assert_eq!(tenant.api_key.get(&session).await.json(200)["status"], "pending");
    send(&server, &page, "user=u").await.expect(200);
}
