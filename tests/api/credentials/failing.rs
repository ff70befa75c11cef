//! Authorisation servers that hang or are out of bounds, accounts that are lost: each has its code, and somebody is told.

use std::io::Read;
use std::net::TcpListener;

use actix_web::HttpResponse;
use serde_json::json;

use super::oauth::{authorisation_server, begin, come_back, connected, data, moved, requesting};
use super::{create, error_of, reaching_loopback, run_workflow, server};
use crate::support::{TestServer, Vendor};

/// Takes connections and says nothing.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 16]);
            held.push(stream);
        }
    });
    url
}

#[actix_web::test]
async fn a_server_that_hangs_is_given_up_and_nothing_is_lost() {
    let server = TestServer::with(|config| {
        reaching_loopback(config);
        config.http_client.timeout_seconds = 1;
    })
    .await;
    let tenant = server.tenant("acme").await;
    let (silent, vendor) = (silent(), Vendor::start(|_| HttpResponse::Ok().json(json!({}))));
    // At the exchange of the code: nothing is connected, and the next try is as good as the first.
    let id = create(&tenant.api_key, "oAuth2Api", data(&silent)).await;
    let begun = begin(&tenant.api_key, &id).await;
    let query = format!("state={}&code=good-code", begun.state);
    come_back(&server, &begun.cookie, &query).await.problem(503, "oauth_provider_unreachable");
    let path = format!("/api/v1/credentials/{id}");
    assert_eq!(tenant.api_key.get(&path).await.json(200)["status"], "notConnected");
    // At the renewal: the run fails, the credential keeps what it had and works again when the server does.
    let authority = authorisation_server();
    let id = connected(&server, &tenant, &authority.url).await;
    let path = format!("/api/v1/credentials/{id}");
    let made = tenant.api_key.post("/api/v1/workflows", requesting(&vendor, &id)).await.json(201);
    let workflow = made["id"].as_str().unwrap();
    tenant.api_key.patch(&path, moved(&silent)).await.expect(200);
    server.clock.advance(std::time::Duration::from_secs(7200));
    let execution = run_workflow(&tenant.api_key, workflow).await;
    assert!(error_of(&execution).contains("does not answer"), "{execution}");
    assert_eq!(tenant.api_key.get(&path).await.json(200)["status"], "ready");
    tenant.api_key.patch(&path, moved(&authority.url)).await.expect(200);
    assert_eq!(run_workflow(&tenant.api_key, workflow).await["status"], "success");
    assert_eq!(vendor.last().header("authorization"), Some("Bearer token-2"));
}

#[actix_web::test]
async fn whoever_made_a_credential_is_told_when_its_account_is_lost() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let (authority, vendor) = (authorisation_server(), Vendor::start(|_| HttpResponse::Ok().json(json!({}))));
    let id = create(&tenant.developer, "oAuth2Api", data(&authority.url)).await;
    let followed = tenant.api_key.get("/api/v1/events").await.json(200);
    let begun = begin(&tenant.developer, &id).await;
    come_back(&server, &begun.cookie, &format!("state={}&code=good-code", begun.state)).await.expect(200);
    let made = tenant.api_key.post("/api/v1/workflows", requesting(&vendor, &id)).await.json(201);
    let refusing = Vendor::start(|_| HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" })));
    let body = moved(&refusing.url);
    tenant.api_key.patch(&format!("/api/v1/credentials/{id}"), body).await.expect(200);
    server.clock.advance(std::time::Duration::from_secs(7200));
    // Whoever was away for more than an hour is not waited for.
    tenant.api_key.get("/api/v1/events").await.expect(200);
    run_workflow(&tenant.api_key, made["id"].as_str().unwrap()).await;
    let mail = server.outbox.wait_for("developer@acme.example", 1).await;
    assert_eq!(mail.subject, "Connect \"my oAuth2Api\" again");
    assert!(mail.text.contains("invalid_grant") && mail.text.contains(&id), "{}", mail.text);
    assert!(!mail.text.contains("refresh-1") && !mail.text.contains("client-secret"), "{}", mail.text);
    assert!(server.outbox.to("owner@acme.example").is_empty(), "nobody else is bothered");
    let path = format!("/api/v1/events?lastEventId={}", followed["lastEventId"].as_str().unwrap());
    let (page, told) = loop {
        let page = tenant.api_key.get(&path).await.json(200);
        let all = page["data"].as_array().unwrap().clone();
        let told: Vec<_> = all.into_iter().filter(|event| event["data"]["credential"] == id).collect();
        if told.len() >= 2 {
            break (page, told);
        }
        // PostgreSQL shows them once older transactions are over.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let kinds: Vec<_> = told.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["credential.connected", "credential.renewal_failed"]);
    assert!(told[1]["data"]["reason"].as_str().unwrap().contains("invalid_grant"), "{page}");
    assert!(!page.to_string().contains("refresh-1") && !page.to_string().contains("client-secret"), "{page}");
    let events = tenant.api_key.get("/api/v1/audit?limit=250").await.json(200);
    assert!(events["data"].as_array().unwrap().iter().any(|event| event["action"] == "credential.renewFailed"));
}

#[actix_web::test]
async fn those_who_run_the_tenant_are_told_where_the_maker_is_gone() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = Vendor::start(|_| HttpResponse::BadRequest().json(json!({ "error": "invalid_client" })));
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let mut client = data(&authority.url);
    client["grantType"] = json!("clientCredentials");
    let id = create(&tenant.developer, "oAuth2Api", client).await;
    let maker = tenant.developer.get("/api/v1/auth/me").await.json(200)["user"]["id"].as_str().unwrap().to_owned();
    tenant.owner.delete(&format!("/api/v1/users/{maker}")).await.expect(204);
    let made = tenant.api_key.post("/api/v1/workflows", requesting(&vendor, &id)).await.json(201);
    run_workflow(&tenant.api_key, made["id"].as_str().unwrap()).await;
    server.outbox.wait_for("owner@acme.example", 1).await;
    server.outbox.wait_for("admin@acme.example", 1).await;
    assert!(server.outbox.to("viewer@acme.example").is_empty());
}

#[actix_web::test]
async fn authorisation_servers_are_reached_as_far_as_the_tenants_list_goes() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = authorisation_server();
    let settings = json!({ "settings": { "egressAllow": ["accounts.example"] } });
    tenant.owner.patch("/api/v1/tenants/current", settings).await.expect(200);
    let id = create(&tenant.api_key, "oAuth2Api", data(&authority.url)).await;
    let begun = begin(&tenant.api_key, &id).await;
    let query = format!("state={}&code=good-code", begun.state);
    let problem = come_back(&server, &begun.cookie, &query).await.problem(503, "oauth_provider_unreachable");
    assert!(problem["detail"].as_str().unwrap().contains("not allowed"), "{problem}");
    let mut client = data(&authority.url);
    client["grantType"] = json!("clientCredentials");
    let id = create(&tenant.api_key, "oAuth2Api", client).await;
    let outcome = tenant.api_key.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert_eq!(outcome["status"], "Error", "{outcome}");
    let basic = json!({ "url": authority.url, "token": "t" });
    let id = create(&tenant.api_key, "influxDbApi", basic).await;
    let outcome = tenant.api_key.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert!(outcome["message"].as_str().unwrap().contains("not allowed"), "{outcome}");
    assert!(authority.asked().is_empty());
}
