//! Whoever may change a credential without knowing its secrets cannot have them sent elsewhere.

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde_json::{Value, json};

use super::oauth::{authorisation_server, connected};
use super::{create, server};
use crate::support::Vendor;

#[actix_web::test]
async fn a_secret_that_would_go_elsewhere_is_entered_again() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let listening = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let away = "http://127.0.0.1:1";
    for (kind, data, change, secret) in [
        (
            "githubApi",
            json!({ "server": away, "accessToken": "old" }),
            json!({ "server": listening.url }),
            "/data/accessToken",
        ),
        ("openAiApi", json!({ "apiKey": "old" }), json!({ "url": format!("{}/v1", listening.url) }), "/data/apiKey"),
        ("smtp", json!({ "host": "a.example", "password": "old" }), json!({ "host": "127.0.0.1" }), "/data/password"),
        ("postgres", json!({ "host": "a.example", "password": "old" }), json!({ "port": 1 }), "/data/password"),
        (
            "oAuth2Api",
            json!({ "clientId": "c", "clientSecret": "old", "grantType": "clientCredentials", "accessTokenUrl": away }),
            json!({ "accessTokenUrl": listening.url }),
            "/data/clientSecret",
        ),
        (
            "httpHeaderAuth",
            json!({ "name": "x", "value": "old", "allowedHttpRequestDomains": "domains", "allowedDomains": "a.example" }),
            json!({ "allowedDomains": "a.example, b.example" }),
            "/data/value",
        ),
    ] {
        let id = create(&owner, kind, data).await;
        let path = format!("/api/v1/credentials/{id}");
        let field = secret.strip_prefix("/data/").unwrap();
        let shown = owner.get(&path).await.json(200);
        let mut whole = json!({ "name": "x", "data": shown["data"] });
        for (name, value) in change.as_object().unwrap() {
            whole["data"][name] = value.clone();
        }
        let refused = owner.patch(&path, json!({ "data": change })).await;
        refused.problem_at(422, "invalid_body", &[secret]);
        let problem = owner.send(Method::PUT, &path, Some(whole.clone())).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["code"], "enter_again", "{problem}");
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains("enter it again"), "{problem}");
        owner.post(&format!("{path}/test"), json!({})).await.expect(200);
        assert!(listening.asked().is_empty(), "{kind}");
        assert_eq!(owner.get(&path).await.json(200), shown, "nothing was changed");
        whole["data"][field] = json!("new");
        owner.send(Method::PUT, &path, Some(whole)).await.expect(200);
        owner.patch(&path, json!({ "name": "a change that moves nothing" })).await.expect(200);
    }
}

#[actix_web::test]
async fn hosts_become_more_only_with_the_secret() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let body = json!({ "name": "x", "type": "httpBearerAuth", "data": { "token": "old" }, "allowedHosts": ["*.a.example", "b.example"] });
    let made = owner.post("/api/v1/credentials", body).await.json(201);
    let path = format!("/api/v1/credentials/{}", made["id"].as_str().unwrap());
    for hosts in [json!(null), json!(["*.a.example", "c.example"]), json!(["a.example"]), json!(["*.b.example"])] {
        let change = json!({ "allowedHosts": hosts });
        owner.patch(&path, change).await.problem_at(422, "invalid_body", &["/data/token"]);
    }
    // A PUT that does not name them is for any host.
    let body = json!({ "name": "x", "data": made["data"] });
    owner.send(Method::PUT, &path, Some(body)).await.problem_at(422, "invalid_body", &["/data/token"]);
    for hosts in [json!(["x.a.example", "b.example"]), json!(["b.example"]), json!([])] {
        owner.patch(&path, json!({ "allowedHosts": hosts })).await.expect(200);
    }
    owner.patch(&path, json!({ "allowedHosts": null, "data": { "token": "new" } })).await.expect(200);
}

#[actix_web::test]
async fn tokens_do_not_move_to_another_server() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let (authority, other) = (authorisation_server(), Vendor::start(|_| HttpResponse::Ok().json(json!({}))));
    let id = connected(&server, &tenant, &authority.url).await;
    let path = format!("/api/v1/credentials/{id}");
    let change = json!({ "data": { "accessTokenUrl": other.url } });
    tenant.api_key.patch(&path, change).await.problem_at(422, "invalid_body", &["/data/clientSecret"]);
    let change = json!({ "data": { "accessTokenUrl": other.url, "clientSecret": "entered-again" } });
    let changed = tenant.api_key.patch(&path, change).await.json(200);
    assert_eq!((&changed["status"], &changed["data"]["oauthTokenData"]), (&json!("notConnected"), &Value::Null));
    server.clock.advance(std::time::Duration::from_secs(7200));
    tenant.api_key.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert!(other.asked().is_empty(), "no refresh token goes there");
}
