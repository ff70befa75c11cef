//! Credentials of the tenant that a webhook's node asks its callers for.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

/// An active greeting at `path` that asks for the credential.
async fn guarded(tenant: &TestTenant, path: &str, asks: &str, kind: &str, data: Value) -> String {
    let credential = json!({ "name": format!("callers of {path}"), "type": kind, "data": data });
    let id = tenant.developer.post("/api/v1/credentials", credential).await.json(201)["id"].clone();
    let mut workflow = greeting(path);
    workflow["nodes"][0]["parameters"]["authentication"] = json!(asks);
    workflow["nodes"][0]["credentials"] = json!({ kind: { "id": id, "name": "callers" } });
    activated(&tenant.developer, workflow).await;
    id.as_str().unwrap().to_owned()
}

async fn call(server: &TestServer, path: &str, shown: Option<(&str, &str)>) -> u16 {
    let mut caller = server.visitor();
    if let Some((name, value)) = shown {
        caller = caller.with(name, value);
    }
    caller.post(&format!("/t/acme/webhook/{path}"), json!({ "name": "Ann" })).await.status.as_u16()
}

#[actix_web::test]
async fn callers_show_the_credential_that_the_node_names() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    guarded(&acme, "basic", "basicAuth", "httpBasicAuth", json!({ "user": "ann", "password": "hush" })).await;
    guarded(&acme, "header", "headerAuth", "httpHeaderAuth", json!({ "name": "X-Token", "value": "hush" })).await;
    let passphrase = json!({ "keyType": "passphrase", "secret": "hush", "algorithm": "HS256" });
    guarded(&acme, "jwt", "jwtAuth", "jwtAuth", passphrase).await;
    let token = |secret: &str, algorithm| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        format!("Bearer {}", jsonwebtoken::encode(&Header::new(algorithm), &json!({ "sub": "a" }), &key).unwrap())
    };
    for (path, shown, expected) in [
        ("basic", None, 401),
        ("basic", Some(("authorization", "Basic YW5uOndyb25n".to_owned())), 403),
        ("basic", Some(("authorization", "Basic YW5uOmh1c2g=".to_owned())), 200),
        ("header", None, 403),
        ("header", Some(("x-token", "hus".to_owned())), 403),
        ("header", Some(("x-token", "hush".to_owned())), 200),
        ("jwt", None, 401),
        ("jwt", Some(("authorization", token("other", Algorithm::HS256))), 403),
        ("jwt", Some(("authorization", token("hush", Algorithm::HS512))), 403),
        ("jwt", Some(("authorization", token("hush", Algorithm::HS256))), 200),
    ] {
        let shown = shown.as_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(call(&server, path, shown).await, expected, "{path} {shown:?}");
    }
    let runs = acme.viewer.get("/api/v1/executions").await.json(200);
    assert_eq!(runs["data"].as_array().unwrap().len(), 3, "refused calls start nothing");
}

#[actix_web::test]
async fn without_its_credential_a_webhook_lets_nobody_in() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut nameless = greeting("nameless");
    nameless["nodes"][0]["parameters"]["authentication"] = json!("basicAuth");
    let created = acme.developer.post("/api/v1/workflows", nameless).await.json(201);
    let path = format!("/api/v1/workflows/{}/activate", created["id"].as_str().unwrap());
    let refused = acme.developer.post(&path, json!({})).await.problem(422, "workflow_not_runnable");
    assert_eq!(refused["errors"][0]["code"], "webhook.credentials_missing", "{refused}");
    let id =
        guarded(&acme, "gone", "headerAuth", "httpHeaderAuth", json!({ "name": "X-Token", "value": "hush" })).await;
    assert_eq!(call(&server, "gone", Some(("x-token", "hush"))).await, 200);
    let share = json!({ "workflows": [], "nodeTypes": null });
    acme.developer.post(&format!("/api/v1/credentials/{id}/share"), share).await.expect(200);
    // What is known of a credential is believed for a moment.
    let mut status = 200;
    for _ in 0..100 {
        status = call(&server, "gone", Some(("x-token", "hush"))).await;
        if status != 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 500);
}
