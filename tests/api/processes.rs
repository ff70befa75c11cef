//! An API and a worker as processes of their own, on PostgreSQL; tried where `MILLRACE_TEST_POSTGRES_URL` names one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Way};
use crate::workflows::greeting;

/// An API that runs nothing; `None` without PostgreSQL.
async fn api() -> Option<Process> {
    std::env::var("MILLRACE_TEST_POSTGRES_URL").ok()?;
    Some(Process::start(&[("SERVER__ROLES", "[\"api\"]")]).await)
}

#[actix_web::test]
async fn who_calls_the_api_is_answered_by_a_worker_elsewhere() {
    let Some(process) = api().await else { return };
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
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let settings = [("SERVER__ROLES", "[\"api\"]"), ("TENANTS__PLAN__CONCURRENT_EXECUTIONS", "1")];
    let process = Process::start(&settings).await;
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
    let Some(process) = api().await else { return };
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
    let Some(process) = api().await else { return };
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
