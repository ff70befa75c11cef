//! Invitations: from the mail to a membership, once, for a while, unless taken back. And people of several tenants.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, TestServer, TestTenant, sign_in};

/// Invites an address and gives the token from the mail.
async fn invite(server: &TestServer, tenant: &TestTenant, email: &str, number: usize, role: &str) -> String {
    let body = json!({ "email": email, "role": role });
    let made = tenant.admin.post("/api/v1/invitations", body).await.json(201);
    assert_eq!(made["token"], json!(null), "only the reader of the mail has it");
    let mail = server.outbox.wait_for(email, number).await;
    assert!(mail.subject.contains("acme") && !mail.subject.contains('\n'), "{}", mail.subject);
    let token = mail.text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(token.starts_with("mri_"));
    token.to_owned()
}

async fn accept(server: &TestServer, body: Value) -> Reply {
    server.visitor().post("/api/v1/invitations/accept", body).await
}

#[actix_web::test]
async fn an_invitation_makes_an_account_and_a_member_once() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let token = invite(&server, &acme, "new@else.example", 1, "developer").await;
    let without = accept(&server, json!({ "token": token })).await;
    without.problem_at(422, "invalid_body", &["/password"]);
    let short = accept(&server, json!({ "token": token, "password": "short" })).await;
    short.problem_at(422, "invalid_body", &["/password"]);
    let body = json!({ "token": token, "name": "New", "password": PASSWORD });
    let accepted = accept(&server, body.clone()).await.json(200);
    let expected = json!({ "tenant": "acme", "email": "new@else.example", "isNewAccount": true });
    assert_eq!(accepted, expected);
    accept(&server, body).await.problem(404, "invitation_not_found");
    let me = sign_in(&server, "new@else.example").await.get("/api/v1/auth/me").await.json(200);
    assert_eq!((&me["role"], &me["user"]["name"]), (&json!("developer"), &json!("New")));
    let list = acme.viewer.get("/api/v1/invitations").await.json(200);
    assert!(list["data"][0]["acceptedAt"].is_string(), "{list}");
    let actions: Vec<_> = acme.audit().await.iter().map(|event| event["action"].clone()).collect();
    for action in ["invitation.create", "invitation.accept", "user.join"] {
        assert!(actions.contains(&json!(action)), "{actions:?}");
    }
}

/// The mailed link leads to a page that a browser can use; the token stays in the part of the address that is sent to nobody.
#[actix_web::test]
async fn the_mailed_link_leads_to_a_page() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    invite(&server, &acme, "new@else.example", 1, "viewer").await;
    let mail = server.outbox.wait_for("new@else.example", 1).await;
    let link = mail.text.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let (page, token) = link.split_once("#token=").unwrap();
    assert!(token.starts_with("mri_"), "{link}");
    let page = page.strip_prefix(&server.app.config.public_url()).unwrap();
    let shown = server.visitor().get(page).await.expect(200);
    assert_eq!(shown.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(shown.header("content-security-policy").unwrap().contains("script-src 'self'"));
    let html = String::from_utf8_lossy(&shown.body).into_owned();
    for asset in ["/account/account.js", "/account/account.css"] {
        assert!(html.contains(asset), "{html}");
        server.visitor().get(asset).await.expect(200);
    }
    let script = server.visitor().get("/account/account.js").await.expect(200);
    assert!(String::from_utf8_lossy(&script.body).contains("/api/v1/invitations/accept"));
}

#[actix_web::test]
async fn accepted_at_once_an_invitation_counts_once() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let token = invite(&server, &acme, "new@else.example", 1, "viewer").await;
    let body = json!({ "token": token, "password": PASSWORD });
    let tries = (0..4).map(|_| accept(&server, body.clone()));
    let replies = futures_util::future::join_all(tries).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| reply.status.as_u16() < 500));
    let members = acme.owner.get("/api/v1/users").await.json(200);
    assert_eq!(members["data"].as_array().unwrap().len(), 6);
}

#[actix_web::test]
async fn invitations_expire_are_taken_back_and_replaced() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let old = invite(&server, &acme, "new@else.example", 1, "viewer").await;
    let new = invite(&server, &acme, "new@else.example", 2, "viewer").await;
    let body = |token: &str| json!({ "token": token, "password": PASSWORD });
    accept(&server, body(&old)).await.problem(404, "invitation_not_found");
    let list = acme.admin.get("/api/v1/invitations").await.json(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "the newest counts");
    let path = format!("/api/v1/invitations/{}", list["data"][0]["id"].as_str().unwrap());
    acme.admin.delete(&path).await.expect(204);
    acme.admin.delete(&path).await.problem(404, "invitation_not_found");
    accept(&server, body(&new)).await.problem(404, "invitation_not_found");
    let late = invite(&server, &acme, "new@else.example", 3, "viewer").await;
    server.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    accept(&server, body(&late)).await.problem(404, "invitation_not_found");
    for forged in ["", "mri_", "mri_0000000000000000000000000000000000000000000", &"x".repeat(100_000)] {
        accept(&server, body(forged)).await.problem(404, "invitation_not_found");
    }
}

#[actix_web::test]
async fn nobody_invites_to_more_than_they_hold_or_whom_they_have() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let post = async |role: &str, email: &str| {
        acme.admin.post("/api/v1/invitations", json!({ "email": email, "role": role })).await
    };
    post("owner", "new@else.example").await.problem(403, "role_too_high");
    post("viewer", "viewer@acme.example").await.problem(409, "already_member");
    post("root", "new@else.example").await.problem_at(422, "invalid_body", &["/role"]);
    for email in ["nobody", "a@b.example\r\nBcc: all@b.example", "", "a b@c.example"] {
        post("viewer", email).await.problem_at(422, "invalid_body", &["/email"]);
    }
    acme.developer.post("/api/v1/invitations", json!({ "email": "a@b.example" })).await.problem(403, "forbidden");
    let key = acme.key_with(&server, &["users:write"]).await;
    let body = json!({ "email": "a@b.example", "role": "viewer" });
    key.post("/api/v1/invitations", body).await.problem(403, "role_too_high");
    assert_eq!(acme.owner.get("/api/v1/invitations").await.json(200)["data"], json!([]));
}

#[actix_web::test]
async fn a_known_person_joins_and_switches_between_tenants() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let email = "developer@globex.example";
    server.clock.advance(Duration::from_secs(1));
    let token = invite(&server, &acme, email, 1, "operator").await;
    let accepted = accept(&server, json!({ "token": token, "password": PASSWORD })).await.json(200);
    assert_eq!(accepted["isNewAccount"], false);
    let mine = globex.developer.get("/api/v1/auth/tenants").await.json(200);
    let seen: Vec<_> = mine["data"].as_array().unwrap().iter().collect();
    let slugs: Vec<_> = seen.iter().map(|tenant| tenant["tenant"]["slug"].clone()).collect();
    assert_eq!(slugs, ["globex", "acme"]);
    assert_eq!((&seen[1]["role"], &seen[1]["isCurrent"]), (&json!("operator"), &json!(false)));
    let session = globex.developer.post("/api/v1/auth/switch", json!({ "tenant": "acme" })).await.json(200);
    let there = server.bearer(session["accessToken"].as_str().unwrap());
    let me = there.get("/api/v1/auth/me").await.json(200);
    assert_eq!((&me["tenant"]["slug"], &me["role"]), (&json!("acme"), &json!("operator")));
    there
        .post("/api/v1/workflows", json!({ "name": "x", "nodes": [], "connections": {} }))
        .await
        .problem(403, "forbidden");
    globex.developer.get("/api/v1/workflows").await.expect(200);
    for (client, slug) in [(&globex.developer, "nobody"), (&globex.viewer, "acme"), (&acme.owner, "globex")] {
        let body = json!({ "tenant": slug });
        client.post("/api/v1/auth/switch", body).await.problem(404, "membership_not_found");
    }
    acme.api_key.post("/api/v1/auth/switch", json!({ "tenant": "acme" })).await.problem(403, "person_needed");
    acme.api_key.get("/api/v1/auth/tenants").await.problem(403, "person_needed");
}

/// Somebody wrote down an address that is not theirs, and waits for its owner to be invited.
#[actix_web::test]
async fn an_unverified_account_becomes_its_addresss_owners() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let email = "victim@else.example";
    let register = json!({ "email": email, "password": "the stranger's own", "tenantName": "Stranger" });
    let session = server.visitor().post("/api/v1/auth/register", register).await.json(201);
    let stranger = server.bearer(session["accessToken"].as_str().unwrap());
    let token = invite(&server, &acme, email, 1, "admin").await;
    let without = accept(&server, json!({ "token": token })).await;
    without.problem_at(422, "invalid_body", &["/password"]);
    stranger.get("/api/v1/auth/me").await.expect(200);
    accept(&server, json!({ "token": token, "password": PASSWORD })).await.expect(200);
    stranger.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    server.visitor().post("/api/v1/auth/refresh", refresh).await.problem(401, "invalid_refresh_token");
    let login = json!({ "email": email, "password": "the stranger's own", "tenant": "acme" });
    server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
    let login = json!({ "email": email, "password": PASSWORD, "tenant": "acme" });
    let session = server.visitor().post("/api/v1/auth/login", login).await.json(200);
    let me = server.bearer(session["accessToken"].as_str().unwrap()).get("/api/v1/auth/me").await.json(200);
    assert_eq!((&me["role"], &me["emailVerified"]), (&json!("admin"), &json!(true)));
    // From now on the address is known to be theirs: the next invitation changes no password.
    let globex = server.tenant("globex").await;
    let body = json!({ "email": email, "role": "viewer" });
    globex.admin.post("/api/v1/invitations", body).await.expect(201);
    let mail = server.outbox.wait_for(email, 2).await;
    let token = mail.text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    accept(&server, json!({ "token": token, "password": "somebody else's" })).await.expect(200);
    let login = json!({ "email": email, "password": PASSWORD, "tenant": "globex" });
    server.visitor().post("/api/v1/auth/login", login).await.expect(200);
}
