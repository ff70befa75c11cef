//! Secrets that stay where they are: read when a credential is used, by the tenant that may, and shown nowhere.

use actix_web::HttpResponse;
use millrace::common::Secret;
use serde_json::json;

use super::{create, error_of, http_request, reaching_loopback, run, workflow};
use crate::support::{TestServer, Vendor};

#[actix_web::test]
async fn fields_are_read_from_their_providers_when_they_are_used() {
    let kv = Vendor::start(|asked| match (asked.header("x-vault-token"), asked.path.as_str()) {
        (Some("kv-token"), path) if path.starts_with("/v1/secret/data/tenants/") && path.ends_with("/billing/live") => {
            HttpResponse::Ok()
                .json(json!({ "data": { "data": { "key": "PLANTED-vault", "number": 7 }, "metadata": {} } }))
        }
        (Some("kv-token"), path) if path.ends_with("/broken") => HttpResponse::Ok().body("<html>"),
        (Some("kv-token"), _) => HttpResponse::NotFound().json(json!({ "errors": [] })),
        _ => HttpResponse::Forbidden().json(json!({ "errors": ["permission denied"] })),
    });
    let url = kv.url.clone();
    let server = TestServer::with(move |config| {
        reaching_loopback(config);
        config.secrets.env_allow = vec!["PATH".to_owned()];
        config.secrets.vault.url = url;
        config.secrets.vault.token = Secret::new("kv-token".to_owned());
        config.secrets.vault.path = "tenants/{tenant}".to_owned();
    })
    .await;
    let tenant = server.tenant("acme").await;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let path = format!("Bearer {}", std::env::var("PATH").unwrap());
    for (token, expected) in [
        ("={{ $secrets.vault.billing.live.key }}", Ok("Bearer PLANTED-vault")),
        ("=v{{ $secrets.vault.billing.live.number }}!", Ok("Bearer v7!")),
        ("={{ $secrets.env.PATH }}", Ok(path.as_str())),
        ("={{ $secrets.env.HOME }}", Err("does not exist, or the operator does not allow it")),
        ("={{ $secrets.vault.nothing.key }}", Err("does not exist")),
        ("={{ $secrets.vault.billing.live.other }}", Err("does not exist")),
        ("={{ $secrets.vault.x.broken.key }}", Err("not JSON")),
        ("={{ $secrets.aws.x }}", Err("no provider of secrets \"aws\"")),
    ] {
        let id = create(&tenant.owner, "httpBearerAuth", json!({ "token": token })).await;
        let execution =
            run(&tenant.owner, workflow(http_request(&vendor.url, "httpBearerAuth", json!({ "id": id })))).await;
        match expected {
            Ok(header) => assert_eq!(vendor.last().header("authorization"), Some(header), "{token} {execution}"),
            Err(message) => assert!(error_of(&execution).contains(message), "{token} {execution}"),
        }
        assert!(!execution.to_string().contains("PLANTED"), "{execution}");
    }
    let path = kv.asked()[0].path.clone();
    assert!(path.contains(&tenant.id.to_string()), "each tenant has a path of its own: {path}");
    let body = json!({ "name": "x", "type": "httpBearerAuth", "data": { "token": "={{ $env.HOME }}" } });
    tenant.owner.post("/api/v1/credentials", body).await.problem_at(422, "invalid_body", &["/data/token"]);
}
