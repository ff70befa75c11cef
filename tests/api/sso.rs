//! Single sign-on against a real OpenID provider.

use std::time::Duration;

use millrace::domains::users::{Email, Role};
use serde_json::{Value, json};

use crate::support::{Client, OidcProvider, Reply, TestServer, TestTenant, add};

const PROVIDER: &str = "/api/v1/auth/sso/provider";
const REDIRECT: &str = "http://localhost:8080/api/v1/auth/sso/callback";
const ME: &str = "/api/v1/auth/me";

/// A server whose tenant `acme` signs in at the provider; None without Node.js.
async fn arranged(settings: Value) -> Option<(TestServer, TestTenant, OidcProvider)> {
    let provider = OidcProvider::hinted(REDIRECT)?;
    let server =
        TestServer::with(|config| config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()])
            .await;
    let tenant = server.tenant("acme").await;
    let mut body = json!({ "issuer": provider.issuer, "clientId": OidcProvider::CLIENT_ID, "clientSecret": OidcProvider::CLIENT_SECRET });
    for (name, value) in settings.as_object().unwrap() {
        body[name] = value.clone();
    }
    let put = tenant.owner.send(actix_web::http::Method::PUT, PROVIDER, Some(body)).await.json(200);
    assert_eq!((&put["redirectUrl"], &put["hasClientSecret"]), (&json!(REDIRECT), &json!(true)));
    assert!(!put.to_string().contains(OidcProvider::CLIENT_SECRET));
    Some((server, tenant, provider))
}

/// A browser at the provider: keeps cookies, follows redirects until one leads back to us. Gives that address, from the path on.
async fn at_the_provider(mut url: String, person: &str) -> String {
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(crate::sockets::trusting_nobody())
        .build()
        .unwrap();
    url.push_str(&format!("&login_hint={person}"));
    let mut cookies: Vec<(String, String)> = Vec::new();
    for _ in 0..10 {
        let header = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = browser.get(&url).header("cookie", header).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.retain(|(known, _)| known != name);
            cookies.push((name.to_owned(), value.to_owned()));
        }
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        assert!(location.is_some(), "{}", answer.text().await.unwrap());
        url = url::Url::parse(&url).unwrap().join(&location.unwrap()).unwrap().into();
        if let Some(back) = url.strip_prefix("http://localhost:8080") {
            return back.to_owned();
        }
    }
    unreachable!("the provider sends around in circles")
}

/// Leaves for the provider; gives its address and the browser's cookie.
async fn leave(server: &TestServer) -> (String, String) {
    let start = server.visitor().get("/api/v1/auth/sso/acme/start").await.expect(302);
    let cookie = start.header("set-cookie").unwrap().to_owned();
    for expected in ["HttpOnly", "SameSite=Lax", "Path=/api/v1/auth/sso"] {
        assert!(cookie.contains(expected), "{cookie}");
    }
    let location = start.header("location").unwrap().to_owned();
    assert!(location.contains("code_challenge_method=S256") && location.contains("nonce="), "{location}");
    (location, cookie.split(';').next().unwrap().to_owned())
}

async fn come_back(server: &TestServer, path: &str, cookie: &str) -> Reply {
    server.visitor().with("cookie", cookie).get(path).await
}

async fn sign_in(server: &TestServer, person: &str) -> Reply {
    let (location, cookie) = leave(server).await;
    let back = at_the_provider(location, person).await;
    come_back(server, &back, &cookie).await
}

fn bearer(server: &TestServer, session: &Value) -> Client {
    server.bearer(session["accessToken"].as_str().unwrap())
}

#[actix_web::test]
async fn a_member_is_recognised_by_a_verified_address() {
    let Some((server, tenant, _provider)) = arranged(json!({})).await else { return };
    add(&server, tenant.id, "ann@acme.example", Role::Developer).await;
    let session = sign_in(&server, "ann").await.json(200);
    let me = bearer(&server, &session).get(ME).await.json(200);
    assert_eq!((&me["user"]["email"], &me["role"]), (&json!("ann@acme.example"), &json!("developer")));
    let logins = bearer(&server, &session).get("/api/v1/auth/sessions").await.json(200);
    assert_eq!(logins["data"][0]["method"], "sso");
    let actions: Vec<_> = tenant.audit().await.into_iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions[..2], ["user.ssoLogin", "user.identityLink"]);
    // The second time by what the provider knows them as.
    sign_in(&server, "ann").await.expect(200);
    let newest = tenant.audit().await;
    assert_eq!((&newest[0]["action"], &newest[1]["action"]), (&json!("user.ssoLogin"), &json!("user.ssoLogin")));
}

#[actix_web::test]
async fn strangers_become_members_only_where_the_tenant_wants_them() {
    let Some((server, tenant, _provider)) = arranged(json!({ "emailDomains": ["acme.example"] })).await else { return };
    sign_in(&server, "bob").await.problem(403, "sso_not_allowed");
    let mut settings = tenant.owner.get(PROVIDER).await.json(200);
    for derived in ["hasClientSecret", "redirectUrl", "updatedAt"] {
        settings.as_object_mut().unwrap().remove(derived);
    }
    settings["createMembers"] = json!(true);
    settings["defaultRole"] = json!("operator");
    // The secret is not sent again, and stays.
    tenant.owner.send(actix_web::http::Method::PUT, PROVIDER, Some(settings)).await.expect(200);
    let session = sign_in(&server, "bob").await.json(200);
    let me = bearer(&server, &session).get(ME).await.json(200);
    assert_eq!((&me["user"]["name"], &me["role"]), (&json!("bob of Acme"), &json!("operator")));
    // Neither an address of another domain, nor one that the provider has not verified.
    sign_in(&server, "eve@elsewhere.example").await.problem(403, "sso_not_allowed");
    sign_in(&server, "unverified-eve@acme.example").await.problem(403, "sso_not_allowed");
}

#[actix_web::test]
async fn nobody_elses_account_is_taken_over() {
    let Some((server, _, _provider)) = arranged(json!({ "createMembers": true })).await else { return };
    server.tenant("globex").await;
    sign_in(&server, "owner@globex.example").await.problem(403, "sso_not_allowed");
    let victim = server.app.users.find_by_email(&Email::new("owner@globex.example")).await.unwrap().unwrap();
    assert_eq!(victim.1.len(), 1, "and nobody is made a member");
}

#[actix_web::test]
async fn only_the_browser_that_left_comes_back_and_once() {
    let Some((server, tenant, _provider)) = arranged(json!({})).await else { return };
    add(&server, tenant.id, "ann@acme.example", Role::Viewer).await;
    // Another browser, or none at all: somebody was sent a link to sign in as another.
    let (location, _) = leave(&server).await;
    let (_, other_cookie) = leave(&server).await;
    let back = at_the_provider(location, "ann").await;
    come_back(&server, &back, &other_cookie).await.problem(401, "sso_failed");
    // A used state, a changed one, a changed code.
    let (location, cookie) = leave(&server).await;
    let back = at_the_provider(location, "ann").await;
    come_back(&server, &back.replace("state=", "state=x"), &cookie).await.problem(401, "sso_failed");
    come_back(&server, &back, &cookie).await.expect(200);
    come_back(&server, &back, &cookie).await.problem(401, "sso_failed");
    let (location, cookie) = leave(&server).await;
    let back = at_the_provider(location, "ann").await;
    come_back(&server, &back.replace("code=", "code=x"), &cookie).await.problem(401, "sso_failed");
    // Too late, and refused by the provider.
    let (location, cookie) = leave(&server).await;
    let back = at_the_provider(location, "ann").await;
    server.clock.advance(Duration::from_secs(601));
    come_back(&server, &back, &cookie).await.problem(401, "sso_failed");
    sign_in(&server, "nobody").await.problem(401, "sso_failed");
}

#[actix_web::test]
async fn a_login_by_the_provider_speaks_for_its_tenant_only() {
    let Some((server, tenant, _provider)) = arranged(json!({})).await else { return };
    let globex = server.tenant("globex").await;
    let user = add(&server, globex.id, "ann@acme.example", Role::Viewer).await;
    let (account, _) = server.app.users.find_account(user).await.unwrap().unwrap();
    let transaction = server.app.database.begin(tenant.id).await.unwrap();
    let ctx = millrace::common::Ctx::system(tenant.id);
    server.app.users.join(&transaction, &ctx, &account, Role::Viewer).await.unwrap();
    transaction.commit().await.unwrap();
    let login = json!({ "email": "ann@acme.example", "password": crate::support::PASSWORD, "tenant": globex.slug });
    let elsewhere = server.visitor().post("/api/v1/auth/login", login).await.json(200);
    let elsewhere = bearer(&server, &elsewhere);
    assert_eq!(elsewhere.get(ME).await.json(200)["tenant"]["slug"], "globex");
    let session = sign_in(&server, "ann").await.json(200);
    let here = bearer(&server, &session);
    let switch = here.post("/api/v1/auth/switch", json!({ "tenant": globex.slug })).await;
    switch.problem(403, "login_of_one_tenant");
    let reached = here.get("/api/v1/auth/tenants").await.json(200);
    assert_eq!(reached["data"].as_array().unwrap().len(), 1, "{reached}");
    here.post("/api/v1/auth/logout-everywhere", json!(null)).await.expect(204);
    here.get(ME).await.problem(401, "invalid_token");
    elsewhere.get(ME).await.expect(200);
}

#[actix_web::test]
async fn no_tenants_provider_makes_somebody_administer_the_platform() {
    let Some((server, tenant, _provider)) = arranged(json!({})).await else { return };
    let user = add(&server, tenant.id, "ann@acme.example", Role::Viewer).await;
    let (account, _) = server.app.users.find_account(user).await.unwrap().unwrap();
    let ctx = millrace::common::Ctx::system(tenant.id);
    let transaction = server.app.database.begin(&ctx).await.unwrap();
    server.app.users.appoint(&transaction, &ctx, account).await.unwrap();
    transaction.commit().await.unwrap();
    let administrator = crate::support::sign_in(&server, "ann@acme.example").await;
    administrator.get("/api/v1/admin/tenants").await.expect(200);
    let session = sign_in(&server, "ann").await.json(200);
    bearer(&server, &session).get("/api/v1/admin/tenants").await.problem(403, "administrator_needed");
}

#[actix_web::test]
async fn providers_are_reached_within_the_egress_policy_only() {
    let Some(provider) = OidcProvider::hinted(REDIRECT) else { return };
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let body = json!({ "issuer": provider.issuer, "clientId": "millrace" });
    tenant.owner.send(actix_web::http::Method::PUT, PROVIDER, Some(body)).await.expect(200);
    let reply = server.visitor().get("/api/v1/auth/sso/acme/start").await;
    reply.problem(503, "identity_provider_unavailable");
}

#[actix_web::test]
async fn settings_that_cannot_work_are_refused() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let put = async |client: &Client, changed: Value| {
        let mut body = json!({ "issuer": "https://id.acme.example", "clientId": "millrace" });
        for (name, value) in changed.as_object().unwrap() {
            body[name] = value.clone();
        }
        client.send(actix_web::http::Method::PUT, PROVIDER, Some(body)).await
    };
    for issuer in
        ["http://id.acme.example", "ftp://id.acme.example", "nonsense", "https://a:b@id.acme.example", "https://x/?a"]
    {
        put(&tenant.owner, json!({ "issuer": issuer })).await.problem_at(422, "invalid_body", &["/issuer"]);
    }
    put(&tenant.owner, json!({ "emailDomains": ["two words"] })).await.problem_at(
        422,
        "invalid_body",
        &["/emailDomains"],
    );
    put(&tenant.owner, json!({ "defaultRole": "emperor" })).await.problem_at(422, "invalid_body", &["/defaultRole"]);
    let key = tenant.key_with(&server, &["tenant:write"]).await;
    put(&key, json!({ "defaultRole": "owner" })).await.problem(403, "beyond_own_permissions");
    put(&tenant.viewer, json!({})).await.problem(403, "forbidden");
    tenant.owner.get(PROVIDER).await.problem(404, "no_identity_provider");
    for slug in ["acme", "nobody"] {
        let reply = server.visitor().get(&format!("/api/v1/auth/sso/{slug}/start")).await;
        reply.problem(404, "no_identity_provider");
    }
    let path = "/api/v1/auth/sso/callback?state=x&code=y&iss=https%3A%2F%2Fevil.example";
    server.visitor().get(path).await.problem(401, "sso_failed");
    put(&tenant.owner, json!({})).await.expect(200);
    tenant.owner.delete(PROVIDER).await.expect(204);
    tenant.owner.delete(PROVIDER).await.problem(404, "no_identity_provider");
}

#[actix_web::test]
async fn the_provider_is_reached_as_far_as_the_tenants_list_goes() {
    let Some((server, tenant, _provider)) = arranged(json!({})).await else { return };
    let settings = json!({ "settings": { "egressAllow": ["login.example"] } });
    tenant.owner.patch("/api/v1/tenants/current", settings).await.expect(200);
    let start = "/api/v1/auth/sso/acme/start";
    server.visitor().get(start).await.problem(503, "identity_provider_unavailable");
    tenant.owner.patch("/api/v1/tenants/current", json!({ "settings": {} })).await.expect(200);
    assert_eq!(server.visitor().get(start).await.status.as_u16() / 100, 3);
}

/// The provider says who is who: whoever may choose it could be the owner.
#[actix_web::test]
async fn only_owners_choose_the_provider() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let put = json!({ "issuer": "https://id.example", "clientId": "x", "clientSecret": "y" });
    let path = "/api/v1/auth/sso/provider";
    let key = acme.key_with(&server, &["tenant:read", "tenant:write"]).await;
    for client in [&acme.admin, &key] {
        client.put(path, put.clone()).await.problem(403, "beyond_own_permissions");
        client.delete(path).await.problem(403, "beyond_own_permissions");
    }
    acme.owner.put(path, put).await.expect(200);
    acme.admin.delete(path).await.problem(403, "beyond_own_permissions");
    acme.owner.delete(path).await.expect(204);
}
