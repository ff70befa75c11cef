//! Webhooks that this server sends: what is told to whom, signed, again and again, and no further than is allowed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{TestServer, TestTenant, sign_in};
use crate::workflows::{activated, greeting};

/// What a subscriber was sent.
#[derive(Clone, Debug)]
struct Sent {
    id: String,
    at: String,
    signature: String,
    body: String,
}

/// A status, and `Retry-After` where there is one.
type Answer = (u16, Option<&'static str>);

/// Somebody who is told: answers with these statuses one after the other, then with 200.
#[derive(Clone, Default)]
struct Subscriber {
    sent: Arc<Mutex<Vec<Sent>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
    /// Before it answers.
    pause: Arc<Mutex<Duration>>,
    says: Arc<Mutex<Option<String>>>,
}

impl Subscriber {
    async fn listen(&self) -> String {
        let subscriber = self.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(subscriber.clone())).default_service(web::to(Subscriber::answer))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        actix_web::rt::spawn(server.run());
        format!("http://{address}/hooks")
    }

    async fn answer(request: HttpRequest, body: Bytes, subscriber: web::Data<Subscriber>) -> HttpResponse {
        let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
        subscriber.sent.lock().unwrap().push(Sent {
            id: header("webhook-id"),
            at: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let next = || {
            let mut answers = subscriber.answers.lock().unwrap();
            if answers.is_empty() { (200, None) } else { answers.remove(0) }
        };
        let (status, retry_after) = next();
        let mut response = HttpResponse::build(status.try_into().unwrap());
        if let Some(seconds) = retry_after {
            response.insert_header(("retry-after", seconds));
        }
        let pause = *subscriber.pause.lock().unwrap();
        tokio::time::sleep(pause).await;
        response.body(subscriber.says.lock().unwrap().clone().unwrap_or_else(|| "seen".to_owned()))
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn kinds(&self) -> Vec<String> {
        let kind = |sent: Sent| serde_json::from_str::<Value>(&sent.body).unwrap()["type"].as_str().unwrap().to_owned();
        self.sent().into_iter().map(kind).collect()
    }
}

async fn open() -> (TestServer, TestTenant) {
    let server = TestServer::with(|config| {
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let acme = server.tenant("acme").await;
    (server, acme)
}

async fn subscribe(tenant: &TestTenant, url: &str, events: Value, ordered: bool) -> Value {
    let body = json!({ "name": "s", "url": url, "events": events, "ordered": ordered });
    tenant.developer.post("/api/v1/webhook-subscriptions", body).await.json(201)
}

/// Tells until nothing is due.
async fn tell(server: &TestServer) {
    while server.app.subscriptions.deliver_due().await.unwrap() > 0 {}
}

/// The same, until a subscriber was sent so much: executions are stored, and events seen, a moment after the answer.
async fn tell_all(server: &TestServer, subscriber: &Subscriber, count: usize) {
    for _ in 0..400 {
        tell(server).await;
        if subscriber.sent().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(subscriber.sent().len(), count, "{:?}", subscriber.sent());
}

fn is_signed(sent: &Sent, secret: &str) -> bool {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{}", sent.id, sent.at, sent.body).as_bytes());
    let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    sent.signature.split(' ').any(|one| one == expected)
}

#[actix_web::test]
async fn subscribers_are_told_what_they_want_signed() {
    let (server, acme) = open().await;
    let globex = server.tenant("globex").await;
    let subscriber = Subscriber::default();
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["workflow.activate", "execution.*"]), false).await;
    let workflow = activated(&acme.developer, greeting("hello")).await;
    activated(&globex.developer, greeting("hello")).await;
    server.visitor().post("/t/acme/webhook/hello", json!({ "name": "Ann" })).await.expect(200);
    server.visitor().post("/t/globex/webhook/hello", json!({ "name": "Ann" })).await.expect(200);
    tell_all(&server, &subscriber, 3).await;
    let mut kinds = subscriber.kinds();
    kinds.sort();
    assert_eq!(kinds, ["execution.started", "execution.succeeded", "workflow.activate"]);
    let secret = made["secret"].as_str().unwrap();
    for sent in subscriber.sent() {
        assert!(is_signed(&sent, secret), "{sent:?}");
        assert!(sent.body.contains(&workflow), "{sent:?}");
    }
    let shown = acme.viewer.get("/api/v1/webhook-subscriptions").await.json(200).to_string();
    assert!(!shown.contains(secret));
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    let page = acme.viewer.get(&format!("{path}/deliveries?status=delivered")).await.json(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 3);
    // Both secrets sign while the one gives way to the other.
    let rotated = acme.developer.post(&format!("{path}/secret"), json!({ "overlapSeconds": 600 })).await.json(201);
    acme.developer.post(&format!("{path}/test"), json!({})).await.expect(200);
    tell(&server).await;
    let last = subscriber.sent().pop().unwrap();
    assert!(is_signed(&last, secret) && is_signed(&last, rotated["secret"].as_str().unwrap()), "{last:?}");
}

#[actix_web::test]
async fn failures_are_tried_again_when_it_is_time_and_as_the_subscriber_asks() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    *subscriber.answers.lock().unwrap() = vec![(500, None), (429, Some("600"))];
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    let pinged = acme.developer.post(&format!("{path}/test"), json!({})).await.json(200);
    let delivery = format!("/api/v1/webhook-deliveries/{}", pinged["deliveryId"].as_str().unwrap());
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 1);
    server.clock.advance(Duration::from_secs(4));
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 1, "not before its time");
    server.clock.advance(Duration::from_secs(2));
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 2);
    server.clock.advance(Duration::from_secs(599));
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 2, "the subscriber asked for ten minutes");
    server.clock.advance(Duration::from_secs(1));
    tell(&server).await;
    let told = acme.viewer.get(&delivery).await.json(200);
    assert_eq!((&told["status"], &told["attempts"]), (&json!("delivered"), &json!(3)));
    let statuses: Vec<i64> =
        told["log"].as_array().unwrap().iter().map(|attempt| attempt["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [200, 429, 500]);
    let ids: Vec<String> = subscriber.sent().into_iter().map(|sent| sent.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one delivery, one id: {ids:?}");
    acme.developer.post(&format!("{delivery}/resend"), json!({})).await.expect(200);
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 4);
}

#[actix_web::test]
async fn ordered_subscribers_hear_nothing_before_what_failed() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    *subscriber.answers.lock().unwrap() = vec![(500, None)];
    let url = subscriber.listen().await;
    subscribe(&acme, &url, json!(["workflow.*"]), true).await;
    activated(&acme.developer, greeting("hello")).await;
    tell_all(&server, &subscriber, 1).await;
    server.clock.advance(Duration::from_secs(6));
    tell_all(&server, &subscriber, 3).await;
    assert_eq!(subscriber.kinds(), ["workflow.create", "workflow.create", "workflow.activate"]);
}

#[actix_web::test]
async fn ordered_subscribers_hear_the_rest_in_order_once_a_piece_is_given_up() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    // Eight attempts, and the last of them is the end of the first event.
    *subscriber.answers.lock().unwrap() = vec![(500, None); 8];
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["workflow.*"]), true).await;
    for name in ["one", "two", "three"] {
        let document = json!({ "name": name, "nodes": [], "connections": {} });
        acme.developer.post("/api/v1/workflows", document).await.expect(201);
    }
    tell_all(&server, &subscriber, 1).await;
    for (attempts, hours) in [(2, 1), (3, 1), (4, 1), (5, 3), (6, 6), (7, 11)] {
        server.clock.advance(Duration::from_secs(hours * 3600));
        tell_all(&server, &subscriber, attempts).await;
    }
    let named = |sent: &Sent| {
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        body["data"]["after"]["name"].as_str().unwrap_or_default().to_owned()
    };
    assert!(subscriber.sent().iter().all(|sent| named(sent) == "one"), "{:?}", subscriber.sent());
    server.clock.advance(Duration::from_secs(11 * 3600));
    // The others are due with the end of the first, and not a look later.
    tell(&server).await;
    let told: Vec<String> = subscriber.sent().iter().skip(7).map(named).collect();
    assert_eq!(told, ["one", "two", "three"]);
    let viewer = sign_in(&server, "viewer@acme.example").await;
    let path = format!("/api/v1/webhook-subscriptions/{}/deliveries", made["id"].as_str().unwrap());
    let statuses: Vec<Value> =
        viewer.get(&path).await.json(200)["data"].as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, ["delivered", "delivered", "failed"], "newest first");
}

#[actix_web::test]
async fn gone_means_gone_and_what_was_given_up_can_be_recovered() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    *subscriber.answers.lock().unwrap() = vec![(410, None)];
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["workflow.create"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    acme.developer
        .post("/api/v1/workflows", json!({ "name": "one", "nodes": [], "connections": {} }))
        .await
        .expect(201);
    tell_all(&server, &subscriber, 1).await;
    let row = acme.viewer.get(&path).await.json(200);
    assert_eq!(row["enabled"], false, "{row}");
    assert!(acme.audit().await.iter().any(|event| event["action"] == "subscription.disable"));
    acme.developer
        .post("/api/v1/workflows", json!({ "name": "two", "nodes": [], "connections": {} }))
        .await
        .expect(201);
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 1);
    let body = json!({ "name": "s", "url": url, "events": ["workflow.create"] });
    acme.developer.send(Method::PUT, &path, Some(body)).await.expect(200);
    let since = json!({ "since": "2025-01-01T00:00:00Z" });
    assert_eq!(acme.developer.post(&format!("{path}/recover"), since).await.json(200)["recovered"], 1);
    tell(&server).await;
    assert_eq!(subscriber.sent().len(), 2);
    acme.developer.delete(&path).await.expect(204);
    acme.viewer.get(&path).await.problem(404, "subscription_not_found");
}

#[actix_web::test]
async fn what_happened_while_nobody_told_is_told_once_by_whoever_comes_first() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    let url = subscriber.listen().await;
    subscribe(&acme, &url, json!(["workflow.create"]), false).await;
    let document = json!({ "name": "one", "nodes": [], "connections": {} });
    for _ in 0..5 {
        acme.developer.post("/api/v1/workflows", document.clone()).await.expect(201);
    }
    server.clock.advance(Duration::from_secs(3 * 86_400));
    for _ in 0..400 {
        let subscriptions = &server.app.subscriptions;
        let all = (0..4).map(|_| subscriptions.deliver_due());
        futures_util::future::try_join_all(all).await.unwrap();
        if subscriber.sent().len() >= 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    tell_all(&server, &subscriber, 5).await;
    let ids: std::collections::HashSet<String> = subscriber.sent().into_iter().map(|sent| sent.id).collect();
    assert_eq!(ids.len(), 5);
}

#[actix_web::test]
async fn a_subscription_to_which_nothing_happens_is_not_looked_after() {
    let (server, acme) = open().await;
    let globex = server.tenant("globex").await;
    let subscriber = Subscriber::default();
    let url = subscriber.listen().await;
    for _ in 0..20 {
        subscribe(&acme, &url, json!(["workflow.create"]), false).await;
    }
    subscribe(&globex, &url, json!(["workflow.create"]), false).await;
    let subscriptions = &server.app.subscriptions;
    tell(&server).await;
    // What was recorded of the subscribing itself is behind them now.
    let quiet = async || {
        for _ in 0..400 {
            if subscriptions.collect().await.unwrap().read == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("there is always somebody to look after");
    };
    quiet().await;
    for _ in 0..10 {
        assert_eq!(subscriptions.collect().await.unwrap().read, 0);
    }
    let document = json!({ "name": "one", "nodes": [], "connections": {} });
    globex.developer.post("/api/v1/workflows", document.clone()).await.expect(201);
    tell_all(&server, &subscriber, 1).await;
    assert_eq!(subscriber.kinds(), ["workflow.create"]);
    quiet().await;
    // After a quiet hour all are looked after once.
    server.clock.advance(Duration::from_secs(3601));
    assert_eq!(subscriptions.collect().await.unwrap().read, 21);
    quiet().await;
    acme.api_key.post("/api/v1/workflows", document).await.expect(201);
    tell_all(&server, &subscriber, 21).await;
}

#[actix_web::test]
async fn who_fails_for_five_days_is_told_no_more() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    *subscriber.answers.lock().unwrap() = vec![(500, None); 100];
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    for _ in 0..11 {
        let developer = sign_in(&server, "developer@acme.example").await;
        developer.post(&format!("{path}/test"), json!({})).await.expect(200);
        tell(&server).await;
        server.clock.advance(Duration::from_secs(12 * 3600));
    }
    let viewer = sign_in(&server, "viewer@acme.example").await;
    let row = viewer.get(&path).await.json(200);
    assert_eq!(row["enabled"], false, "{row}");
    assert!(row["disabledReason"].as_str().unwrap().contains("five days"), "{row}");
    let owner = sign_in(&server, "owner@acme.example").await;
    let audit = owner.get("/api/v1/audit?action=subscription.failing").await.json(200);
    assert_eq!(audit["data"].as_array().unwrap().len(), 3, "warned before");
}

#[actix_web::test]
async fn a_slow_subscriber_of_one_tenant_keeps_no_other_waiting() {
    let (server, acme) = open().await;
    let globex = server.tenant("globex").await;
    let (slow, quick) = (Subscriber::default(), Subscriber::default());
    *slow.pause.lock().unwrap() = Duration::from_secs(10);
    let made = subscribe(&acme, &slow.listen().await, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}/test", made["id"].as_str().unwrap());
    for _ in 0..40 {
        acme.developer.post(&path, json!({})).await.expect(200);
    }
    let made = subscribe(&globex, &quick.listen().await, json!(["test.ping"]), false).await;
    server.clock.advance(Duration::from_secs(1));
    let path = format!("/api/v1/webhook-subscriptions/{}/test", made["id"].as_str().unwrap());
    globex.developer.post(&path, json!({})).await.expect(200);
    let shutdown = tokio_util::sync::CancellationToken::new();
    tokio::spawn(server.app.subscriptions.as_ref().clone().deliver(shutdown.clone()));
    let began = std::time::Instant::now();
    while quick.sent().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(8), "it waits for the slow one");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(slow.sent().len() <= 16, "half of the places");
    shutdown.cancel();
}

#[actix_web::test]
async fn no_more_of_an_answer_is_read_than_is_kept() {
    let server = TestServer::with(|config| {
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.http_client.max_response_bytes = 5000;
    })
    .await;
    let acme = server.tenant("acme").await;
    let subscriber = Subscriber::default();
    *subscriber.says.lock().unwrap() = Some("x".repeat(100_000));
    let made = subscribe(&acme, &subscriber.listen().await, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}/test", made["id"].as_str().unwrap());
    let pinged = acme.developer.post(&path, json!({})).await.json(200);
    tell(&server).await;
    let delivery = format!("/api/v1/webhook-deliveries/{}", pinged["deliveryId"].as_str().unwrap());
    let told = acme.viewer.get(&delivery).await.json(200);
    assert_eq!(
        (&told["status"], told["log"][0]["answer"].as_str().unwrap().len()),
        (&json!("delivered"), 1000),
        "{told}"
    );
}

#[actix_web::test]
async fn changes_at_the_same_time_do_not_undo_one_another() {
    let (server, acme) = open().await;
    let subscriber = Subscriber::default();
    let made = subscribe(&acme, &subscriber.listen().await, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    let rotated = async |secret: &str| {
        let body = json!({ "secret": secret, "overlapSeconds": 600 });
        acme.developer.post(&format!("{path}/secret"), body).await.status.as_u16()
    };
    let secrets: Vec<String> = (0..4).map(|at| BASE64_STANDARD.encode([at; 32])).collect();
    let outcomes = futures_util::future::join_all(secrets.iter().map(|secret| rotated(secret))).await;
    assert!(outcomes.iter().all(|status| [201, 409].contains(status)), "{outcomes:?}");
    acme.developer.post(&format!("{path}/test"), json!({})).await.expect(200);
    tell_all(&server, &subscriber, 1).await;
    let sent = subscriber.sent().remove(0);
    for (secret, status) in secrets.iter().zip(outcomes) {
        assert_eq!(
            is_signed(&sent, &format!("whsec_{secret}")),
            status == 201,
            "what was answered with success counts"
        );
    }
}

#[actix_web::test]
async fn addresses_within_the_walls_are_not_told() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let subscriber = Subscriber::default();
    let url = subscriber.listen().await;
    let made = subscribe(&acme, &url, json!(["test.ping"]), false).await;
    let path = format!("/api/v1/webhook-subscriptions/{}", made["id"].as_str().unwrap());
    let pinged = acme.developer.post(&format!("{path}/test"), json!({})).await.json(200);
    tell(&server).await;
    let delivery = format!("/api/v1/webhook-deliveries/{}", pinged["deliveryId"].as_str().unwrap());
    let told = acme.viewer.get(&delivery).await.json(200);
    assert!(told["log"][0]["error"].as_str().unwrap().contains("not allowed"), "{told}");
    assert!(subscriber.sent().is_empty());
    for (body, pointer) in [
        (json!({ "name": "s", "url": "ftp://a.example", "events": ["*"] }), "/url"),
        (json!({ "name": "s", "url": "https://u:p@a.example", "events": ["*"] }), "/url"),
        (json!({ "name": "s", "url": "https://a.example", "events": [] }), "/events"),
        (json!({ "name": "s", "url": "https://a.example", "events": ["a b"] }), "/events/0"),
        (json!({ "name": "s", "url": "https://a.example", "events": ["*", "execution.error"] }), "/events/1"),
        (json!({ "name": " ", "url": "https://a.example", "events": ["*"] }), "/name"),
    ] {
        acme.developer.post("/api/v1/webhook-subscriptions", body).await.problem_at(422, "invalid_body", &[pointer]);
    }
}
