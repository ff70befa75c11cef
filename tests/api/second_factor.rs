//! Signing in with a code besides the password.

use std::time::Duration;

use millrace::common::Clock;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::support::{Client, PASSWORD, Reply, TestServer, TestTenant};

const ENROL: &str = "/api/v1/auth/second-factor";

/// An authenticator app with the secret that the server gave.
fn authenticator(secret: &Value) -> Totp {
    let secret = Secret::try_from_base32(secret.as_str().unwrap()).unwrap();
    Builder::new().with_secret(secret).build().unwrap()
}

/// The code it shows now, or some steps from now.
fn code(server: &TestServer, totp: &Totp, steps: i64) -> String {
    let seconds = server.clock.now().as_seconds() + 30 * steps;
    totp.generate(u64::try_from(seconds).unwrap()).to_string()
}

async fn login(server: &TestServer, code: Option<&str>) -> Reply {
    let mut login = json!({ "email": "owner@acme.example", "password": PASSWORD });
    if let Some(code) = code {
        login["code"] = json!(code);
    }
    server.visitor().post("/api/v1/auth/login", login).await
}

/// Switches the second factor of the tenant's owner on; gives the authenticator and the recovery codes.
async fn enrol(server: &TestServer, tenant: &TestTenant) -> (Totp, Vec<String>) {
    let enrolled = tenant.owner.post(ENROL, json!({ "password": PASSWORD })).await.json(201);
    let url = enrolled["url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/Millrace:owner%40acme.example?secret="), "{url}");
    let totp = authenticator(&enrolled["secret"]);
    let confirm = json!({ "code": code(server, &totp, 0) });
    let answer = tenant.owner.post(&format!("{ENROL}/confirm"), confirm).await.json(201);
    let codes = answer["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    (totp, codes.collect())
}

async fn newest_action(client: &Client) -> Value {
    client.get("/api/v1/audit?limit=1").await.json(200)["data"][0]["action"].clone()
}

#[actix_web::test]
async fn signing_in_asks_for_a_code_that_works_once() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let (totp, _) = enrol(&server, &tenant).await;
    assert_eq!(newest_action(&tenant.owner).await, "user.secondFactorConfirm");
    assert_eq!(tenant.owner.get("/api/v1/auth/me").await.json(200)["secondFactor"], true);
    login(&server, None).await.problem(401, "code_needed");
    // The code that confirmed it was used.
    login(&server, Some(&code(&server, &totp, 0))).await.problem(403, "wrong_code");
    server.clock.advance(Duration::from_secs(30));
    let now = code(&server, &totp, 0);
    login(&server, Some(&now)).await.expect(200);
    login(&server, Some(&now)).await.problem(403, "wrong_code");
    // A clock may be a step off, not more.
    server.clock.advance(Duration::from_secs(90));
    login(&server, Some(&code(&server, &totp, 2))).await.problem(403, "wrong_code");
    login(&server, Some(&code(&server, &totp, -1))).await.expect(200);
    login(&server, Some(&code(&server, &totp, 1))).await.expect(200);
    login(&server, Some(&code(&server, &totp, 0))).await.problem(403, "wrong_code");
    // Programs with a key are not asked.
    tenant.api_key.get("/api/v1/auth/me").await.expect(200);
}

#[actix_web::test]
async fn of_two_racing_logins_with_one_code_one_wins() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let (totp, codes) = enrol(&server, &tenant).await;
    server.clock.advance(Duration::from_secs(30));
    for code in [code(&server, &totp, 0), codes[0].clone()] {
        let racing = [login(&server, Some(&code)), login(&server, Some(&code))];
        let mut statuses: Vec<u16> =
            futures_util::future::join_all(racing).await.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403]);
    }
}

#[actix_web::test]
async fn recovery_codes_stand_in_once_each() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let (totp, codes) = enrol(&server, &tenant).await;
    assert_eq!(codes.len(), 10);
    login(&server, Some(&codes[0])).await.expect(200);
    login(&server, Some(&codes[0])).await.problem(403, "wrong_code");
    let typed_badly = codes[1].to_uppercase().replace('-', " ");
    login(&server, Some(&typed_badly)).await.expect(200);

    server.clock.advance(Duration::from_secs(30));
    let proof = json!({ "password": PASSWORD, "code": code(&server, &totp, 0) });
    let renewed = tenant.owner.post(&format!("{ENROL}/recovery-codes"), proof).await.json(201);
    assert_eq!(newest_action(&tenant.owner).await, "user.recoveryCodes");
    login(&server, Some(&codes[2])).await.problem(403, "wrong_code");
    login(&server, Some(renewed["codes"][0].as_str().unwrap())).await.expect(200);
}

#[actix_web::test]
async fn guessing_codes_locks_out() {
    let server = TestServer::with(|config| config.auth.max_failures_per_account = 3).await;
    let tenant = server.tenant("acme").await;
    let (totp, _) = enrol(&server, &tenant).await;
    for guess in ["000000", "not a code", &"1".repeat(1 << 20)] {
        login(&server, Some(guess)).await.problem(403, "wrong_code");
    }
    server.clock.advance(Duration::from_secs(29));
    login(&server, Some(&code(&server, &totp, 1))).await.problem(429, "locked_out");
}

#[actix_web::test]
async fn the_factor_is_switched_off_with_password_and_code() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let disable = async |password: &str, code: &str| {
        let proof = json!({ "password": password, "code": code });
        tenant.owner.post(&format!("{ENROL}/disable"), proof).await
    };
    disable(PASSWORD, "000000").await.problem(409, "no_second_factor");
    let (_, codes) = enrol(&server, &tenant).await;
    tenant.owner.post(ENROL, json!({ "password": PASSWORD })).await.problem(409, "second_factor_active");
    disable("wrong horse battery", &codes[0]).await.problem(403, "wrong_password");
    disable(PASSWORD, "000000").await.problem(403, "wrong_code");
    disable(PASSWORD, &codes[0]).await.expect(204);
    assert_eq!(newest_action(&tenant.owner).await, "user.secondFactorDisable");
    login(&server, None).await.expect(200);
    assert_eq!(server.outbox.wait_for("owner@acme.example", 2).await.subject, "Two-factor sign-in is off");
    // What was enrolled but not confirmed counts for nothing, and can be begun again.
    for _ in 0..2 {
        tenant.owner.post(ENROL, json!({ "password": PASSWORD })).await.expect(201);
    }
    login(&server, None).await.expect(200);
}

#[actix_web::test]
async fn enrolling_needs_the_person() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    tenant.api_key.post(ENROL, json!({ "password": PASSWORD })).await.problem(403, "person_needed");
    tenant.owner.post(ENROL, json!({ "password": "wrong horse battery" })).await.problem(403, "wrong_password");
    let confirm = json!({ "code": "000000" });
    tenant.owner.post(&format!("{ENROL}/confirm"), confirm.clone()).await.problem(409, "no_second_factor");
    tenant.owner.post(ENROL, json!({ "password": PASSWORD })).await.expect(201);
    tenant.owner.post(&format!("{ENROL}/confirm"), confirm).await.problem(403, "wrong_code");
}

#[actix_web::test]
async fn codes_guessed_together_are_not_all_answered() {
    let server = TestServer::with(|config| config.auth.max_failures_per_account = 3).await;
    let tenant = server.tenant("acme").await;
    enrol(&server, &tenant).await;
    let disable = format!("{ENROL}/disable");
    let guesses = (0..12).map(|_| tenant.owner.post(&disable, json!({ "password": PASSWORD, "code": "000000" })));
    let replies = futures_util::future::join_all(guesses).await;
    let told = replies.iter().filter(|reply| reply.status == 403).count();
    assert_eq!(told, 3, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
}
