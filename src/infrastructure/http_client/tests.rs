//! The policy by a table of addresses; the client against real sockets on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{AllowedHosts, Body, EgressPolicy, ErrorKind, HttpClient, Part, Request};
use crate::infrastructure::config::Config;

#[test]
fn only_public_addresses_are_permitted() {
    let policy = EgressPolicy::default();
    for (address, permitted) in [
        ("8.8.8.8", true),
        ("1.1.1.1", true),
        ("127.0.0.1", false),
        ("127.255.255.254", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("172.32.0.1", true),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("100.128.0.1", true),
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("198.18.0.1", false),
        ("198.20.0.1", true),
        ("224.0.0.1", false),
        ("240.0.0.1", false),
        ("255.255.255.255", false),
        ("2606:4700::1111", true),
        ("::1", false),
        ("::", false),
        ("fe80::1", false),
        ("fc00::1", false),
        ("fd12:3456::1", false),
        ("ff02::1", false),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("::127.0.0.1", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b::808:808", true),
        ("64:ff9b:1::808:808", false),
        ("2002:7f00:1::", false),
        ("2002:808:808::", true),
    ] {
        assert_eq!(policy.permits(address.parse().unwrap()), permitted, "{address}");
    }
}

#[test]
fn allowed_blocks_are_permitted_and_no_more() {
    let policy = EgressPolicy::allowing(vec!["10.1.0.0/16".parse().unwrap()]);
    for (address, permitted) in
        [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("10.2.0.1", false), ("127.0.0.1", false)]
    {
        assert_eq!(policy.permits(address.parse().unwrap()), permitted, "{address}");
    }
    assert!(EgressPolicy::unrestricted().permits("127.0.0.1".parse().unwrap()));
}

fn client() -> HttpClient {
    let mut settings = Config::defaults().unwrap().http_client;
    settings.max_response_bytes = 1000;
    HttpClient::new(settings).unwrap()
}

fn loopback() -> Arc<EgressPolicy> {
    Arc::new(EgressPolicy::allowing(vec!["127.0.0.0/8".parse().unwrap()]))
}

fn get(url: impl Into<String>) -> Request {
    Request { url: url.into(), max_redirects: Some(3), ..Request::default() }
}

/// Answers each connection with what `answer` makes of the request's text.
async fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                let mut length = 0;
                loop {
                    let read = socket.read(&mut buffer[length..]).await.unwrap();
                    length += read;
                    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                        let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                        body.len() >= announced.map_or(0, |text| text.parse().unwrap())
                    });
                    if complete || read == 0 {
                        socket.write_all(answer(&text).as_bytes()).await.unwrap();
                        return;
                    }
                }
            });
        }
    });
    address
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-a: 1\r\nx-a: 2\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let address = serve(|_| ok("hello")).await;
    let response = client().send(&loopback(), get(format!("http://{address}/x?y=1"))).await.unwrap();
    assert_eq!((response.status, response.reason, &response.body[..]), (200, "OK", &b"hello"[..]));
    let repeated: Vec<_> =
        response.headers.iter().filter(|(name, _)| name == "x-a").map(|(_, value)| value.as_str()).collect();
    assert_eq!(repeated, ["1", "2"]);
    assert_eq!(response.url, format!("http://{address}/x?y=1"));
}

#[tokio::test]
async fn denied_addresses_are_not_reached_by_any_spelling() {
    let address = serve(|_| ok("secret")).await;
    let port = address.port();
    let denied = Arc::new(EgressPolicy::default());
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let error = client().send(&denied, get(url.clone())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::EgressDenied, "{url}: {error}");
    }
    let proxied = Request { proxy: Some(format!("http://127.0.0.1:{port}")), ..get("http://example.com/") };
    assert_eq!(client().send(&denied, proxied).await.unwrap_err().kind, ErrorKind::EgressDenied);
}

#[tokio::test]
async fn every_hop_of_a_redirect_is_checked() {
    let address = serve(|_| redirect(302, "http://10.0.0.1/internal")).await;
    let error = client().send(&loopback(), get(format!("http://{address}/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::EgressDenied);
}

#[tokio::test]
async fn redirects_change_the_method_as_browsers_do_and_drop_credentials_for_other_hosts() {
    let target = serve(ok).await;
    for (status, expected_method, keeps_body) in [(302, "GET", false), (303, "GET", false), (307, "POST", true)] {
        let address = serve(move |_| redirect(status, &format!("http://{target}/next"))).await;
        let request = Request {
            method: "post".to_owned(),
            headers: vec![
                ("Authorization".to_owned(), "Bearer secret".to_owned()),
                ("X-Trace".to_owned(), "1".to_owned()),
                ("X-Own".to_owned(), "secret".to_owned()),
            ],
            private_headers: vec!["X-Own".to_owned()],
            body: Body::Bytes(Bytes::from_static(b"payload")),
            ..get(format!("http://{address}/"))
        };
        let response = client().send(&loopback(), request).await.unwrap();
        let seen = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(seen.starts_with(&format!("{expected_method} /next ")), "{status}: {seen}");
        assert_eq!(seen.contains("payload"), keeps_body, "{status}");
        assert!(!seen.contains("secret"), "{status}: {seen}");
        assert!(seen.contains("x-trace: 1"), "{status}: {seen}");
    }
}

#[tokio::test]
async fn redirects_end_at_their_limit_and_are_answers_when_not_followed() {
    let address = serve(|_| redirect(302, "/again")).await;
    let url = format!("http://{address}/");
    let error = client().send(&loopback(), get(url.clone())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooManyRedirects);
    let response = client().send(&loopback(), Request { max_redirects: None, ..get(url) }).await.unwrap();
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn size_and_time_are_bounded() {
    let endless = serve(|_| ok(&"x".repeat(1001))).await;
    let error = client().send(&loopback(), get(format!("http://{endless}/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let request = Request { timeout: Some(Duration::from_millis(50)), ..get(url) };
    assert_eq!(client().send(&loopback(), request).await.unwrap_err().kind, ErrorKind::TimedOut);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (request, kind) in [
        (get(format!("http://{closed}/")), ErrorKind::Refused),
        (get("http://nowhere.invalid/"), ErrorKind::NotFound),
        (get("ftp://example.com/"), ErrorKind::Invalid),
        (get("not a url"), ErrorKind::Invalid),
        (Request { method: "G ET".to_owned(), ..get("http://example.com/") }, ErrorKind::Invalid),
        (
            Request { headers: vec![("a".to_owned(), "b\r\nc: d".to_owned())], ..get("http://example.com/") },
            ErrorKind::Invalid,
        ),
    ] {
        let url = request.url.clone();
        assert_eq!(client().send(&loopback(), request).await.unwrap_err().kind, kind, "{url}");
    }
}

#[tokio::test]
async fn multipart_bodies_carry_their_parts() {
    let address = serve(|request| ok(&request.len().to_string())).await;
    let echo = serve(|request| ok(request.split_once("\r\n\r\n").unwrap().1)).await;
    let part = Part {
        name: "file".to_owned(),
        bytes: Bytes::from_static(b"content"),
        file_name: Some("a.txt".to_owned()),
        content_type: Some("text/plain".to_owned()),
    };
    let request =
        Request { method: "POST".to_owned(), body: Body::Multipart(vec![part]), ..get(format!("http://{echo}/")) };
    let response = client().send(&loopback(), request).await.unwrap();
    let seen = String::from_utf8(response.body.to_vec()).unwrap();
    assert!(seen.contains("name=\"file\"; filename=\"a.txt\"") && seen.contains("content"), "{seen}");
    // A second connection of the same pool still works after the first was closed.
    assert_eq!(client().send(&loopback(), get(format!("http://{address}/"))).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_credential_stays_on_its_hosts_on_every_hop() {
    let elsewhere = serve(|_| ok("leaked")).await;
    let (port, away) = (elsewhere.port(), format!("http://localhost:{}/", elsewhere.port()));
    let hopping = serve(move |_| redirect(307, &away)).await;
    let allowed = AllowedHosts::parse(["127.0.0.1"]).unwrap();
    let request = |url: String| Request { allowed_hosts: vec![allowed.clone()], ..get(url) };
    for url in [format!("http://localhost:{port}/"), format!("http://{hopping}/")] {
        let error = client().send(&loopback(), request(url.clone())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::EgressDenied, "{url}");
        assert!(error.message.contains("localhost") && error.message.contains("127.0.0.1"), "{}", error.message);
    }
    let reached = client().send(&loopback(), request(format!("http://{elsewhere}/"))).await.unwrap();
    assert_eq!(reached.status, 200);
}
