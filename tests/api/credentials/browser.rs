//! Accounts connected as people do it: a real browser, a real authorisation server, a real socket in between.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{create, error_of, http_request, reaching_loopback, run_workflow, workflow};
use crate::support::{Browser, Client, OidcProvider, PASSWORD, TestServer, TestTenant, email};

struct Stage {
    server: TestServer,
    tenant: TestTenant,
    provider: OidcProvider,
    browser: Browser,
}

impl Stage {
    async fn set() -> Option<Stage> {
        if !Browser::is_there() {
            return None;
        }
        let server = TestServer::listening(reaching_loopback).await;
        let callback = format!("{}/api/v1/credentials/oauth/callback", server.app.config.public_url());
        let tenant = server.tenant("acme").await;
        Some(Stage { provider: OidcProvider::asking(&[&callback]), browser: Browser::start().await, server, tenant })
    }

    async fn credential(&self) -> String {
        let issuer = &self.provider.issuer;
        let data = json!({
            "clientId": OidcProvider::CLIENT_ID, "clientSecret": OidcProvider::CLIENT_SECRET, "authUrl": format!("{issuer}/auth"),
            "accessTokenUrl": format!("{issuer}/token"), "revocationUrl": format!("{issuer}/token/revocation"),
            "scope": "openid offline_access email", "authQueryParameters": "prompt=consent"
        });
        create(self.client(), "oAuth2Api", data).await
    }

    /// Asks, in the browser, where to go to connect the account.
    async fn start(&self, id: &str, role: millrace::domains::users::Role, tenant: &str) -> Value {
        // A page of the server that may ask it things.
        self.browser.open(&format!("{}/api-docs/", self.server.app.config.public_url())).await;
        let login = json!({ "email": email(role, tenant), "password": PASSWORD });
        let script = format!(
            "return (async () => {{
                const json = {{ 'content-type': 'application/json' }};
                const login = await fetch('/api/v1/auth/login', {{ method: 'POST', headers: json, body: JSON.stringify({login}) }});
                const headers = {{ ...json, authorization: 'Bearer ' + (await login.json()).accessToken }};
                const started = await fetch('/api/v1/credentials/{id}/oauth/start', {{ method: 'POST', headers, body: '{{}}' }});
                return {{ status: started.status, body: await started.json() }};
            }})()"
        );
        self.browser.run(&script).await
    }

    async fn go(&self, id: &str) -> String {
        let started = self.start(id, millrace::domains::users::Role::Owner, "acme").await;
        let url = started["body"]["authorizationUrl"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
        self.browser.open(&url).await;
        url
    }

    /// Whose key outlives the jumps of the clock.
    fn client(&self) -> &Client {
        &self.tenant.api_key
    }
}

#[actix_web::test]
async fn an_account_is_connected_used_renewed_and_revoked() {
    let Some(stage) = Stage::set().await else { return };
    let id = stage.credential().await;
    stage.go(&id).await;
    stage.browser.agree_at_provider("someone").await;
    stage.browser.sees("is connected").await;
    let path = format!("/api/v1/credentials/{id}");
    let shown = stage.client().get(&path).await.json(200);
    assert_eq!((&shown["status"], &shown["problem"]), (&json!("ready"), &Value::Null));
    // Coming back the same way again.
    let used = stage.browser.address().await;
    stage.browser.open(&used).await;
    stage.browser.sees("oauth_state_used").await;

    // A workflow asks the provider who that is, which it tells only for a token it gave.
    let who = workflow(http_request(&format!("{}/me", stage.provider.issuer), "oAuth2Api", json!({ "id": id })));
    let made = stage.client().post("/api/v1/workflows", who).await.json(201);
    let workflow = made["id"].as_str().unwrap();
    for _ in 0..3 {
        let execution = run_workflow(stage.client(), workflow).await;
        assert_eq!(execution["status"], "success", "{execution}");
        assert!(execution.to_string().contains("someone@acme.example"), "{execution}");
        // Over: each renewal takes the refresh token of the one before, which the provider takes once.
        stage.server.clock.advance(Duration::from_secs(4000));
    }
    let audit = stage.client().get("/api/v1/audit?limit=250").await.json(200);
    let renewals = audit["data"].as_array().unwrap().iter().filter(|row| row["action"] == "credential.renew").count();
    assert_eq!(renewals, 2);
    // The provider itself ended the access: the renewal fails and says so.
    stage.client().send(Method::PATCH, &path, Some(json!({ "data": { "clientSecret": "wrong" } }))).await.expect(200);
    let execution = run_workflow(stage.client(), workflow).await;
    assert!(error_of(&execution).contains("invalid_client"), "{execution}");
    assert_eq!(stage.client().get(&path).await.json(200)["status"], "reconnectNeeded");
    stage.client().delete(&path).await.expect(200);
    stage.browser.quit().await;
}

#[actix_web::test]
async fn denied_consent_other_browsers_and_other_tenants_connect_nothing() {
    let Some(stage) = Stage::set().await else { return };
    let id = stage.credential().await;
    let path = format!("/api/v1/credentials/{id}");
    stage.go(&id).await;
    stage.browser.click("a[href$='/abort']").await;
    stage.browser.sees("oauth_consent_denied").await;
    // Another browser, without the cookie, is led to the provider's page and agrees.
    let started = stage.start(&id, millrace::domains::users::Role::Owner, "acme").await;
    let other = Browser::start().await;
    other.open(started["body"]["authorizationUrl"].as_str().unwrap()).await;
    other.agree_at_provider("victim").await;
    other.sees("oauth_other_browser").await;
    other.quit().await;
    // Somebody of another tenant asks for the same credential.
    stage.server.tenant("globex").await;
    let refused = stage.start(&id, millrace::domains::users::Role::Owner, "globex").await;
    assert_eq!((&refused["status"], &refused["body"]["code"]), (&json!(404), &json!("credential_not_found")));
    assert_eq!(stage.client().get(&path).await.json(200)["status"], "notConnected");
    stage.browser.quit().await;
}

#[actix_web::test]
async fn a_stranger_connects_on_the_hosted_page() {
    let Some(stage) = Stage::set().await else { return };
    let issuer = &stage.provider.issuer;
    let data = json!({
        "clientId": OidcProvider::CLIENT_ID, "clientSecret": OidcProvider::CLIENT_SECRET, "authUrl": format!("{issuer}/auth"),
        "accessTokenUrl": format!("{issuer}/token"), "scope": "openid offline_access", "authQueryParameters": "prompt=consent"
    });
    let body = json!({ "type": "oAuth2Api", "name": "Their account", "data": data });
    let session = stage.client().post("/api/v1/credentials/connect-sessions", body).await.json(201);
    stage.browser.open(session["url"].as_str().unwrap()).await;
    stage.browser.sees("Their account").await;
    stage.browser.click("button").await;
    stage.browser.agree_at_provider("customer").await;
    stage.browser.sees("is connected").await;
    let path = format!("/api/v1/credentials/connect-sessions/{}", session["id"].as_str().unwrap());
    let outcome = stage.client().get(&path).await.json(200);
    assert_eq!(outcome["status"], "connected", "{outcome}");
    let credential = format!("/api/v1/credentials/{}", outcome["credentialId"].as_str().unwrap());
    assert_eq!(stage.client().get(&credential).await.json(200)["status"], "ready");
    stage.browser.quit().await;
}
