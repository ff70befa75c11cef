//! Passwords that change or were forgotten, addresses that are verified, and answers that do not tell who has an account.

use std::time::Duration;

use millrace::common::Secret;
use millrace::domains::users::Email;
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Reply, TestServer, TestTenant};

const ME: &str = "/api/v1/auth/me";
const NEW: &str = "staple correct horse";
const OWNER: &str = "owner@acme.example";

async fn login(server: &TestServer, password: &str) -> Reply {
    let login = json!({ "email": OWNER, "password": password });
    server.visitor().post("/api/v1/auth/login", login).await
}

async fn signed_in(server: &TestServer) -> Client {
    let session = login(server, PASSWORD).await.json(200);
    server.bearer(session["accessToken"].as_str().unwrap())
}

async fn forgot(server: &TestServer, email: &str) -> Reply {
    server.visitor().post("/api/v1/auth/password/forgot", json!({ "email": email })).await
}

async fn reset(server: &TestServer, token: &str, password: &str) -> Reply {
    server.visitor().post("/api/v1/auth/password/reset", json!({ "token": token, "password": password })).await
}

/// The token of the link in the address's mail with this number.
async fn mailed_token(server: &TestServer, email: &str, number: usize) -> String {
    let mail = server.outbox.wait_for(email, number).await;
    let link = mail.text.split_whitespace().find(|word| word.contains("#token=")).unwrap_or_default().to_owned();
    assert!(link.starts_with("https://flows.acme.example/account/"), "{}", mail.text);
    link.split_once("#token=").unwrap().1.to_owned()
}

async fn server_with_mail() -> (TestServer, TestTenant) {
    let server = TestServer::with(|config| config.server.public_url = "https://flows.acme.example/".to_owned()).await;
    let tenant = server.tenant("acme").await;
    (server, tenant)
}

async fn newest_action(tenant: &TestTenant) -> Value {
    tenant.admin.get("/api/v1/audit?limit=1").await.json(200)["data"][0]["action"].clone()
}

#[actix_web::test]
async fn a_changed_password_ends_the_other_logins() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let changing = signed_in(&server).await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    changing.post("/api/v1/auth/password", change).await.expect(204);
    assert_eq!(newest_action(&tenant).await, "user.passwordChange");
    changing.get(ME).await.expect(200);
    tenant.owner.get(ME).await.problem(401, "invalid_token");
    tenant.api_key.get(ME).await.expect(200);
    login(&server, PASSWORD).await.problem(401, "wrong_login");
    login(&server, NEW).await.expect(200);
    assert_eq!(server.outbox.wait_for(OWNER, 1).await.subject, "Your password was changed");
}

#[actix_web::test]
async fn changing_the_password_takes_the_present_one() {
    let server = TestServer::with(|config| config.auth.max_failures_per_account = 2).await;
    let tenant = server.tenant("acme").await;
    let change = async |client: &Client, current: &str, new: &str| {
        client.post("/api/v1/auth/password", json!({ "currentPassword": current, "newPassword": new })).await
    };
    change(&tenant.owner, PASSWORD, "short").await.problem_at(422, "invalid_body", &["/newPassword"]);
    change(&tenant.owner, PASSWORD, &"x".repeat(1 << 20)).await.problem_at(422, "invalid_body", &["/newPassword"]);
    change(&tenant.api_key, PASSWORD, NEW).await.problem(403, "person_needed");
    change(&tenant.owner, &"x".repeat(1 << 20), NEW).await.problem(403, "wrong_password");
    change(&tenant.owner, "wrong horse battery", NEW).await.problem(403, "wrong_password");
    // Guessing here is guessing there.
    change(&tenant.owner, PASSWORD, NEW).await.problem(429, "locked_out");
    login(&server, PASSWORD).await.problem(429, "locked_out");
}

#[actix_web::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let (server, tenant) = server_with_mail().await;
    forgot(&server, OWNER).await.expect(204);
    let token = mailed_token(&server, OWNER, 1).await;
    reset(&server, &token, "short").await.problem_at(422, "invalid_body", &["/password"]);
    reset(&server, &token, NEW).await.expect(204);
    assert_eq!(newest_action(&tenant).await, "user.passwordReset");
    tenant.owner.get(ME).await.problem(401, "invalid_token");
    login(&server, PASSWORD).await.problem(401, "wrong_login");
    let session = login(&server, NEW).await.json(200);
    let me = server.bearer(session["accessToken"].as_str().unwrap()).get(ME).await.json(200);
    assert_eq!(me["emailVerified"], true);
    // The link works once.
    reset(&server, &token, "another horse battery").await.problem(401, "invalid_link");
}

#[actix_web::test]
async fn links_expire_and_only_the_last_one_works() {
    let (server, _) = server_with_mail().await;
    forgot(&server, OWNER).await.expect(204);
    let first = mailed_token(&server, OWNER, 1).await;
    forgot(&server, OWNER).await.expect(204);
    let second = mailed_token(&server, OWNER, 2).await;
    reset(&server, &first, NEW).await.problem(401, "invalid_link");
    server.clock.advance(Duration::from_secs(1801));
    reset(&server, &second, NEW).await.problem(401, "invalid_link");
    for token in ["", "mro_unknown", &"x".repeat(1 << 20)] {
        reset(&server, token, NEW).await.problem(401, "invalid_link");
    }
    // A link that verifies an address sets no password.
    server.visitor().post("/api/v1/auth/email/verification", json!({ "email": OWNER })).await.expect(204);
    let other = mailed_token(&server, OWNER, 3).await;
    reset(&server, &other, NEW).await.problem(401, "invalid_link");
    login(&server, PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn of_two_racing_resets_one_wins() {
    let (server, _) = server_with_mail().await;
    forgot(&server, OWNER).await.expect(204);
    let token = mailed_token(&server, OWNER, 1).await;
    let racing = ["first horse battery", "other horse battery"].map(|password| reset(&server, &token, password));
    let replies = futures_util::future::join_all(racing).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401]);
}

#[actix_web::test]
async fn links_name_the_configured_host_whatever_the_request_says() {
    let (server, _) = server_with_mail().await;
    let client = server.visitor().with("host", "evil.example").with("x-forwarded-host", "evil.example");
    client.post("/api/v1/auth/password/forgot", json!({ "email": OWNER })).await.expect(204);
    // Checks the host.
    mailed_token(&server, OWNER, 1).await;
    assert!(!server.outbox.to(OWNER)[0].text.contains("evil"));
}

#[actix_web::test]
async fn nobody_is_told_who_has_an_account() {
    let server = TestServer::with(|config| config.auth.email_verification = true).await;
    let register = |email: &str, tenant: &str| json!({ "email": email, "password": PASSWORD, "tenantName": tenant });
    let visitor = server.visitor().with("x-request-id", "same");
    let post = async |path: &str, body: Value| {
        let reply = visitor.post(path, body).await;
        (reply.status, reply.body, reply.headers.get("content-type").cloned())
    };
    let known = post("/api/v1/auth/register", register("ann@acme.example", "Acme")).await;
    let token = server.outbox.wait_for("ann@acme.example", 1).await.text;
    let token = token.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap();
    server.visitor().post("/api/v1/auth/email/verify", json!({ "token": token })).await.expect(204);

    // A slug tells nothing either: that of a known address is as free, or as taken, afterwards as that of a new one.
    let with_slug = |email: &str, slug: &str| json!({ "email": email, "password": PASSWORD, "tenantName": "X", "tenantSlug": slug });
    for (email, slug) in [("ann@acme.example", "one"), ("new@acme.example", "two")] {
        assert_eq!(post("/api/v1/auth/register", with_slug(email, slug)).await, known);
        let probe = with_slug(&format!("probe-{slug}@acme.example"), slug);
        assert_eq!(post("/api/v1/auth/register", probe).await, known, "{slug}");
    }
    server.outbox.wait_for("ann@acme.example", 2).await;

    // Registering again, asking for a password, asking for a link, and signing in: the same for both.
    assert_eq!(known.0, 202);
    assert_eq!(post("/api/v1/auth/register", register("ann@acme.example", "Other")).await, known);
    let told = server.outbox.wait_for("ann@acme.example", 3).await;
    assert_eq!(told.subject, "You have an account already");
    for path in ["/api/v1/auth/password/forgot", "/api/v1/auth/email/verification"] {
        let [one, other] =
            ["ann@acme.example", "nobody@acme.example"].map(|email| post(path, json!({ "email": email })));
        assert_eq!(one.await, other.await, "{path}");
    }
    let [one, other] = ["ann@acme.example", "nobody@acme.example"]
        .map(|email| post("/api/v1/auth/login", json!({ "email": email, "password": "wrong horse battery" })));
    assert_eq!(one.await, other.await);
    server.outbox.wait_for("ann@acme.example", 4).await;
    assert!(server.outbox.to("nobody@acme.example").is_empty());
}

#[actix_web::test]
async fn new_accounts_verify_their_address_where_mail_is_sent() {
    let server = TestServer::with(|config| config.auth.email_verification = true).await;
    let register = json!({ "email": "ann@acme.example", "password": PASSWORD, "tenantName": "Acme" });
    let answer = server.visitor().post("/api/v1/auth/register", register).await.json(202);
    assert_eq!(answer, json!({ "status": "verificationSent" }));
    let login = async |password: &str| {
        let login = json!({ "email": "ann@acme.example", "password": password });
        server.visitor().post("/api/v1/auth/login", login).await
    };
    login(PASSWORD).await.problem(403, "email_not_verified");
    login("wrong horse battery").await.problem(401, "wrong_login");
    let mail = server.outbox.wait_for("ann@acme.example", 1).await;
    let token = mail.text.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let verify =
        async |token: &str| server.visitor().post("/api/v1/auth/email/verify", json!({ "token": token })).await;
    verify("mro_unknown").await.problem(401, "invalid_link");
    verify(&token).await.expect(204);
    verify(&token).await.problem(401, "invalid_link");
    let session = login(PASSWORD).await.json(200);
    let me = server.bearer(session["accessToken"].as_str().unwrap()).get(ME).await.json(200);
    assert_eq!((&me["emailVerified"], &me["role"]), (&json!(true), &json!("owner")));
}

#[actix_web::test]
async fn nobody_is_mailed_without_end() {
    let (server, _) = server_with_mail().await;
    for _ in 0..8 {
        forgot(&server, OWNER).await.expect(204);
    }
    server.outbox.wait_for(OWNER, 5).await;
    // Another address's mail comes after whatever was still on its way.
    forgot(&server, "admin@acme.example").await.expect(204);
    server.outbox.wait_for("admin@acme.example", 1).await;
    assert_eq!(server.outbox.to(OWNER).len(), 5);
}

#[actix_web::test]
async fn a_login_renews_hashes_of_other_parameters() {
    let server = TestServer::start().await;
    server.tenant("acme").await;
    let mut old = server.app.config.auth.clone();
    old.argon2_passes = 2;
    let passwords = millrace::infrastructure::crypto::Passwords::new(&old).unwrap();
    let hash = passwords.hash(Secret::new(PASSWORD.to_owned())).await.unwrap();
    let address = Email::new(OWNER);
    let stored = async || server.app.users.find_by_email(&address).await.unwrap().unwrap().0;
    let across = millrace::infrastructure::database::AcrossTenants;
    let transaction = server.app.database.begin(across).await.unwrap();
    server.app.users.set_password_hash(&transaction, stored().await.id, hash.clone()).await.unwrap();
    transaction.commit().await.unwrap();

    login(&server, "wrong horse battery").await.problem(401, "wrong_login");
    assert_eq!(stored().await.password_hash, hash, "a wrong password renews nothing");
    login(&server, PASSWORD).await.expect(200);
    let renewed = stored().await.password_hash;
    assert!(renewed.contains("t=1,") && hash.contains("t=2,"), "{renewed}");
    login(&server, PASSWORD).await.expect(200);
    assert_eq!(stored().await.password_hash, renewed);
}

#[actix_web::test]
async fn guesses_sent_together_are_stopped_too() {
    let server = TestServer::with(|config| config.auth.max_failures_per_account = 3).await;
    server.tenant("acme").await;
    let guesses = (0..12).map(|_| login(&server, "wrong horse battery"));
    let replies = futures_util::future::join_all(guesses).await;
    let told = replies.iter().filter(|reply| reply.status == 401).count();
    assert!(told < 12, "every guess was answered");
    login(&server, PASSWORD).await.problem(429, "locked_out");
}

#[actix_web::test]
async fn the_pages_of_mailed_links_keep_the_token_to_themselves() {
    let server = TestServer::start().await;
    for page in ["reset-password", "verify-email"] {
        let reply = server.visitor().get(&format!("/account/{page}")).await.expect(200);
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(text.contains("src=\"/account/account.js\"") && !text.contains("http"), "{text}");
    }
    for (file, content_type) in
        [("account.js", "text/javascript; charset=utf-8"), ("account.css", "text/css; charset=utf-8")]
    {
        let reply = server.visitor().get(&format!("/account/{file}")).await.expect(200);
        assert_eq!(reply.header("content-type"), Some(content_type));
    }
}
