//! Signing up, signing in, staying signed in.

use std::time::Duration;

use millrace::domains::users::Role;
use serde_json::json;

use crate::support::{TestServer, email};

const PASSWORD: &str = crate::support::PASSWORD;

#[actix_web::test]
async fn registering_makes_an_owner_with_every_permission() {
    let server = TestServer::start().await;
    let register =
        json!({ "email": "Ann@Acme.example", "password": PASSWORD, "name": "Ann", "tenantName": "Acme, Inc." });
    let session = server.visitor().post("/api/v1/auth/register", register).await.json(201);
    assert_eq!((&session["tokenType"], &session["expiresIn"]), (&json!("Bearer"), &json!(900)));
    let me = server.bearer(session["accessToken"].as_str().unwrap()).get("/api/v1/auth/me").await.json(200);
    assert_eq!(me["user"]["email"], "ann@acme.example");
    assert_eq!((&me["tenant"]["slug"], &me["role"]), (&json!("acme-inc"), &json!("owner")));
    assert_eq!(me["permissions"].as_array().unwrap().len(), millrace::common::Permission::ALL.len());
}

#[actix_web::test]
async fn what_is_taken_or_unfit_is_refused_and_leaves_nothing_behind() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let register = |email: &str, password: &str, slug: Option<&str>| json!({ "email": email, "password": password, "tenantName": "New", "tenantSlug": slug });
    let visitor = server.visitor();
    let post = async |body| visitor.post("/api/v1/auth/register", body).await;
    post(register("OWNER@acme.example", PASSWORD, None)).await.problem(409, "email_taken");
    post(register("new@acme.example", PASSWORD, Some("acme"))).await.problem(409, "tenant_slug_taken");
    post(register("new@acme.example", "short", None)).await.problem_at(422, "invalid_body", &["/password"]);
    post(register("new@acme.example", &"x".repeat(1 << 20), None)).await.problem_at(
        422,
        "invalid_body",
        &["/password"],
    );
    post(register("new@acme.example", PASSWORD, Some("Not a slug"))).await.problem_at(
        422,
        "invalid_body",
        &["/tenantSlug"],
    );
    post(register("no address", PASSWORD, None)).await.problem_at(422, "invalid_body", &["/email"]);
    let mut body = register("new@acme.example", PASSWORD, None);
    body["tenantName"] = json!("two\r\nlines");
    post(body).await.problem_at(422, "invalid_body", &["/tenantName"]);
    // None of these made the account.
    let login = json!({ "email": "new@acme.example", "password": PASSWORD });
    visitor.post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
    // And the slug of the second attempt is free still, but for the tenant that has it.
    post(register("new@acme.example", PASSWORD, None)).await.expect(201);
}

#[actix_web::test]
async fn registration_can_be_closed() {
    let server = TestServer::with(|config| config.auth.registration = false).await;
    let register = json!({ "email": "a@b.example", "password": PASSWORD, "tenantName": "New" });
    server.visitor().post("/api/v1/auth/register", register).await.problem(403, "registration_closed");
}

#[actix_web::test]
async fn an_unknown_user_and_a_wrong_password_look_alike() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let visitor = server.visitor().with("x-request-id", "same");
    let mut replies = Vec::new();
    for email in ["owner@acme.example", "nobody@acme.example"] {
        let login = json!({ "email": email, "password": "wrong horse battery" });
        let reply = visitor.post("/api/v1/auth/login", login).await;
        assert!(reply.header("www-authenticate").is_some());
        replies.push(reply.problem(401, "wrong_login"));
    }
    assert_eq!(replies[0], replies[1]);
}

#[actix_web::test]
async fn guessing_is_slowed_down_per_account() {
    let server = TestServer::with(|config| config.auth.max_failures_per_account = 3).await;
    server.tenant("acme").await;
    let visitor = server.visitor();
    let login = async |password: &str| {
        visitor.post("/api/v1/auth/login", json!({ "email": "owner@acme.example", "password": password })).await
    };
    for _ in 0..3 {
        login("wrong horse battery").await.problem(401, "wrong_login");
    }
    // Now even the right password has to wait, and other accounts need not.
    let reply = login(PASSWORD).await;
    assert_eq!(reply.header("retry-after"), Some("30"));
    reply.problem(429, "locked_out");
    let other = json!({ "email": email(Role::Viewer, "acme"), "password": PASSWORD });
    visitor.post("/api/v1/auth/login", other).await.expect(200);

    server.clock.advance(Duration::from_secs(31));
    login("wrong horse battery").await.problem(401, "wrong_login");
    assert_eq!(login(PASSWORD).await.header("retry-after"), Some("60"), "each further failure doubles the wait");
    server.clock.advance(Duration::from_secs(61));
    login(PASSWORD).await.expect(200);
    // A success begins the count anew.
    login("wrong horse battery").await.problem(401, "wrong_login");
    login(PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn guessing_is_slowed_down_per_address() {
    let server = TestServer::with(|config| config.auth.max_failures_per_address = 4).await;
    for number in 0..4 {
        let login = json!({ "email": format!("{number}@acme.example"), "password": PASSWORD });
        server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
    }
    let login = json!({ "email": "5@acme.example", "password": PASSWORD });
    server.visitor().post("/api/v1/auth/login", login).await.problem(429, "locked_out");
}

#[actix_web::test]
async fn a_login_ends_by_logout_and_by_age() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let visitor = server.visitor();
    let login = async || {
        let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
        visitor.post("/api/v1/auth/login", login).await.json(200)
    };
    let session = login().await;
    let signed_in = server.bearer(session["accessToken"].as_str().unwrap());
    let body = json!({ "refreshToken": session["refreshToken"] });
    signed_in.get("/api/v1/auth/me").await.expect(200);
    visitor.post("/api/v1/auth/logout", body.clone()).await.expect(204);
    signed_in.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    visitor.post("/api/v1/auth/refresh", body.clone()).await.problem(401, "invalid_refresh_token");
    visitor.post("/api/v1/auth/logout", body).await.expect(204);
    visitor.post("/api/v1/auth/logout", json!({ "refreshToken": "mrr_unknown" })).await.expect(204);

    let session = login().await;
    let signed_in = server.bearer(session["accessToken"].as_str().unwrap());
    server.clock.advance(Duration::from_secs(906));
    signed_in.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    let body = json!({ "refreshToken": session["refreshToken"] });
    server.clock.advance(Duration::from_secs(31 * 86_400));
    visitor.post("/api/v1/auth/refresh", body).await.problem(401, "invalid_refresh_token");
}

#[actix_web::test]
async fn expired_logins_are_pruned_and_living_ones_are_not() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    server.clock.advance(Duration::from_secs(60 * 86_400));
    let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
    let session = server.visitor().post("/api/v1/auth/login", login).await.json(200);
    // The owner's registration and the logins of four members.
    assert_eq!(server.app.auth.prune().await.unwrap(), 5);
    assert_eq!(server.app.auth.prune().await.unwrap(), 0);
    server.bearer(session["accessToken"].as_str().unwrap()).get("/api/v1/auth/me").await.expect(200);
}

#[actix_web::test]
async fn members_of_several_tenants_choose_one() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let transaction = server.app.database.begin(globex.id).await.unwrap();
    let owner = millrace::domains::users::Email::new("owner@acme.example");
    let (user, _) = server.app.users.find_by_email(&owner).await.unwrap().unwrap();
    let ctx = millrace::common::Ctx::system(globex.id);
    server.app.users.join(&transaction, &ctx, &user, Role::Viewer).await.unwrap();
    transaction.commit().await.unwrap();
    for (wanted, slug, role) in [
        (None, &acme.slug, "owner"),
        (Some(&acme.slug), &acme.slug, "owner"),
        (Some(&globex.slug), &globex.slug, "viewer"),
    ] {
        let login = json!({ "email": "owner@acme.example", "password": PASSWORD, "tenant": wanted });
        let session = server.visitor().post("/api/v1/auth/login", login).await.json(200);
        let me = server.bearer(session["accessToken"].as_str().unwrap()).get("/api/v1/auth/me").await.json(200);
        assert_eq!((&me["tenant"]["slug"], &me["role"]), (&json!(slug), &json!(role)));
    }
    let login = json!({ "email": "owner@acme.example", "password": PASSWORD, "tenant": "elsewhere" });
    server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
}

#[actix_web::test]
async fn nonsense_is_no_credential() {
    let server = TestServer::start().await;
    let visitor = server.visitor();
    let path = "/api/v1/auth/me";
    visitor.get(path).await.problem(401, "unauthenticated");
    visitor.with("authorization", "Basic dTpw").get(path).await.problem(401, "unauthenticated");
    for token in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"x".repeat(5000)] {
        server.bearer(token).get(path).await.problem(401, "invalid_token");
    }
    for header in ["x-api-key", "x-n8n-api-key"] {
        visitor.with(header, "mrk_unknown").get(path).await.problem(401, "invalid_api_key");
    }
    server.bearer("mrk_unknown").get(path).await.problem(401, "invalid_api_key");
}
