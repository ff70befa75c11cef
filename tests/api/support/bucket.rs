//! A bucket of a service that speaks S3, played on loopback: keeps what it is given, and fails as the test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Fine,
    /// 403, as with wrong keys.
    Denies,
    /// 404, as where there is no such bucket.
    HasNoBucket,
    /// 500.
    Fails,
    /// Takes requests and does not answer.
    Hangs,
}

#[derive(Clone)]
struct Shared {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    mood: Arc<Mutex<Mood>>,
}

/// Runs until it is dropped.
pub(crate) struct Bucket {
    pub(crate) url: String,
    shared: Shared,
    server: actix_web::dev::ServerHandle,
}

impl Bucket {
    pub(crate) const NAME: &str = "binaries";

    pub(crate) fn start(mood: Mood) -> Bucket {
        let shared = Shared { objects: Arc::default(), mood: Arc::new(Mutex::new(mood)) };
        let given = shared.clone();
        let server = HttpServer::new(move || {
            let shared = given.clone();
            let answer = move |request: HttpRequest, body: Bytes| answer(shared.clone(), request, body);
            App::new().app_data(web::PayloadConfig::new(1 << 26)).default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Bucket { url, shared, server: handle }
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Keys, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.shared.objects.lock().unwrap().keys().cloned().collect()
    }
}

async fn answer(shared: Shared, request: HttpRequest, body: Bytes) -> HttpResponse {
    let mood = *shared.mood.lock().unwrap();
    let error = |status: u16, code: &str| {
        let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
        HttpResponse::build(StatusCode::from_u16(status).unwrap()).content_type("application/xml").body(text)
    };
    let is_signed = request.headers().get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    match mood {
        Mood::Fine if !is_signed => return error(403, "AccessDenied"),
        Mood::Fine => {}
        Mood::Denies => return error(403, "AccessDenied"),
        Mood::HasNoBucket => return error(404, "NoSuchBucket"),
        Mood::Fails => return error(500, "InternalError"),
        Mood::Hangs => tokio::time::sleep(Duration::from_secs(600)).await,
    }
    let path = request.path().trim_start_matches('/');
    let Some(key) = path.strip_prefix(Bucket::NAME) else { return error(404, "NoSuchBucket") };
    let key = key.trim_start_matches('/').to_owned();
    let mut objects = shared.objects.lock().unwrap();
    match *request.method() {
        Method::PUT => {
            objects.insert(key, body);
            HttpResponse::Ok().insert_header(("etag", "\"1\"")).finish()
        }
        Method::DELETE => {
            objects.remove(&key);
            HttpResponse::NoContent().finish()
        }
        Method::GET if key.is_empty() => list(&objects, request.query_string()),
        _ => match objects.get(&key) {
            Some(bytes) => HttpResponse::Ok()
                .insert_header(("etag", "\"1\""))
                .insert_header(("last-modified", "Fri, 31 Jan 2025 08:00:00 GMT"))
                .body(bytes.clone()),
            None => error(404, "NoSuchKey"),
        },
    }
}

fn list(objects: &BTreeMap<String, Bytes>, query: &str) -> HttpResponse {
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let entries: String = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, bytes)| {
            format!(
                "<Contents><Key>{key}</Key><Size>{}</Size><ETag>\"1\"</ETag>\
                 <LastModified>2025-01-31T08:00:00.000Z</LastModified></Contents>",
                bytes.len()
            )
        })
        .collect();
    let text = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>{}</Name><Prefix>{prefix}</Prefix>\
         <IsTruncated>false</IsTruncated>{entries}</ListBucketResult>",
        Bucket::NAME
    );
    HttpResponse::Ok().content_type("application/xml").body(text)
}

impl Drop for Bucket {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}
