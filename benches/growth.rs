//! What an execution and a page of the list cost as more is stored: more executions, more tenants. Each figure is a request to
//! the whole app, in this process, with SQLite in a temporary directory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run has to end"
)]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App as Actix, HttpResponse, HttpServer, web};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_util::future::LocalBoxFuture;
use millrace::app::{App, create_app};
use millrace::common::SystemClock;
use millrace::infrastructure::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

const EXECUTIONS: [usize; 3] = [1_000, 10_000, 100_000];
const TENANTS: [usize; 3] = [1, 100, 1_000];
/// Requests under way at the same time while the database is filled.
const AT_ONCE: usize = 256;

/// A server that takes a request and gives the status and body of the answer.
type Server = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, (u16, Bytes)>>;

/// An app with one tenant that has its workflows.
struct Stage {
    server: Server,
    token: String,
    stored: Cell<usize>,
    _directory: TempDir,
}

fn server<S, B>(service: S) -> Server
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    let service = Rc::new(service);
    Rc::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let answer = service.call(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body()).await;
            (status, body.unwrap_or_else(|_| panic!("the answer breaks off")))
        })
    })
}

impl Stage {
    async fn new() -> Stage {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.data.directory = directory.path().to_owned();
        (config.auth.argon2_memory_kib, config.auth.argon2_passes) = (64, 1);
        config.auth.email_verification = false;
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
        for limit in [
            &mut config.limits.anonymous_requests_per_minute,
            &mut config.limits.address_requests_per_minute,
            &mut config.limits.user_requests_per_minute,
            &mut config.limits.api_key_requests_per_minute,
        ] {
            *limit = 0;
        }
        let app = App::build(config, Arc::new(SystemClock)).await.unwrap();
        let server = server(init_service(create_app(&app)).await);
        let mut stage = Stage { server, token: String::new(), stored: Cell::new(0), _directory: directory };
        stage.token = stage.register("acme").await;
        stage
    }

    async fn send(&self, request: TestRequest, status: u16) -> Value {
        let (found, body) = (self.server)(request.to_request()).await;
        assert_eq!(found, status, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    async fn register(&self, tenant: &str) -> String {
        let body = json!({ "email": format!("owner@{tenant}.example"), "password": "correct horse battery",
            "name": "owner", "tenantName": tenant });
        let session = self.send(TestRequest::post().uri("/api/v1/auth/register").set_json(body), 201).await;
        session["accessToken"].as_str().unwrap().to_owned()
    }

    fn asking(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.token)))
    }

    /// Activates a workflow: a webhook at `path`, and this node.
    async fn activate(&self, path: &str, node: Value) {
        let hook = json!({ "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
            "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode", "options": {} } });
        let connections = json!({ "Webhook": { "main": [[{ "node": "Node", "type": "main", "index": 0 }]] } });
        let workflow = json!({ "name": path, "nodes": [hook, node], "connections": connections, "settings": {} });
        let import = TestRequest::post().uri("/api/v1/workflows/import").set_json(workflow);
        let imported = self.send(self.asking(import), 201).await;
        let uri = format!("/api/v1/workflows/{}/activate", imported["id"].as_str().unwrap());
        self.send(self.asking(TestRequest::post().uri(&uri).set_json(json!({}))), 200).await;
    }

    async fn call(&self, path: &str) {
        let request = TestRequest::post().uri(&format!("/t/acme/webhook/{path}")).set_json(json!({ "n": 7 }));
        self.send(request, 200).await;
        self.stored.set(self.stored.get() + 1);
    }

    async fn fill(&self, executions: usize) {
        while self.stored.get() < executions {
            let some = AT_ONCE.min(executions - self.stored.get());
            futures_util::future::join_all((0..some).map(|_| self.call("set"))).await;
        }
    }

    async fn list(&self) {
        let request = TestRequest::get().uri("/api/v1/executions?status=success&limit=100");
        let page = self.send(self.asking(request), 200).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(100));
    }
}

fn set() -> Value {
    json!({ "name": "Node", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [0, 0], "parameters": {
        "options": {}, "assignments": { "assignments": [
            { "id": "1", "name": "n", "type": "number", "value": "={{ $json.body.n * 2 }}" }] } } })
}

/// A node whose effect leaves the process: the execution is stored before it, and its outcome in the journal after it.
fn http(url: &str) -> Value {
    json!({ "name": "Node", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [0, 0],
        "parameters": { "url": url, "options": {} } })
}

fn receiver() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = || async { HttpResponse::Ok().json(json!({ "ok": true })) };
    let server = HttpServer::new(move || Actix::new().default_service(web::to(answer))).workers(1);
    actix_web::rt::spawn(server.disable_signals().listen(listener).unwrap().run());
    url
}

fn executions(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let stage = system.block_on(async {
        let stage = Stage::new().await;
        stage.activate("set", set()).await;
        stage.activate("http", http(&receiver())).await;
        stage
    });
    let mut group = criterion.benchmark_group("executions_stored");
    for executions in EXECUTIONS {
        system.block_on(stage.fill(executions));
        for (name, path) in [("record", "set"), ("journal", "http")] {
            group.bench_function(BenchmarkId::new(name, executions), |bencher| {
                bencher.iter(|| system.block_on(stage.call(path)));
            });
        }
        group.bench_function(BenchmarkId::new("list_100", executions), |bencher| {
            bencher.iter(|| system.block_on(stage.list()));
        });
    }
    group.finish();
}

fn tenants(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let stage = system.block_on(Stage::new());
    system.block_on(stage.activate("set", set()));
    let mut group = criterion.benchmark_group("tenants");
    let mut there = 1;
    for tenants in TENANTS {
        for number in there..tenants {
            system.block_on(stage.register(&format!("tenant-{number}")));
        }
        there = tenants;
        group.bench_function(BenchmarkId::new("record", tenants), |bencher| {
            bencher.iter(|| system.block_on(stage.call("set")));
        });
    }
    group.finish();
}

criterion_group!(benches, executions, tenants);
criterion_main!(benches);
