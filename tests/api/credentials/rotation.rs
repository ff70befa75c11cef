//! Keys: from every source, rotated while credentials are in use, and refused by name where they are the wrong ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::HttpResponse;
use millrace::app::App;
use millrace::common::Secret;
use millrace::infrastructure::config::KeySource;
use serde_json::{Value, json};

use super::create;
use crate::support::{Asked, TestServer, TestTenant, Vendor, administrator};

const ONE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const TWO: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

async fn keys(tenant: &TestTenant) -> Value {
    tenant.admin.get("/api/v1/credentials/keys").await.json(200)
}

#[actix_web::test]
async fn a_tenants_key_is_rotated_while_credentials_are_in_use() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let foreign = create(&globex.owner, "httpBasicAuth", json!({ "password": "p" })).await;
    let mut ids = Vec::new();
    for number in 0..120 {
        ids.push(create(&acme.owner, "httpBasicAuth", json!({ "user": number.to_string(), "password": "p" })).await);
    }
    let before = keys(&acme).await;
    assert_eq!((&before["total"], &before["resealed"]), (&json!(120), &json!(120)));
    let rotated = acme.admin.post("/api/v1/credentials/keys/rotate", json!({})).await.json(200);
    assert_eq!(rotated["versions"][0]["version"], 2);
    // Reading and writing go on.
    for id in ids.iter().step_by(20) {
        let path = format!("/api/v1/credentials/{id}");
        acme.owner.get(&path).await.expect(200);
        acme.owner.patch(&path, json!({ "name": "changed meanwhile" })).await.expect(200);
    }
    for _ in 0..500 {
        if keys(&acme).await["resealed"] == 120 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = keys(&acme).await;
    assert_eq!((&after["resealed"], &after["versions"][1]["credentials"]), (&json!(120), &json!(0)), "{after}");
    for (number, id) in ids.iter().enumerate() {
        let shown = acme.owner.get(&format!("/api/v1/credentials/{id}")).await.json(200);
        assert_eq!(shown["data"]["user"], number.to_string());
    }
    // The old version goes when nobody can be about to store what it sealed.
    server.app.credentials.look_after_keys().await.unwrap();
    assert_eq!(keys(&acme).await["versions"].as_array().unwrap().len(), 2);
    server.clock.advance(Duration::from_secs(2 * 3600));
    server.app.credentials.look_after_keys().await.unwrap();
    assert_eq!(
        server.app.credentials.encryption(&millrace::common::Ctx::system(acme.id)).await.unwrap().versions.len(),
        1
    );
    let ctx = millrace::common::Ctx::system(globex.id);
    assert_eq!(server.app.credentials.get(&ctx, &foreign).await.unwrap().name, "my httpBasicAuth");
}

#[actix_web::test]
async fn the_operators_key_is_rotated_for_all_tenants() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let mut made = Vec::new();
    for tenant in [&acme, &globex] {
        made.push((tenant, create(&tenant.owner, "httpBasicAuth", json!({ "password": "p" })).await));
    }
    let old = keys(&acme).await["keyId"].clone();
    let new = server.app.credentials.rotate_wrapping_key().await.unwrap();
    assert_ne!(json!(new), old);
    for (tenant, id) in &made {
        let keys = keys(tenant).await;
        assert_eq!((&keys["keyId"], &keys["versions"][0]["keyId"]), (&json!(new), &json!(new)));
        tenant.owner.get(&format!("/api/v1/credentials/{id}")).await.expect(200);
    }
    let administrator = administrator(&server).await;
    let rotated = administrator.post("/api/v1/admin/keys/rotate", json!({})).await.json(200);
    assert_eq!((&rotated["dataKeys"], &rotated["wrapped"]), (&json!(2), &json!(2)));
    assert_ne!(rotated["keyId"], json!(new));
    assert_eq!(administrator.get("/api/v1/admin/keys").await.json(200), rotated);
    // Another process, begun with the same files, opens what this one sealed.
    let again = App::build((*server.app.config).clone(), server.clock.clone()).await.unwrap();
    let ctx = millrace::common::Ctx::system(acme.id);
    again.credentials.get(&ctx, &made[0].1).await.unwrap();
}

#[actix_web::test]
async fn a_server_with_the_wrong_key_does_not_start() {
    let server = TestServer::with(|config| {
        config.encryption.source = KeySource::Env;
        config.encryption.keys = Secret::new(ONE.to_owned());
    })
    .await;
    let acme = server.tenant("acme").await;
    create(&acme.owner, "httpBasicAuth", json!({ "password": "p" })).await;
    let needed = keys(&acme).await["keyId"].as_str().unwrap().to_owned();
    let start = async |source: KeySource, keys: &str| {
        let mut config = (*server.app.config).clone();
        let elsewhere = tempfile::tempdir().unwrap();
        config.data.directory = elsewhere.path().to_owned();
        config.encryption.source = source;
        config.encryption.keys = Secret::new(keys.to_owned());
        let built = App::build(config, server.clock.clone()).await;
        assert!(!elsewhere.path().join("keys/encryption.key").exists(), "a lost key is not covered up by a new one");
        built.map(drop).map_err(|error| format!("{:?}", error))
    };
    let error = start(KeySource::Env, TWO).await.unwrap_err();
    assert!(error.contains(&needed), "{error}");
    assert!(!error.contains(ONE) && !error.contains(TWO), "{error}");
    assert!(start(KeySource::File, "").await.unwrap_err().contains("encryption.key"));
    start(KeySource::Env, &format!("{TWO},{ONE}")).await.unwrap();
}

/// The transit engine, played: remembers what it wrapped, and for which associated data.
fn transit() -> Vendor {
    type Wrapped = HashMap<String, (Value, Value)>;
    let state: Arc<Mutex<(u64, Wrapped)>> = Arc::new(Mutex::new((1, HashMap::new())));
    Vendor::start(move |asked: &Asked| {
        if asked.header("x-vault-token") != Some("root-token") {
            return HttpResponse::Forbidden().json(json!({ "errors": ["permission denied"] }));
        }
        let mut state = state.lock().unwrap();
        match asked.path.as_str() {
            "/v1/transit/keys/millrace" => HttpResponse::Ok().json(json!({ "data": { "latest_version": state.0 } })),
            "/v1/transit/keys/millrace/rotate" => {
                state.0 += 1;
                HttpResponse::NoContent().finish()
            }
            "/v1/transit/encrypt/millrace" => {
                let text = format!("vault:v{}:{}", state.0, state.1.len());
                let body = asked.json();
                state.1.insert(text.clone(), (body["plaintext"].clone(), body["associated_data"].clone()));
                HttpResponse::Ok().json(json!({ "data": { "ciphertext": text } }))
            }
            "/v1/transit/decrypt/millrace" => {
                let body = asked.json();
                match state.1.get(body["ciphertext"].as_str().unwrap()) {
                    Some((plain, bound)) if *bound == body["associated_data"] => {
                        HttpResponse::Ok().json(json!({ "data": { "plaintext": plain } }))
                    }
                    _ => HttpResponse::BadRequest().json(json!({ "errors": ["unable to decrypt"] })),
                }
            }
            _ => HttpResponse::NotFound().json(json!({ "errors": [] })),
        }
    })
}

#[actix_web::test]
async fn keys_may_stay_in_a_key_management_service() {
    let vault = transit();
    let url = vault.url.clone();
    let server = TestServer::with(move |config| {
        config.encryption.source = KeySource::Vault;
        config.encryption.vault.url = url;
        config.encryption.vault.token = Secret::new("root-token".to_owned());
    })
    .await;
    let acme = server.tenant("acme").await;
    let id = create(&acme.owner, "httpBasicAuth", json!({ "user": "u", "password": "p" })).await;
    assert_eq!(keys(&acme).await["versions"][0]["keyId"], "transit/millrace:v1");
    assert_eq!(server.app.credentials.rotate_wrapping_key().await.unwrap(), "transit/millrace:v2");
    assert_eq!(keys(&acme).await["versions"][0]["keyId"], "transit/millrace:v2");
    let again = App::build((*server.app.config).clone(), server.clock.clone()).await.unwrap();
    assert_eq!(
        again.credentials.get(&millrace::common::Ctx::system(acme.id), &id).await.unwrap().name,
        "my httpBasicAuth"
    );
    // The service is away, or refuses.
    let mut config = (*server.app.config).clone();
    config.encryption.vault.token = Secret::new("stale-token".to_owned());
    let error = App::build(config, server.clock.clone()).await.map(drop).unwrap_err();
    assert!(format!("{error:?}").contains("permission denied"), "{error:?}");
    drop(vault);
    let fresh = server.tenant("globex").await;
    let body = json!({ "name": "x", "type": "httpBasicAuth", "data": { "user": "u" } });
    fresh.owner.post("/api/v1/credentials", body).await.problem(503, "encryption_keys_unavailable");
    acme.owner.get(&format!("/api/v1/credentials/{id}")).await.expect(200);
}
