//! Nodes of services run with stored credentials: real databases where the environment names them, a mail server and
//! vendors played on loopback. And each of those credentials can be tried out.

use serde_json::{Value, json};

use super::{create, error_of, reaching_loopback, run, server, workflow};
use crate::support::{Client, Postbox, TestServer, Vendors};

/// `AUTH PLAIN` of the user `u` with the password `pass-word`.
const LOGIN: &str = "AHUAcGFzcy13b3Jk";

fn node(kind: &str, version: f64, parameters: Value, credential: &str, id: &str) -> Value {
    json!({
        "name": "Then", "type": format!("n8n-nodes-base.{kind}"), "typeVersion": version, "position": [200, 0],
        "parameters": parameters, "credentials": { (credential): { "id": id } }
    })
}

async fn tested(client: &Client, id: &str) -> (String, String) {
    let outcome = client.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    (outcome["status"].as_str().unwrap().to_owned(), outcome["message"].as_str().unwrap().to_owned())
}

/// The credential of the server that a URL names; `None`: the environment names none.
fn login(variable: &str) -> Option<Value> {
    let url = url::Url::parse(&std::env::var(variable).ok()?).unwrap();
    let mut data = json!({ "host": url.host_str().unwrap(), "password": url.password().unwrap_or_default() });
    if let Some(port) = url.port() {
        data["port"] = json!(port);
    }
    if !url.username().is_empty() {
        data["user"] = json!(url.username());
    }
    let database = url.path().trim_start_matches('/');
    if !database.is_empty() {
        data["database"] = database.parse::<u32>().map_or_else(|_| json!(database), |number| json!(number));
    }
    Some(data)
}

#[actix_web::test]
async fn vendors_are_called_with_stored_credentials() {
    let vendors = Vendors::start(|_| (200, json!({ "ok": true, "sid": "SM1" }))).await;
    let server = TestServer::with(|config| vendors.introduce(config, &[])).await;
    let owner = server.tenant("acme").await.owner;
    for (kind, version, parameters, credential, data, asked, authorization) in [
        (
            "slack",
            2.2,
            json!({ "select": "channel", "channelId": { "__rl": true, "mode": "id", "value": "C1" }, "text": "hi", "otherOptions": {} }),
            "slackApi",
            json!({ "accessToken": "xoxb-1" }),
            "slack.com/api/chat.postMessage",
            "Bearer xoxb-1",
        ),
        (
            "twilio",
            1.0,
            json!({ "from": "+1", "to": "+2", "message": "hi", "options": {} }),
            "twilioApi",
            json!({ "accountSid": "AC1", "authToken": "tok" }),
            "api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
            "Basic QUMxOnRvaw==",
        ),
        (
            "sendGrid",
            1.0,
            json!({
                "resource": "mail", "operation": "send", "fromEmail": "a@x.example", "fromName": "A", "toEmail": "b@x.example",
                "subject": "s", "contentType": "text/plain", "contentValue": "hi", "additionalFields": {}
            }),
            "sendGridApi",
            json!({ "apiKey": "SG.1" }),
            "api.sendgrid.com/v3/mail/send",
            "Bearer SG.1",
        ),
    ] {
        let id = create(&owner, credential, data).await;
        let execution = run(&owner, workflow(node(kind, version, parameters, credential, &id))).await;
        assert_eq!(execution["status"], "success", "{kind} {execution}");
        let received = vendors.received(asked);
        assert_eq!(received.len(), 1, "{kind}");
        assert_eq!(received[0].authorization, authorization, "{kind}");
        assert_eq!(tested(&owner, &id).await.0, "OK", "{kind}");
    }
}

#[actix_web::test]
async fn mail_goes_through_the_server_of_a_stored_credential() {
    let postbox = Postbox::start(LOGIN).await;
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let data = |password: &str| json!({ "host": "127.0.0.1", "port": postbox.port, "secure": false, "disableStartTls": true, "user": "u", "password": password });
    let id = create(&owner, "smtp", data("pass-word")).await;
    let parameters = json!({
        "fromEmail": "ann@x.example", "toEmail": "bob@x.example", "subject": "Hello", "emailFormat": "text", "text": "world", "options": {}
    });
    let execution = run(&owner, workflow(node("emailSend", 2.1, parameters, "smtp", &id))).await;
    assert_eq!(execution["status"], "success", "{execution}");
    let told = postbox.told();
    for line in ["AUTH PLAIN AHUAcGFzcy13b3Jk", "RCPT TO:<bob@x.example>", "world"] {
        assert!(told.iter().any(|said| said.contains(line)), "{line}: {told:?}");
    }
    assert_eq!(tested(&owner, &id).await.0, "OK");
    let wrong = create(&owner, "smtp", data("other-word")).await;
    let (status, message) = tested(&owner, &wrong).await;
    assert_eq!(status, "Error");
    assert!(message.contains("no such login") && !message.contains("other-word"), "{message}");
}

#[actix_web::test]
async fn databases_are_reached_by_stored_credentials() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    if let Some(data) = login("MILLRACE_TEST_POSTGRES_URL") {
        let id = create(&owner, "postgres", data).await;
        let parameters = json!({ "operation": "executeQuery", "query": "SELECT 6 * 7 AS answer", "options": {} });
        let execution = run(&owner, workflow(node("postgres", 2.6, parameters, "postgres", &id))).await;
        assert_eq!(execution["status"], "success", "{execution}");
        assert!(execution.to_string().contains("\"answer\":42"), "{execution}");
        assert_eq!(tested(&owner, &id).await.0, "OK");
    }
    if let Some(data) = login("MILLRACE_TEST_REDIS_URL") {
        let id = create(&owner, "redis", data).await;
        let key = format!("stored:{}", uuid::Uuid::now_v7().simple());
        let parameters =
            json!({ "operation": "set", "key": key, "value": "kept", "keyType": "string", "expire": true, "ttl": 60 });
        let execution = run(&owner, workflow(node("redis", 1.0, parameters, "redis", &id))).await;
        assert_eq!(execution["status"], "success", "{execution}");
        let parameters = json!({ "operation": "get", "propertyName": "found", "key": key, "options": {} });
        let execution = run(&owner, workflow(node("redis", 1.0, parameters, "redis", &id))).await;
        assert!(execution.to_string().contains("\"found\":\"kept\""), "{execution}");
        assert_eq!(tested(&owner, &id).await.0, "OK");
    }
    for (kind, port) in [("postgres", 1), ("redis", 1)] {
        let away = create(&owner, kind, json!({ "host": "127.0.0.1", "port": port, "password": "PLANTED-away" })).await;
        let (status, message) = tested(&owner, &away).await;
        assert_eq!(status, "Error", "{kind}");
        assert!(!message.contains("PLANTED"), "{message}");
    }
}

#[actix_web::test]
async fn services_stay_within_what_credential_and_tenant_allow() {
    let postbox = Postbox::start(LOGIN).await;
    let server = TestServer::with(reaching_loopback).await;
    let owner = server.tenant("acme").await.owner;
    let cases = [
        (
            "smtp",
            "emailSend",
            2.1,
            json!({ "host": "127.0.0.1", "port": postbox.port, "secure": false, "disableStartTls": true }),
            json!({ "fromEmail": "a@x.example", "toEmail": "b@x.example", "subject": "s", "emailFormat": "text", "text": "t", "options": {} }),
        ),
        (
            "postgres",
            "postgres",
            2.6,
            json!({ "host": "127.0.0.1", "port": postbox.port }),
            json!({ "operation": "executeQuery", "query": "SELECT 1", "options": {} }),
        ),
        (
            "redis",
            "redis",
            1.0,
            json!({ "host": "127.0.0.1", "port": postbox.port }),
            json!({ "operation": "get", "propertyName": "found", "key": "k", "options": {} }),
        ),
    ];
    for (kind, name, version, data, parameters) in &cases {
        let body = json!({ "name": "confined", "type": kind, "data": data, "allowedHosts": ["db.example"] });
        let id = owner.post("/api/v1/credentials", body).await.json(201)["id"].as_str().unwrap().to_owned();
        let execution = run(&owner, workflow(node(name, *version, parameters.clone(), kind, &id))).await;
        assert!(error_of(&execution).contains("only with db.example"), "{kind} {execution}");
        let (status, message) = tested(&owner, &id).await;
        assert_eq!((status.as_str(), message.contains("only with db.example")), ("Error", true), "{message}");
    }
    // The tenant's own list holds for all of them.
    let settings = json!({ "settings": { "egressAllow": ["api.example.com"] } });
    owner.patch("/api/v1/tenants/current", settings).await.expect(200);
    for (kind, name, version, data, parameters) in &cases {
        let id = create(&owner, kind, data.clone()).await;
        let execution = run(&owner, workflow(node(name, *version, parameters.clone(), kind, &id))).await;
        assert!(error_of(&execution).contains("not allowed"), "{kind} {execution}");
    }
    assert!(postbox.told().is_empty(), "nothing was reached");
}
