//! What shows on a socket only: TLS, clients that dawdle, stopping while requests are in flight.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::support::ServerProcess;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Everything until the server closes the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset after the answer is as good as a close.
    drop(stream.read_to_end(&mut text));
    String::from_utf8(text).unwrap()
}

#[test]
fn clients_that_dawdle_are_dropped() {
    let server =
        ServerProcess::start(&[("SERVER__CLIENT_TIMEOUT_SECONDS", "1"), ("SERVER__BODY_TIMEOUT_SECONDS", "1")]);
    // One who never finishes the head,
    let mut slow_head = connect(server.address);
    slow_head.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n").unwrap();
    // one who never finishes the body,
    let mut slow_body = connect(server.address);
    let head =
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    slow_body.write_all(head.as_bytes()).unwrap();
    // and meanwhile one who is quick.
    let mut quick = connect(server.address);
    quick.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(quick).starts_with("HTTP/1.1 200"));
    let answer = rest(slow_head);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer = rest(slow_body);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("body_timeout"), "{answer}");
}

#[test]
fn stopping_finishes_what_is_in_flight() {
    let server = ServerProcess::start(&[]);
    let body = r#"{"email":"ann@acme.example","password":"correct horse battery","tenantName":"Acme"}"#;
    let (first, second) = body.split_at(10);
    let mut in_flight = connect(server.address);
    let head = format!(
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    in_flight.write_all(head.as_bytes()).unwrap();
    in_flight.write_all(first.as_bytes()).unwrap();
    // Another request on the same thread, answered: so the first one was read before the signal.
    let mut other = connect(server.address);
    other.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(other).starts_with("HTTP/1.1 200"));
    server.terminate();
    server.wait_for("stopping");
    in_flight.write_all(second.as_bytes()).unwrap();
    let answer = rest(in_flight);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(server.wait().success());
}

#[actix_web::test]
async fn https_is_spoken_where_a_certificate_is_configured() {
    let file = |name: &str| format!("{}/tests/api/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
    let server = ServerProcess::start(&[
        ("SERVER__TLS__CERTIFICATE", &file("localhost.crt")),
        ("SERVER__TLS__KEY", &file("localhost.key")),
    ]);
    let client = client(&file("localhost.crt"));
    let url = format!("https://localhost:{}/health/live", server.address.port());
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    // A client that trusts other certificates does not go on, and plain HTTP finds nothing.
    assert!(self::client(&file("stranger.crt")).get(&url).send().await.is_err());
    assert!(client.get(url.replace("https", "http")).send().await.is_err());
}

/// An HTTP client that trusts the certificate in this file alone.
fn client(trusted: &str) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config = trusting(roots);
    reqwest::Client::builder().tls_backend_preconfigured(config).timeout(Duration::from_secs(30)).build().unwrap()
}

/// For clients that speak plain HTTP.
pub(crate) fn trusting_nobody() -> ClientConfig {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
