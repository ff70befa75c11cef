//! The vendors that workflows call, on loopback: one server for plain HTTP, and for HTTPS under names of its own. The server
//! under test finds it by settings any operator has: names with a fixed address, an authority of one's own, variables.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, to};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use millrace::common::Secret;
use millrace::infrastructure::config::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

/// The hosts that are served over HTTPS, with a certificate that only a test trusts.
const HOSTS: [&str; 6] = [
    "www.linkedin.com",
    "slack.com",
    "api.twilio.com",
    "api.sendgrid.com",
    "oauth2.googleapis.com",
    "sts.eu-west-1.amazonaws.com",
];
const CERTIFICATE: &str = include_str!("../data/vendors.pem");
const KEY: &str = include_str!("../data/vendors.key");

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Host, path and query, as the caller wrote them.
    pub(crate) url: String,
    pub(crate) authorization: String,
    /// JSON, or the text.
    pub(crate) body: Value,
}

/// Status and body: JSON, or (a string) a page.
type Answer = (u16, Value);

/// Goes away with the test.
pub(crate) struct Vendors {
    pub(crate) url: String,
    state: Data<State>,
    https: SocketAddr,
    server: ServerHandle,
}

struct State {
    answer: Box<dyn Fn(&Received) -> Answer + Send + Sync>,
    received: Mutex<Vec<Received>>,
}

impl Vendors {
    pub(crate) async fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Vendors {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let state = Data::new(State { answer: Box::new(answer), received: Mutex::default() });
        let shared = state.clone();
        let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (http, https) = (bound(), bound());
        let (url, https_address) = (format!("http://{}", http.local_addr().unwrap()), https.local_addr().unwrap());
        let app = move || App::new().app_data(shared.clone()).default_service(to(reply));
        let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(0);
        let server = server.listen(http).unwrap().listen_rustls_0_23(https, tls).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Vendors { url, state, https: https_address, server: handle }
    }

    /// Lets a server reach the vendors, and its workflows read these variables; `{vendors}` in a value is their address.
    pub(crate) fn introduce(&self, config: &mut Config, variables: &[(&str, &str)]) {
        let client = &mut config.http_client;
        client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
        client.ca_certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/data/vendors.pem").into();
        client.resolve = HOSTS.map(|host| format!("{host}={}", self.https).try_into().unwrap()).to_vec();
        let variable = |(name, value): &(&str, &str)| format!("{name}={}", value.replace("{vendors}", &self.url));
        config.expressions.env = variables.iter().map(variable).map(Secret::new).collect();
    }

    /// The requests whose URL holds this text, in the order they came.
    pub(crate) fn received(&self, part: &str) -> Vec<Received> {
        let received = self.state.received.lock().unwrap();
        received.iter().filter(|request| request.url.contains(part)).cloned().collect()
    }
}

async fn reply(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let received = Received {
        method: request.method().to_string(),
        url: format!("{}{}", request.connection_info().host(), request.uri().path_and_query().unwrap()),
        authorization: authorization.unwrap_or_default(),
        body: serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
    };
    let (status, body) = (state.answer)(&received);
    state.received.lock().unwrap().push(received);
    let mut response = HttpResponse::build(status.try_into().unwrap());
    match body {
        Value::String(page) => response.content_type("text/html").body(page),
        json => response.json(json),
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        // The future only waits for the end; the command is given at once.
        drop(self.server.stop(false));
    }
}
