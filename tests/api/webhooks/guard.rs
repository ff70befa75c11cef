//! Who may call a webhook, and how often: signatures, credentials, origins, limits, deliveries that come again.

use std::time::Duration;

use actix_web::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use millrace::common::Clock;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Client, Reply, TestServer, TestTenant};
use crate::workflows::{activated, greeting};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = r#"{"name":"Ann"}"#;

/// The webhook of a workflow.
pub(crate) async fn webhook(client: &Client, workflow: &str) -> Value {
    let page = client.get(&format!("/api/v1/webhooks?workflowId={workflow}")).await.json(200);
    page["data"][0].clone()
}

/// An active greeting at `/hello` with these settings; gives the webhook's path in the API.
async fn set(tenant: &TestTenant, settings: Value, secrets: Value) -> String {
    let workflow = activated(&tenant.developer, greeting("hello")).await;
    let id = webhook(&tenant.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/webhooks/{id}");
    let body = json!({ "settings": settings, "secrets": secrets });
    tenant.developer.send(Method::PUT, &path, Some(body)).await.expect(200);
    path
}

/// The caller with a signature of the body by the Standard Webhooks specification.
fn signed(server: &TestServer, secret: &str, id: &str, seconds_ago: i64) -> Client {
    let at = server.clock.now().as_seconds() - seconds_ago;
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.{BODY}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    let client = server.visitor().with("webhook-id", id).with("webhook-timestamp", &at.to_string());
    client.with("webhook-signature", &signature)
}

async fn call(client: &Client) -> Reply {
    let body = Some(("application/json", Bytes::from_static(BODY.as_bytes())));
    client.send_raw(Method::POST, "/t/acme/webhook/hello", body).await
}

async fn executions(tenant: &TestTenant) -> usize {
    tenant.viewer.get("/api/v1/executions").await.json(200)["data"].as_array().unwrap().len()
}

#[actix_web::test]
async fn only_signatures_that_are_right_and_new_count() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let settings = json!({ "signature": { "scheme": "standardWebhooks" } });
    set(&acme, settings, json!({ "signature": SECRET })).await;
    let right = signed(&server, SECRET, "m1", 0);
    call(&right).await.expect(200);
    assert!(call(&right).await.json(401)["hint"].as_str().unwrap().contains("before"), "replayed");
    call(&server.visitor()).await.expect(401);
    call(&signed(&server, "whsec_b3RoZXJvdGhlcm90aGVy", "m2", 0)).await.expect(401);
    call(&signed(&server, SECRET, "m3", 301)).await.expect(401);
    call(&signed(&server, SECRET, "m4", -301)).await.expect(401);
    let altered = Some(("application/json", Bytes::from_static(br#"{"name":"Eve"}"#)));
    let wrong = signed(&server, SECRET, "m5", 0);
    wrong.send_raw(Method::POST, "/t/acme/webhook/hello", altered).await.expect(401);
    assert_eq!(executions(&acme).await, 1, "refused calls start nothing");
}

#[actix_web::test]
async fn forged_calls_use_up_nobodys_allowance() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let limit = json!({ "requests": 2, "seconds": 60 });
    let settings = json!({ "signature": { "scheme": "standardWebhooks" }, "rateLimit": limit, "bodyLimitBytes": 100 });
    set(&acme, settings, json!({ "signature": SECRET })).await;
    for _ in 0..10 {
        call(&server.visitor()).await.expect(401);
    }
    call(&signed(&server, SECRET, "m1", 0)).await.expect(200);
    call(&signed(&server, SECRET, "m2", 0)).await.expect(200);
    let third = signed(&server, SECRET, "m3", 0);
    let refused = call(&third).await.expect(429);
    assert_eq!(refused.header("retry-after"), Some("30"));
    call(&server.visitor()).await.expect(401);
    let large = Some(("application/json", Bytes::from(vec![b' '; 101])));
    server.visitor().send_raw(Method::POST, "/t/acme/webhook/hello", large).await.expect(413);
    server.clock.advance(Duration::from_secs(30));
    call(&third).await.expect(200);
}

#[actix_web::test]
async fn an_old_secret_counts_until_the_overlap_is_over() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let settings = json!({ "signature": { "scheme": "standardWebhooks" } });
    let path = set(&acme, settings.clone(), json!({ "signature": SECRET })).await;
    let rotate = json!({ "overlapSeconds": 600 });
    let rotated = acme.developer.post(&format!("{path}/secret"), rotate).await.json(201);
    let new = rotated["secret"].as_str().unwrap();
    call(&signed(&server, SECRET, "m1", 0)).await.expect(200);
    call(&signed(&server, new, "m2", 0)).await.expect(200);
    // What is set anew keeps the secrets.
    let again = json!({ "settings": settings });
    let webhook = acme.developer.send(Method::PUT, &path, Some(again)).await.json(200);
    assert_eq!(webhook["signingSecrets"].as_array().unwrap().len(), 2);
    assert!(!webhook.to_string().contains(new) && !webhook.to_string().contains(SECRET));
    server.clock.advance(Duration::from_secs(601));
    call(&signed(&server, SECRET, "m3", 0)).await.expect(401);
    call(&signed(&server, new, "m4", 0)).await.expect(200);
    let audit = serde_json::to_string(&acme.audit().await).unwrap();
    assert!(audit.contains("webhook.rotate") && !audit.contains(new) && !audit.contains(SECRET));
}

#[actix_web::test]
async fn a_delivery_that_comes_again_gets_the_first_answer_and_starts_nothing() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, json!({ "deduplication": { "windowSeconds": 600 } }), json!({})).await;
    let caller = server.visitor().with("idempotency-key", "d1");
    let first = call(&caller).await.expect(200);
    let again = call(&caller).await.expect(200);
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    assert_eq!(first.body, again.body);
    assert_eq!(executions(&acme).await, 1);
    let other = Some(("application/json", Bytes::from_static(b"{}")));
    caller.send_raw(Method::POST, "/t/acme/webhook/hello", other).await.expect(422);
    call(&server.visitor()).await.expect(200);
    server.clock.advance(Duration::from_secs(601));
    assert_eq!(call(&caller).await.expect(200).header("idempotency-replayed"), None, "after the window");
    assert_eq!(executions(&acme).await, 3);
}

#[actix_web::test]
async fn ids_of_deliveries_are_found_in_bodies_too() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, json!({ "deduplication": { "pointer": "/name" } }), json!({})).await;
    call(&server.visitor()).await.expect(200);
    assert_eq!(call(&server.visitor()).await.expect(200).header("idempotency-replayed"), Some("true"));
    assert_eq!(executions(&acme).await, 1);
}

#[actix_web::test]
async fn credentials_are_asked_for() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let settings = json!({ "authentication": { "type": "basic", "user": "ann" } });
    set(&acme, settings, json!({ "authentication": "hush" })).await;
    let nobody = call(&server.visitor()).await.expect(401);
    assert_eq!(nobody.header("www-authenticate"), Some("Basic realm=\"Webhook\""));
    call(&server.visitor().with("authorization", "Basic YW5uOndyb25n")).await.expect(403);
    call(&server.visitor().with("authorization", "Basic YW5uOmh1c2g=")).await.expect(200);
}

#[actix_web::test]
async fn callers_are_known_by_address_and_certificate() {
    let server =
        TestServer::with(|config| config.server.trusted_proxies = vec!["203.0.113.7/32".parse().unwrap()]).await;
    let acme = server.tenant("acme").await;
    let certificate = json!({ "header": "X-Client-Fingerprint", "allowed": ["AB:CD:01"] });
    let settings = json!({ "allowedAddresses": ["198.51.100.0/24"], "clientCertificate": certificate });
    set(&acme, settings, json!({})).await;
    let from = |address: &str| server.visitor().with("x-forwarded-for", address);
    call(&from("192.0.2.1").with("x-client-fingerprint", "abcd01")).await.expect(403);
    call(&from("198.51.100.9")).await.expect(403);
    call(&from("198.51.100.9").with("x-client-fingerprint", "abcd02")).await.expect(403);
    call(&from("198.51.100.9").with("x-client-fingerprint", "abcd01")).await.expect(200);
}

#[actix_web::test]
async fn headers_of_strangers_prove_no_certificate() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let certificate = json!({ "header": "X-Client-Fingerprint", "allowed": ["abcd01"] });
    set(&acme, json!({ "clientCertificate": certificate }), json!({})).await;
    call(&server.visitor().with("x-client-fingerprint", "abcd01")).await.expect(403);
}

#[actix_web::test]
async fn tenants_and_addresses_have_limits_of_the_server() {
    let server = TestServer::with(|config| config.webhooks.requests_per_minute_per_address = 2).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, greeting("hello")).await;
    for expected in [200, 200, 429] {
        call(&server.visitor()).await.expect(expected);
    }
    let server = TestServer::with(|config| config.webhooks.requests_per_minute = 1).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    activated(&acme.developer, greeting("hello")).await;
    activated(&globex.developer, greeting("hello")).await;
    for expected in [200, 429] {
        call(&server.visitor()).await.expect(expected);
    }
    server.visitor().post("/t/globex/webhook/hello", json!({})).await.expect(200);
}

#[actix_web::test]
async fn the_options_of_a_node_keep_addresses_and_bots_out() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    for (path, options) in [
        ("elsewhere", json!({ "ipWhitelist": "198.51.100.1, 192.0.2.0/24" })),
        ("here", json!({ "ipWhitelist": "203.0.113.7" })),
        ("people", json!({ "ignoreBots": true })),
    ] {
        let mut workflow = greeting(path);
        workflow["nodes"][0]["parameters"]["options"] = options;
        activated(&acme.developer, workflow).await;
    }
    let person = server.visitor().with("user-agent", "Mozilla/5.0");
    for (path, by_person, by_bot) in [("elsewhere", 403, 403), ("here", 200, 200), ("people", 200, 403)] {
        let path = format!("/t/acme/webhook/{path}");
        person.post(&path, json!({})).await.expect(by_person);
        server.visitor().with("user-agent", "examplebot/1.0").post(&path, json!({})).await.expect(by_bot);
    }
}

#[actix_web::test]
async fn tokens_are_asked_for() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let settings = json!({ "authentication": { "type": "jwt", "algorithm": "HS256" } });
    set(&acme, settings, json!({ "authentication": "hush" })).await;
    let token = |secret: &str, exp: i64| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &json!({ "exp": exp }), &key).unwrap();
        server.visitor().with("authorization", &format!("Bearer {token}"))
    };
    let now = server.clock.now().as_seconds();
    call(&server.visitor()).await.expect(401);
    call(&token("other", now + 60)).await.expect(403);
    call(&token("hush", now)).await.expect(403);
    call(&token("hush", now + 60)).await.expect(200);
}

#[actix_web::test]
async fn calls_beyond_the_servers_places_are_refused_and_may_come_again() {
    let server = TestServer::with(|config| config.webhooks.max_concurrent = 1).await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.wait", "typeVersion": 1.1,
        "position": [200, 0], "parameters": { "resume": "webhook" } });
    let workflow = activated(&acme.developer, workflow).await;
    let id = webhook(&acme.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let settings = json!({ "answerTimeoutSeconds": 1, "signature": { "scheme": "standardWebhooks" } });
    let body = json!({ "settings": settings, "secrets": { "signature": SECRET } });
    acme.developer.send(Method::PUT, &format!("/api/v1/webhooks/{id}"), Some(body)).await.expect(200);
    let callers = ["m1", "m2"].map(|id| signed(&server, SECRET, id, 0));
    let (one, two) = futures_util::join!(call(&callers[0]), call(&callers[1]));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 503]);
    let (refused, taken) = if one.status == 503 { (&callers[0], &callers[1]) } else { (&callers[1], &callers[0]) };
    call(refused).await.expect(202);
    call(taken).await.expect(401);
}

#[actix_web::test]
async fn a_delivery_that_is_worked_on_is_not_begun_again() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.wait", "typeVersion": 1.1,
        "position": [200, 0], "parameters": { "resume": "webhook" } });
    let workflow = activated(&acme.developer, workflow).await;
    let id = webhook(&acme.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let settings = json!({ "answerTimeoutSeconds": 1800, "deduplication": {} });
    let body = json!({ "settings": settings });
    acme.developer.send(Method::PUT, &format!("/api/v1/webhooks/{id}"), Some(body)).await.expect(200);
    let caller = server.visitor().with("idempotency-key", "d1");
    let again = async {
        while executions(&acme).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        call(&caller).await.expect(409);
        // Not as long as its caller may wait for it.
        server.clock.advance(Duration::from_secs(600));
        let late = tokio::time::timeout(Duration::from_secs(10), call(&caller)).await;
        late.expect("it began again").expect(409);
    };
    tokio::select! {
        first = call(&caller) => panic!("it is answered: {first:?}"),
        () = again => {}
    }
}

#[actix_web::test]
async fn what_is_set_outlives_new_versions_of_the_workflow() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = set(&acme, json!({ "signature": { "scheme": "github" } }), json!({ "signature": "hush" })).await;
    let workflow = acme.viewer.get(&path).await.json(200)["workflowId"].as_str().unwrap().to_owned();
    let mut renamed = greeting("hello");
    renamed["nodes"][0]["name"] = json!("Incoming");
    renamed["connections"] = json!({ "Incoming": renamed["connections"]["Webhook"] });
    let document = format!("/api/v1/workflows/{workflow}");
    acme.developer.send(Method::PUT, &document, Some(renamed)).await.expect(200);
    assert_eq!(acme.viewer.get(&path).await.json(200)["node"], "Incoming");
    call(&server.visitor()).await.expect(401);
    acme.developer.post(&format!("{document}/deactivate"), json!({})).await.expect(200);
    assert_eq!(acme.viewer.get(&path).await.json(200)["active"], false);
    acme.developer.post(&format!("{document}/activate"), json!({})).await.expect(200);
    call(&server.visitor()).await.expect(401);
}

#[actix_web::test]
async fn a_sample_is_signed_as_senders_have_to() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let others = ["github", "stripe", "slack", "shopify", "twilio", "n8n"].map(|scheme| (scheme, "hush"));
    for (scheme, secret) in [("standardWebhooks", SECRET)].into_iter().chain(others) {
        let settings = json!({ "signature": { "scheme": scheme } });
        let path = set(&acme, settings, json!({ "signature": secret })).await;
        let sample = json!({ "body": { "name": scheme } });
        acme.operator.post(&format!("{path}/test"), sample.clone()).await.expect(200);
        let tested = acme.operator.post(&format!("{path}/test"), sample).await.json(200);
        assert_eq!((&tested["status"], &tested["method"]), (&json!(200), &json!("POST")), "{tested}");
        assert!(tested["body"].as_str().unwrap().contains(&format!("Hello {scheme}")), "{tested}");
        let workflow = acme.viewer.get(&path).await.json(200)["workflowId"].as_str().unwrap().to_owned();
        acme.developer.delete(&format!("/api/v1/workflows/{workflow}")).await.expect(200);
        acme.viewer.get(&path).await.problem(404, "webhook_not_found");
    }
}

#[actix_web::test]
async fn settings_that_cannot_hold_are_refused_with_their_place() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = set(&acme, json!({}), json!({})).await;
    for (body, pointer) in [
        (json!({ "settings": { "signature": { "scheme": "github" } } }), "/secrets/signature"),
        (
            json!({ "settings": { "signature": { "scheme": "standardWebhooks" } }, "secrets": { "signature": "*" } }),
            "/secrets/signature",
        ),
        (json!({ "settings": { "signature": { "scheme": "morse" } } }), "/settings/signature/scheme"),
        (json!({ "settings": { "authentication": { "type": "basic", "user": "a" } } }), "/secrets/authentication"),
        (
            json!({
                "settings": { "authentication": { "type": "jwt", "algorithm": "RS256" } },
                "secrets": { "authentication": "no key" }
            }),
            "/secrets/authentication",
        ),
        (json!({ "settings": { "allowedAddresses": ["10.0.0.0/8", "home"] } }), "/settings/allowedAddresses/1"),
        (json!({ "settings": { "rateLimit": { "requests": 0, "seconds": 1 } } }), "/settings/rateLimit/requests"),
        (json!({ "settings": { "deduplication": { "header": "a b" } } }), "/settings/deduplication/header"),
        (
            json!({ "settings": { "deduplication": { "windowSeconds": 99_999_999 } } }),
            "/settings/deduplication/windowSeconds",
        ),
        (json!({ "settings": { "speed": 1 } }), "/settings/speed"),
    ] {
        let reply = acme.developer.send(Method::PUT, &path, Some(body.clone())).await;
        let problem = reply.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    acme.developer.post(&format!("{path}/secret"), json!({})).await.problem(409, "webhook_not_signed");
}

#[actix_web::test]
async fn a_webhook_takes_so_many_calls_at_a_time_and_lets_nobody_wait_for_ever() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = greeting("hello");
    workflow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.wait", "typeVersion": 1.1,
        "position": [200, 0], "parameters": { "resume": "webhook" } });
    let workflow = activated(&acme.developer, workflow).await;
    let id = webhook(&acme.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let body = json!({ "settings": { "maxConcurrent": 1, "answerTimeoutSeconds": 1 } });
    acme.developer.send(Method::PUT, &format!("/api/v1/webhooks/{id}"), Some(body)).await.expect(200);
    let visitor = server.visitor();
    let (first, second) = futures_util::join!(call(&visitor), call(&visitor));
    let (answered, refused) = if first.status == 202 { (first, second) } else { (second, first) };
    refused.expect(503);
    let execution = answered.json(202)["executionId"].as_str().unwrap().to_owned();
    assert_eq!(acme.viewer.get(&format!("/api/v1/executions/{execution}")).await.json(200)["status"], "waiting");
    call(&visitor).await.expect(202);
}
