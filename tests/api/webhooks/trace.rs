//! Mixed traffic over real sockets: valid, forged, oversized, repeated and slow webhooks, in an order that a fixed seed
//! gives. What was answered adds up with what was sent and with what is recorded. `cargo xtask chaos
//! webhook-trace` sends 100,000.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpServer, dev::ServerHandle};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use millrace::app::create_app;
use millrace::common::Clock;
use serde_json::json;
use sha2::Sha256;

use super::guard::webhook;
use super::wire::{Wire, request};
use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

const KEY: &[u8] = b"a secret of the tests only";
const PATH: &str = "/t/acme/webhook/hello";
const BODY_LIMIT: usize = 1000;
const CONNECTIONS: u64 = 8;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    valid: u64,
    forged: u64,
    oversized: u64,
    repeated: u64,
    slow: u64,
}

impl Counts {
    fn sum(self, other: Counts) -> Counts {
        Counts {
            valid: self.valid + other.valid,
            forged: self.forged + other.forged,
            oversized: self.oversized + other.oversized,
            repeated: self.repeated + other.repeated,
            slow: self.slow + other.slow,
        }
    }
}

/// The server behind a real socket.
async fn listen(server: &TestServer) -> (SocketAddr, ServerHandle) {
    let app = server.app.clone();
    let running =
        HttpServer::new(move || create_app(&app)).workers(2).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = running.addrs()[0];
    let running = running.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    (address, handle)
}

async fn guarded(tenant: &TestTenant) {
    let workflow = activated(&tenant.developer, greeting("hello")).await;
    let id = webhook(&tenant.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let settings = json!({
        "signature": { "scheme": "standardWebhooks" }, "deduplication": {}, "bodyLimitBytes": BODY_LIMIT
    });
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(KEY));
    let body = json!({ "settings": settings, "secrets": { "signature": secret } });
    tenant.developer.send(Method::PUT, &format!("/api/v1/webhooks/{id}"), Some(body)).await.expect(200);
}

fn headers(id: &str, at: i64, body: &str, key: &[u8]) -> [(&'static str, String); 3] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    [("webhook-id", id.to_owned()), ("webhook-timestamp", at.to_string()), ("webhook-signature", signature)]
}

/// Sends `count` requests over one connection after the other, checks each answer, and gives what was sent.
async fn send(address: SocketAddr, at: i64, caller: u64, count: u64) -> Counts {
    let mut sent = Counts::default();
    let mut wire = Wire::open(address).await.unwrap();
    let mut last: Option<(String, String)> = None;
    let mut random = caller.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for number in 0..count {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (id, body) = (format!("d-{caller}-{number}"), json!({ "name": number, "caller": caller }).to_string());
        let post = async |wire: &mut Wire, id: &str, body: &str, key: &[u8]| {
            let headers = headers(id, at, body, key);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            wire.post(PATH, &headers, body).await
        };
        match (random % 1000, &last) {
            (0..150, _) => {
                sent.forged += 1;
                assert_eq!(post(&mut wire, &id, &body, b"forged").await.unwrap().status, 401);
            }
            (150..200, _) => {
                sent.oversized += 1;
                let body = json!({ "name": "x".repeat(BODY_LIMIT) }).to_string();
                assert_eq!(post(&mut wire, &id, &body, KEY).await.unwrap().status, 413);
                // The server reads no more of this connection.
                wire = Wire::open(address).await.unwrap();
            }
            (200..400, Some((id, body))) => {
                sent.repeated += 1;
                let answered = post(&mut wire, id, body, KEY).await.unwrap();
                assert_eq!(answered.status, 200, "{}", answered.body);
                assert!(answered.head.contains("idempotency-replayed: true"), "{}", answered.head);
            }
            (400..402, _) => {
                sent.slow += 1;
                let mut slow = Wire::open(address).await.unwrap();
                let whole = request(PATH, &[], &body);
                slow.send(&whole.as_bytes()[..whole.len() - 3]).await.unwrap();
                assert_eq!(slow.answer().await.unwrap().status, 408);
            }
            _ => {
                sent.valid += 1;
                let answered = post(&mut wire, &id, &body, KEY).await.unwrap();
                assert_eq!(answered.status, 200, "{}", answered.body);
                assert!(answered.body.contains(&format!("Hello {number}")), "{}", answered.body);
                last = Some((id, body));
            }
        }
    }
    sent
}

#[actix_web::test]
async fn what_was_sent_adds_up_with_what_was_answered_and_recorded() {
    let count: u64 = std::env::var("MILLRACE_TRACE_REQUESTS").map_or(800, |count| count.parse().unwrap());
    let server = TestServer::with(|config| {
        config.webhooks.body_timeout_seconds = 1;
        config.limits.api_requests_per_minute = 0;
    })
    .await;
    let acme = server.tenant("acme").await;
    guarded(&acme).await;
    let (address, handle) = listen(&server).await;
    let at = server.clock.now().as_seconds();
    let callers =
        (0..CONNECTIONS).map(|caller| actix_web::rt::spawn(send(address, at, caller + 1, count / CONNECTIONS)));
    let sent = futures_util::future::join_all(callers).await;
    let sent = sent.into_iter().map(Result::unwrap).fold(Counts::default(), Counts::sum);
    let Counts { valid, forged, oversized, repeated, slow } = sent;
    assert_eq!(valid + forged + oversized + repeated + slow, count / CONNECTIONS * CONNECTIONS, "{sent:?}");
    assert!([valid, forged, oversized, repeated].iter().all(|kind| *kind > 0), "{sent:?}");
    handle.stop(true).await;

    let (mut recorded, mut cursor) = (0, None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = acme.viewer.get(&format!("/api/v1/executions?status=success&limit=250{after}")).await.json(200);
        recorded += u64::try_from(page["data"].as_array().unwrap().len()).unwrap();
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(recorded, valid, "one execution for each valid webhook, none for any other");
}

#[actix_web::test]
async fn slow_bodies_take_nobodys_place() {
    let server = TestServer::with(|config| config.webhooks.max_concurrent = 1).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, greeting("hello")).await;
    let (address, handle) = listen(&server).await;
    let body = r#"{"name":"Ann"}"#;
    let mut slow = Wire::open(address).await.unwrap();
    let whole = request(PATH, &[], body);
    let (most, rest) = whole.split_at(whole.len() - 3);
    slow.send(most.as_bytes()).await.unwrap();
    // It has been taken up when what came later is answered.
    let mut quick = Wire::open(address).await.unwrap();
    for _ in 0..20 {
        assert_eq!(quick.post(PATH, &[], body).await.unwrap().status, 200);
    }
    slow.send(rest.as_bytes()).await.unwrap();
    assert_eq!(slow.answer().await.unwrap().status, 200);
    handle.stop(true).await;
}

#[actix_web::test]
async fn garbage_on_the_wire_is_refused_and_nobody_else_notices() {
    let server = TestServer::with(|config| config.webhooks.body_timeout_seconds = 1).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, greeting("hello")).await;
    let (address, handle) = listen(&server).await;
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    let flood: String = (0..500).map(|number| format!("X-Flood-{number}: {}\r\n", "y".repeat(50))).collect();
    let mut unexpected = Vec::new();
    // Where the body's own framing is broken there may be nobody left to answer to.
    for (is_answered, what, bytes) in [
        (false, "a chunk without a size", format!("{head}Transfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n0\r\n\r\n")),
        (
            false,
            "a chunk larger than numbers are",
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{}\r\n", "f".repeat(40)),
        ),
        (true, "two lengths", format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}")),
        (true, "a length that is none", format!("{head}Content-Length: many\r\n\r\n{{}}")),
        (true, "more headers than anybody needs", format!("{head}{flood}Content-Length: 2\r\n\r\n{{}}")),
        (
            // It may be cut off before it has sent all of that.
            false,
            "a header larger than a page",
            format!("{head}X-Large: {}\r\nContent-Length: 2\r\n\r\n{{}}", "y".repeat(300_000)),
        ),
        (true, "no HTTP", "EHLO localhost\r\n\r\n".to_owned()),
    ] {
        let mut wire = Wire::open(address).await.unwrap();
        // A server that has seen enough may stop reading.
        let _ = wire.send(bytes.as_bytes()).await;
        let answered = tokio::time::timeout(Duration::from_secs(20), wire.answer()).await;
        let status =
            answered.unwrap_or_else(|_| panic!("{what}: no answer, and no end")).map(|answered| answered.status);
        let is_refused = status.map_or(!is_answered, |status| (400..500).contains(&status));
        if !is_refused {
            unexpected.push((what, status));
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:?}");
    let mut wire = Wire::open(address).await.unwrap();
    let answered = wire.post(PATH, &[], r#"{"name":"Ann"}"#).await.unwrap();
    assert_eq!((answered.status, answered.body.as_str()), (200, r#"{"greeting":"Hello Ann"}"#));
    handle.stop(true).await;
    let page = acme.viewer.get("/api/v1/executions").await.json(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "garbage starts nothing");
}
