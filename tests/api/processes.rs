//! An API and a worker as processes of their own. They need the PostgreSQL that `MILLRACE_TEST_POSTGRES_URL` names;
//! `cargo xtask test` leaves them out where it gives none.

use std::time::Duration;

use serde_json::{Value, json};

use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Way};
use crate::webhooks::streaming::{call, code, expect, much, part, parts_of, respond, streaming};
use crate::workflows::greeting;

/// An API that runs nothing.
async fn api() -> Process {
    api_with(&[]).await
}

async fn api_with(settings: &[(&str, &str)]) -> Process {
    std::env::var("MILLRACE_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| panic!("`cargo xtask services up` says where the server is"));
    Process::start(&[&[("SERVER__ROLES", "[\"api\"]")][..], settings].concat()).await
}

#[actix_web::test]
async fn who_calls_the_api_is_answered_by_a_worker_elsewhere() {
    let process = api().await;
    process.activate(greeting("hello")).await;
    let mut answering = greeting("answered");
    answering["nodes"][0]["parameters"]["responseMode"] = json!("responseNode");
    answering["nodes"].as_array_mut().unwrap().push(json!({
        "name": "Answer", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1.1, "position": [400, 0],
        "parameters": { "respondWith": "text", "responseBody": "=Dear {{ $json.greeting }}", "options": { "responseCode": 201 } }
    }));
    answering["connections"]["Greet"] = json!({ "main": [[{ "node": "Answer", "type": "main", "index": 0 }]] });
    process.activate(answering).await;
    let mut worker = process.beside(&["worker", "--port", "0", "--concurrency", "4"]);
    let (status, body) = process.send("POST", "/t/acme/webhook/hello", Some(json!({ "name": "Ann" }))).await.unwrap();
    let greeted: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, greeted), (200, json!({ "greeting": "Hello Ann" })));
    let (status, body) =
        process.send("POST", "/t/acme/webhook/answered", Some(json!({ "name": "Ann" }))).await.unwrap();
    assert_eq!((status, String::from_utf8(body).unwrap()), (201, "Dear Hello Ann".to_owned()));
    worker.kill().unwrap();
    worker.wait().unwrap();
}

#[actix_web::test]
async fn a_plans_limit_holds_for_all_processes_together() {
    let process = api_with(&[("TENANTS__PLAN__CONCURRENT_EXECUTIONS", "1")]).await;
    let mut receiver = Receiver::start();
    process.activate(chain("many", vec![http("s", format!("{}/short/x", receiver.url))])).await;
    // Nothing runs yet, so all of them are taken.
    for _ in 0..6 {
        let (status, _) = process.send("POST", "/t/acme/webhook/many", Some(json!({}))).await.unwrap();
        assert_eq!(status, 200);
    }
    let mut workers = [process.beside(&["worker", "--port", "0"]), process.beside(&["worker", "--port", "0"])];
    for _ in 0..6 {
        receiver.next().await;
    }
    assert_eq!(receiver.most_at_once(), 1);
    process.wait_for("success", 6).await;
    for worker in &mut workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
}

#[actix_web::test]
async fn a_worker_waits_for_a_database_that_is_away_and_gives_up_on_one_that_refuses_it() {
    let process = api().await;
    process.activate(greeting("hello")).await;
    let call = process.send("POST", "/api/v1/workflows/import", Some(json!([])));
    assert_eq!(call.await.unwrap().0, 201);
    let started = process.call("GET", "/api/v1/workflows", None).await["data"][0]["id"].as_str().unwrap().to_owned();
    process.call("POST", &format!("/api/v1/workflows/{started}/trigger"), Some(json!({}))).await;
    let way = Way::to(&process.database(), 5432).await;
    way.set_open(false);
    let mut worker = process.beside_with(&["worker", "--port", "0"], &[("DATABASE__URL", way.by(&process.database()))]);
    while way.turned_away() < 3 {
        assert!(worker.try_wait().unwrap().is_none(), "it gave up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    way.set_open(true);
    process.wait_for("success", 1).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    let mut refused = url::Url::parse(&process.database()).unwrap();
    refused.set_path("/there-is-no-such-database");
    let mut worker = process.beside_with(&["worker", "--port", "0"], &[("DATABASE__URL", refused.to_string())]);
    let ended = loop {
        if let Some(ended) = worker.try_wait().unwrap() {
            break ended;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(ended.code(), Some(1));
}

#[actix_web::test]
async fn another_worker_goes_on_with_what_a_killed_one_had() {
    let process = api().await;
    let mut receiver = Receiver::start();
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), step("slow/b"), step("c")])).await;
    let mut first = process.beside(&["worker", "--port", "0"]);
    process.send("POST", "/t/acme/webhook/steps", Some(json!({}))).await.unwrap();
    let in_flight = receiver.wait_for("/slow/b").await;
    first.kill().unwrap();
    first.wait().unwrap();
    let mut second = process.beside(&["worker", "--port", "0"]);
    assert_eq!(receiver.wait_for("/slow/b").await, in_flight);
    process.wait_for("success", 1).await;
    for (path, counts) in [("/a", 1), ("/slow/b", 2), ("/c", 1)] {
        assert_eq!(receiver.counts(path), [counts], "{path}");
    }
    second.kill().unwrap();
    second.wait().unwrap();
}

#[actix_web::test]
async fn parts_come_from_a_worker_elsewhere_while_it_runs() {
    let process = api().await;
    let mut receiver = Receiver::start();
    let gate = http("Gate", format!("{}/gate/x", receiver.url));
    process.activate(streaming("parts", vec![respond("One", "first"), gate, respond("Two", "second")])).await;
    process.activate(much("much", &receiver)).await;
    process.activate(streaming("fails", vec![code("Fails", "throw new Error('boom')")])).await;
    let mut worker = process.beside(&["worker", "--port", "0"]);
    let address = process.address();
    let mut stream = call(&address, "parts").await;
    expect(&mut stream, parts_of("One", "first", (0, 0))).await;
    receiver.wait_for("/gate/x").await;
    receiver.open_gate();
    expect(&mut stream, parts_of("Two", "second", (0, 0))).await;
    stream.end().await;
    let mut much = call(&address, "much").await;
    for _ in 0..3 * 64 {
        part(&mut much).await;
    }
    much.end().await;
    let mut fails = call(&address, "fails").await;
    assert_eq!(part(&mut fails).await["metadata"]["nodeName"], "Fails");
    fails.end().await;
    worker.kill().unwrap();
    worker.wait().unwrap();
}
