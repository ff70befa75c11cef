//! Credentials that sign: AWS, Google's service accounts, OAuth 1, client certificates.

use std::sync::Arc;
use std::sync::Mutex;

use actix_web::{App, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};

use super::oauth::come_back;
use super::{create, error_of, http_request, run, server, workflow};
use crate::support::{Asked, TestServer, Vendor, Vendors};

/// An HTTP Request node that uses a type of credential which services have of their own.
fn predefined(url: &str, kind: &str, id: &str) -> Value {
    let mut node = http_request(url, kind, json!({ "id": id }));
    node["parameters"]["authentication"] = json!("predefinedCredentialType");
    node["parameters"]["nodeCredentialType"] = json!(kind);
    node
}

fn certificate(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/api/certificates/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[actix_web::test]
async fn requests_to_aws_are_signed() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let data = json!({ "region": "eu-west-1", "accessKeyId": "AKIA1", "secretAccessKey": "PLANTED-aws", "sessionToken": "t", "temporaryCredentials": true });
    let id = create(&owner, "aws", data).await;
    let execution = run(&owner, workflow(predefined(&format!("{}/q?b=2&a=1", vendor.url), "aws", &id))).await;
    assert_eq!(execution["status"], "success", "{execution}");
    let asked = vendor.last();
    let proof = asked.header("authorization").unwrap();
    // The test server's clock stands at the first of its days.
    assert!(proof.starts_with("AWS4-HMAC-SHA256 Credential=AKIA1/20250131/eu-west-1/127/aws4_request, "), "{proof}");
    assert!(proof.contains("host;x-amz-date;x-amz-security-token") && !proof.contains("PLANTED"), "{proof}");
    assert_eq!(asked.header("x-amz-date"), Some("20250131T080000Z"));

    let data = json!({ "endpoint": vendor.url, "accessKeyId": "AKIA2", "secretAccessKey": "s" });
    let id = create(&owner, "s3", data).await;
    let mut node = predefined(&format!("{}/bucket/a b", vendor.url), "s3", &id);
    node["parameters"]["method"] = json!("PUT");
    node["parameters"]["sendBody"] = json!(true);
    node["parameters"]["contentType"] = json!("raw");
    node["parameters"]["rawContentType"] = json!("text/plain");
    node["parameters"]["body"] = json!("hello");
    let execution = run(&owner, workflow(node)).await;
    assert_eq!(execution["status"], "success", "{execution}");
    let asked = vendor.last();
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!((asked.header("x-amz-content-sha256"), &*asked.body), (Some(hash), "hello"));
    assert!(asked.header("authorization").unwrap().contains("/us-east-1/s3/aws4_request"));
    let outcome = owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert_eq!(outcome["status"], "OK", "{outcome}");
}

#[actix_web::test]
async fn aws_keys_are_tried_out_where_they_are_known() {
    let vendors = Vendors::start(|request| {
        let is_good = request.authorization.contains("Credential=AKIAGOOD/20250131/eu-west-1/sts/aws4_request");
        (if is_good { 200 } else { 403 }, json!({}))
    })
    .await;
    let server = TestServer::with(|config| vendors.introduce(config, &[])).await;
    let owner = server.tenant("acme").await.owner;
    for (key, status) in [("AKIAGOOD", "OK"), ("AKIABAD", "Error")] {
        let id =
            create(&owner, "aws", json!({ "region": "eu-west-1", "accessKeyId": key, "secretAccessKey": "s" })).await;
        let outcome = owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
        assert_eq!(outcome["status"], status, "{outcome}");
    }
    assert_eq!(vendors.received("sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity").len(), 2);
}

/// The claims of an assertion in a token request; its signature is the server's to check.
fn claims(form: &str) -> Value {
    let assertion = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "assertion").unwrap().1;
    let part = assertion.split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

const SERVICE_ACCOUNT_KEY: &str = include_str!("../data/service-account.key");

#[actix_web::test]
async fn service_accounts_exchange_what_they_sign_for_a_token() {
    let given = Mutex::new(0);
    let vendors = Vendors::start(move |request| {
        if !request.url.starts_with("oauth2.googleapis.com/token") {
            return (200, json!({ "rows": [] }));
        }
        if claims(request.body.as_str().unwrap())["iss"] != "robot@project.iam.example" {
            return (400, json!({ "error": "invalid_grant", "error_description": "PLANTED-description" }));
        }
        let mut given = given.lock().unwrap();
        *given += 1;
        (200, json!({ "access_token": format!("google-{given}"), "token_type": "Bearer", "expires_in": 3599 }))
    })
    .await;
    let server = TestServer::with(|config| vendors.introduce(config, &[])).await;
    let tenant = server.tenant("acme").await;
    // Tokens of people do not last as long as this test's clock runs.
    let owner = &tenant.api_key;
    let data = |email: &str, key: &str| json!({ "email": email, "privateKey": key, "scopes": "https://a.example/x\nhttps://a.example/y", "inpersonate": true, "delegatedEmail": "ann@acme.example" });
    let id = create(owner, "googleApi", data("robot@project.iam.example", SERVICE_ACCOUNT_KEY)).await;
    let document = workflow(predefined(&format!("{}/sheets", vendors.url), "googleApi", &id));
    for _ in 0..2 {
        let execution = run(owner, document.clone()).await;
        assert_eq!(execution["status"], "success", "{execution}");
        assert_eq!(vendors.received("/sheets").last().unwrap().authorization, "Bearer google-1");
    }
    let asked = vendors.received("oauth2.googleapis.com");
    assert_eq!(asked.len(), 1, "a token is used while it lasts");
    let form = asked[0].body.as_str().unwrap();
    assert!(form.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"), "{form}");
    let claims = claims(form);
    let now = 1_738_310_400;
    assert_eq!(
        claims,
        json!({
            "iss": "robot@project.iam.example", "scope": "https://a.example/x https://a.example/y", "sub": "ann@acme.example",
            "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600
        })
    );
    server.clock.advance(std::time::Duration::from_secs(3590));
    run(owner, document.clone()).await;
    assert_eq!(vendors.received("/sheets").last().unwrap().authorization, "Bearer google-2");
    let outcome = owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert_eq!(outcome["status"], "OK", "{outcome}");
    let shown = owner.get(&format!("/api/v1/credentials/{id}")).await.json(200);
    assert!(!shown.to_string().contains("google-") && !shown.to_string().contains("PRIVATE KEY"), "{shown}");

    // A key as JSON has it, a key that is none, and an account that the server does not know.
    let pasted =
        create(owner, "googleApi", data("robot@project.iam.example", &SERVICE_ACCOUNT_KEY.replace('\n', "\\n"))).await;
    let outcome = owner.post(&format!("/api/v1/credentials/{pasted}/test"), json!({})).await.json(200);
    assert_eq!(outcome["status"], "OK", "{outcome}");
    let broken = create(owner, "googleApi", data("robot@project.iam.example", "PLANTED-no-key")).await;
    let execution = run(owner, workflow(predefined(&vendors.url, "googleApi", &broken))).await;
    assert!(error_of(&execution).contains("no RSA key"), "{execution}");
    let stranger = create(owner, "googleApi", data("nobody@project.iam.example", SERVICE_ACCOUNT_KEY)).await;
    let execution = run(owner, workflow(predefined(&vendors.url, "googleApi", &stranger))).await;
    assert!(error_of(&execution).contains("invalid_grant"), "{execution}");
    assert!(!execution.to_string().contains("PLANTED"), "{execution}");
    let path = format!("/api/v1/credentials/{stranger}");
    assert_eq!(owner.get(&path).await.json(200)["status"], "reconnectNeeded");
    owner.patch(&path, json!({ "data": { "email": "robot@project.iam.example" } })).await.expect(200);
    assert_eq!(owner.get(&path).await.json(200)["status"], "ready", "other fields, another try");
}

/// Plays the three addresses of OAuth 1.
fn first_generation() -> Vendor {
    Vendor::start(|asked: &Asked| {
        let proof = asked.header("authorization").unwrap_or_default().to_owned();
        let signed = proof.contains("oauth_consumer_key=\"ck\"") && proof.contains("oauth_signature=\"");
        match asked.path.as_str() {
            _ if !signed => HttpResponse::Unauthorized().finish(),
            "/request" if proof.contains("oauth_callback=\"http%3A%2F%2Flocalhost%3A8080%2Fapi%2Fv1%2Fcredentials") => {
                HttpResponse::Ok().body("oauth_token=rt&oauth_token_secret=PLANTED-rts&oauth_callback_confirmed=true")
            }
            "/access" if proof.contains("oauth_token=\"rt\"") && proof.contains("oauth_verifier=\"good\"") => {
                HttpResponse::Ok().body("oauth_token=at&oauth_token_secret=PLANTED-ats&screen_name=ann")
            }
            "/api" if proof.contains("oauth_token=\"at\"") => HttpResponse::Ok().json(json!({ "in": true })),
            _ => HttpResponse::Unauthorized().body("<html>no</html>"),
        }
    })
}

#[actix_web::test]
async fn accounts_of_the_first_generation_are_connected() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let (owner, vendor) = (&tenant.owner, first_generation());
    let data = json!({
        "consumerKey": "ck", "consumerSecret": "cs", "requestTokenUrl": format!("{}/request", vendor.url),
        "authUrl": "https://accounts.example/authorize?x=1", "accessTokenUrl": format!("{}/access", vendor.url)
    });
    let id = create(owner, "oAuth1Api", data.clone()).await;
    let path = format!("/api/v1/credentials/{id}");
    assert_eq!(owner.get(&path).await.json(200)["status"], "notConnected");
    let reply = owner.post(&format!("{path}/oauth/start"), json!({})).await;
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let away = reply.json(201);
    assert_eq!(away["authorizationUrl"], "https://accounts.example/authorize?x=1&oauth_token=rt");
    // The state went along in the callback's address, which the vendor was told.
    let told = vendor.last().header("authorization").unwrap().to_owned();
    let state = told.split("state%3D").nth(1).unwrap().split(['"', '%']).next().unwrap().to_owned();
    come_back(&server, "", &format!("state={state}&oauth_token=rt&oauth_verifier=good"))
        .await
        .problem(403, "oauth_other_browser");
    let back = come_back(&server, &cookie, &format!("state={state}&oauth_token=rt&oauth_verifier=good")).await;
    back.expect(200);
    let shown = owner.get(&path).await.json(200);
    assert_eq!(shown["status"], "ready");
    assert!(!shown.to_string().contains("PLANTED"), "{shown}");
    let execution =
        run(owner, workflow(http_request(&format!("{}/api", vendor.url), "oAuth1Api", json!({ "id": id })))).await;
    assert_eq!(execution["status"], "success", "{execution}");
    assert!(!execution.to_string().contains("PLANTED"), "{execution}");

    // Consent denied, a wrong verifier, a server that gives no token: nothing of what there was is lost.
    for (query, status, code) in [
        ("denied=rt", 400, "oauth_consent_denied"),
        ("oauth_token=rt", 400, "oauth_code_missing"),
        ("oauth_token=rt&oauth_verifier=bad", 409, "oauth_provider_refused"),
    ] {
        let reply = owner.post(&format!("{path}/oauth/start"), json!({})).await.expect(201);
        let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let told = vendor.last().header("authorization").unwrap().to_owned();
        let state = told.split("state%3D").nth(1).unwrap().split(['"', '%']).next().unwrap().to_owned();
        come_back(&server, &cookie, &format!("state={state}&{query}")).await.problem(status, code);
        assert_eq!(owner.get(&path).await.json(200)["status"], "ready");
    }
    let mut wrong = data;
    wrong["requestTokenUrl"] = json!(format!("{}/nothing", vendor.url));
    let id = create(owner, "oAuth1Api", wrong).await;
    let refused = owner.post(&format!("/api/v1/credentials/{id}/oauth/start"), json!({})).await;
    refused.problem(409, "oauth_provider_refused");
}

/// An HTTPS server that talks to clients with the right certificate only; its address.
fn guarded() -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate("client.crt").as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate("localhost.crt").as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certificate("localhost.key").as_bytes()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    let app = || App::new().default_service(web::to(|| async { HttpResponse::Ok().json(json!({ "in": true })) }));
    let server = HttpServer::new(app).workers(1).disable_signals().bind_rustls_0_23("127.0.0.1:0", tls).unwrap();
    let port = server.addrs()[0].port();
    actix_web::rt::spawn(server.run());
    format!("https://localhost:{port}/")
}

#[actix_web::test]
async fn client_certificates_are_shown() {
    let (server, url) = (server().await, guarded());
    let owner = server.tenant("acme").await.owner;
    let (ca, cert) = (certificate("localhost.crt"), certificate("client.crt"));
    for (data, outcome) in [
        (json!({ "ca": ca, "cert": cert, "key": certificate("client.key") }), Ok(())),
        (
            json!({ "ca": ca, "cert": cert, "key": certificate("client.encrypted.key"), "passphrase": "correct horse" }),
            Ok(()),
        ),
        (
            json!({ "ca": ca, "cert": cert, "key": certificate("client.encrypted.key"), "passphrase": "wrong" }),
            Err("private key"),
        ),
        (json!({ "ca": ca, "cert": cert, "key": "PLANTED-no-key" }), Err("private key")),
        (json!({ "ca": ca, "cert": "none", "key": certificate("client.key") }), Err("certificate")),
        (json!({ "cert": cert, "key": certificate("client.key") }), Err("certificate")),
        (json!({ "ca": ca, "cert": ca, "key": certificate("localhost.key") }), Err("")),
    ] {
        let id = create(&owner, "httpSslAuth", data).await;
        let node = json!({
            "name": "Then", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [200, 0],
            "parameters": { "url": url, "provideSslCertificates": true, "options": {} },
            "credentials": { "httpSslAuth": { "id": id } }
        });
        let execution = run(&owner, workflow(node)).await;
        match outcome {
            Ok(()) => assert_eq!(execution["status"], "success", "{execution}"),
            Err(words) => {
                assert_eq!(execution["status"], "error", "{execution}");
                assert!(execution.to_string().contains(words), "{words}: {execution}");
            }
        }
        assert!(!execution.to_string().contains("PLANTED"), "{execution}");
    }
}
