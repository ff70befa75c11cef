//! Nobody waits for somebody else's tenant, and no more run at a time than may.

use millrace::common::ExecutionId;
use millrace::infrastructure::config::{Config, QueueBackend, Role};
use millrace::infrastructure::queue::Dispatch;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::infrastructure::backends;
use crate::recovery::{chain, http};
use crate::support::{Receiver, TestServer, TestTenant};
use crate::workflows::activated;

/// A server whose worker runs so many at a time.
pub(crate) async fn working(concurrency: usize, change: impl FnOnce(&mut Config)) -> (TestServer, CancellationToken) {
    let server = TestServer::with(|config| {
        config.executions.concurrency = concurrency;
        config.queue.prefetch = 1;
        config.http_client.allow_private_networks = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
        change(config);
    })
    .await;
    let shutdown = CancellationToken::new();
    drop(server.app.start_background(&[Role::Worker], &shutdown));
    (server, shutdown)
}

async fn call(server: &TestServer, tenant: &TestTenant, path: &str) {
    server.visitor().post(&format!("/t/{}/webhook/{path}", tenant.slug), json!({})).await.expect(200);
}

#[actix_web::test]
async fn a_noisy_neighbour_delays_nobody_and_urgent_work_comes_first() {
    for backend in backends() {
        urgent_and_quiet_come_soon(backend).await;
    }
}

async fn urgent_and_quiet_come_soon(backend: QueueBackend) {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(1, |config| config.queue.backend = backend).await;
    let (noisy, quiet) = (server.tenant("noisy").await, server.tenant("quiet").await);
    activated(&noisy.developer, chain("calm", vec![http("n", format!("{}/short/noisy", receiver.url))])).await;
    let mut urgent = chain("urgent", vec![http("u", format!("{}/short/urgent", receiver.url))]);
    urgent["settings"]["priority"] = json!(5);
    activated(&noisy.developer, urgent).await;
    activated(&quiet.developer, chain("calm", vec![http("q", format!("{}/short/quiet", receiver.url))])).await;
    for _ in 0..40 {
        call(&server, &noisy, "calm").await;
    }
    call(&server, &noisy, "urgent").await;
    call(&server, &quiet, "calm").await;
    let begun: usize = receiver.calls().values().sum();
    let mut places = (0, 0);
    for place in 1..=42 {
        match receiver.next().await.path.as_str() {
            "/short/urgent" => places.0 = place,
            "/short/quiet" => places.1 = place,
            _ => {}
        }
    }
    // By the time the two arrive some of the forty have run, one runs, and one may have been fetched; then it is their turn.
    assert!(begun < 30, "the worker was too quick for this to say something: {begun}");
    assert!(places.0 > 0 && places.0 <= begun + 4, "{backend:?}: {places:?} after {begun}");
    assert!(places.1 > 0 && places.1 <= begun + 4, "{backend:?}: {places:?} after {begun}");
    assert_eq!(receiver.most_at_once(), 1);
    shutdown.cancel();
}

#[actix_web::test]
async fn no_more_run_at_a_time_than_a_workflow_allows() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(8, |_| {}).await;
    let acme = server.tenant("acme").await;
    let mut workflow = chain("limited", vec![http("s", format!("{}/short/x", receiver.url))]);
    workflow["settings"]["concurrency"] = json!(2);
    activated(&acme.developer, workflow).await;
    for _ in 0..8 {
        call(&server, &acme, "limited").await;
    }
    for _ in 0..8 {
        receiver.next().await;
    }
    assert!(receiver.most_at_once() <= 2, "{}", receiver.most_at_once());
    shutdown.cancel();
}

#[actix_web::test]
async fn messages_about_executions_that_are_not_there_are_dropped() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(1, |_| {}).await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let mut workflow = chain("queued", vec![http("s", format!("{}/x", receiver.url))]);
    workflow["settings"]["concurrency"] = json!(5);
    activated(&acme.developer, workflow).await;
    call(&server, &acme, "queued").await;
    receiver.next().await;
    let over = acme.viewer.get("/api/v1/executions").await.json(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let unknown = ExecutionId::new();
    for (tenant, execution) in
        [(acme.id, unknown), (acme.id, over.parse().unwrap()), (globex.id, over.parse().unwrap())]
    {
        server.app.queue.publish("default", Dispatch { tenant, execution, rank: 0 }).await.unwrap();
    }
    call(&server, &acme, "queued").await;
    receiver.next().await;
    assert_eq!(receiver.counts("/x"), [1, 1], "what is over does not run again, whoever is said to own it");
    acme.viewer.get(&format!("/api/v1/executions/{unknown}")).await.problem(404, "execution_not_found");
    shutdown.cancel();
}

#[actix_web::test]
async fn a_limit_holds_for_each_key_apart() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(8, |_| {}).await;
    let acme = server.tenant("acme").await;
    let url = format!("={}/slow/{{{{ $json.body.customer }}}}", receiver.url);
    let mut workflow = chain("limited", vec![http("s", url)]);
    workflow["settings"] = json!({ "concurrency": 1, "concurrencyKey": "body.customer" });
    activated(&acme.developer, workflow).await;
    for customer in ["ann", "ann", "bob", "eve"] {
        let body = json!({ "customer": customer });
        server.visitor().post("/t/acme/webhook/limited", body).await.expect(200);
    }
    let mut paths = Vec::new();
    for _ in 0..4 {
        paths.push(receiver.next().await.path);
    }
    paths[..3].sort();
    assert_eq!(paths, ["/slow/ann", "/slow/bob", "/slow/eve", "/slow/ann"], "who has nothing running waits for nobody");
    assert!((2..=3).contains(&receiver.most_at_once()), "{}", receiver.most_at_once());
    shutdown.cancel();
}

#[actix_web::test]
async fn no_more_run_at_a_time_than_a_tenant_may() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(8, |config| config.executions.tenant_concurrency = 1).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, chain("one", vec![http("s", format!("{}/short/x", receiver.url))])).await;
    activated(&acme.developer, chain("two", vec![http("s", format!("{}/short/y", receiver.url))])).await;
    for _ in 0..3 {
        call(&server, &acme, "one").await;
        call(&server, &acme, "two").await;
    }
    for _ in 0..6 {
        receiver.next().await;
    }
    assert_eq!(receiver.most_at_once(), 1);
    shutdown.cancel();
}
