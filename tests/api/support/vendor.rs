//! A vendor's HTTP API, played on loopback: answers what the test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;

/// What a vendor was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

type Answer = dyn Fn(&Asked) -> HttpResponse + Send + Sync;

/// Runs until it is dropped.
pub(crate) struct Vendor {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: actix_web::dev::ServerHandle,
}

impl Vendor {
    pub(crate) fn start(answer: impl Fn(&Asked) -> HttpResponse + Send + Sync + 'static) -> Vendor {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, remembered): (Arc<Answer>, _) = (Arc::new(answer), Arc::clone(&asked));
        let server = HttpServer::new(move || {
            let (answer, remembered) = (Arc::clone(&answer), Arc::clone(&remembered));
            App::new().default_service(web::to(move |request: HttpRequest, body: Bytes| {
                let asked = read(&request, &body);
                remembered.lock().unwrap().push(asked.clone());
                let response = answer(&asked);
                async move { response }
            }))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Vendor { url, asked, server: handle }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }
}

fn read(request: &HttpRequest, body: &Bytes) -> Asked {
    let text = |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Asked {
        path: request.uri().to_string(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}
