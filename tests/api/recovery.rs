//! The process is killed as a power cut would kill it: what was accepted goes on where it stopped, and nothing that was
//! done is done again.

use std::time::Instant;

use millrace::infrastructure::database::Backend;
use serde_json::{Value, json};

use crate::support::{Process, Receiver};

/// A webhook at `path`, answered on receipt, then these nodes one after the other.
pub(crate) fn chain(path: &str, nodes: Vec<Value>) -> Value {
    let hook = json!({ "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
        "parameters": { "httpMethod": "POST", "path": path, "responseMode": "onReceived", "options": {} } });
    let mut connections = serde_json::Map::new();
    let mut before = "Webhook".to_owned();
    for node in &nodes {
        let name = node["name"].as_str().unwrap();
        connections.insert(before, json!({ "main": [[{ "node": name, "type": "main", "index": 0 }]] }));
        before = name.to_owned();
    }
    let all: Vec<Value> = std::iter::once(hook).chain(nodes).collect();
    json!({ "name": path, "nodes": all, "connections": connections, "settings": { "executionOrder": "v1" } })
}

pub(crate) fn http(name: &str, url: String) -> Value {
    json!({ "name": name, "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [0, 0],
        "parameters": { "method": "POST", "url": url, "options": {} } })
}

/// Makes a number that differs each time it is made.
fn random() -> Value {
    json!({ "name": "Random", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [0, 0],
        "parameters": { "options": {}, "assignments": { "assignments": [
            { "id": "1", "name": "number", "type": "number", "value": "={{ Math.random() }}" }] } } })
}

pub(crate) fn wait(seconds: u32) -> Value {
    json!({ "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [0, 0],
        "parameters": { "amount": seconds, "unit": "seconds" } })
}

#[actix_web::test]
async fn a_killed_run_goes_on_where_it_stopped() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), random(), step("slow/b"), step("c")])).await;
    process.send("POST", "/t/acme/webhook/steps", Some(json!({}))).await.unwrap();
    let first = receiver.wait_for("/slow/b").await;
    process.kill();
    process.restart(&["serve"]).await;
    let again = receiver.wait_for("/slow/b").await;
    assert_eq!(first, again, "the call in flight comes again, with the same key");
    let done = process.wait_for("success", 1).await;
    assert_eq!(first.key, format!("{}-3-0-0", done[0]["id"].as_str().unwrap()));
    for (path, counts) in [("/a", 1), ("/slow/b", 2), ("/c", 1)] {
        assert_eq!(receiver.counts(path), [counts], "{path}");
    }
    let timeline = format!("/api/v1/executions/{}/timeline", done[0]["id"].as_str().unwrap());
    let timeline = process.call("GET", &timeline, None).await;
    let kinds: Vec<&str> =
        timeline["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "died").count(), 1, "{timeline}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "node").count(), 5, "{timeline}");
}

#[actix_web::test]
async fn a_request_has_no_key_where_its_node_wants_none() {
    let mut receiver = Receiver::start();
    let process = Process::start(&[]).await;
    let mut keyless = http("keyless", format!("{}/keyless", receiver.url));
    keyless["parameters"]["options"]["idempotencyKey"] = json!(false);
    process.activate(chain("keys", vec![http("keyed", format!("{}/keyed", receiver.url)), keyless])).await;
    process.send("POST", "/t/acme/webhook/keys", Some(json!({}))).await.unwrap();
    assert!(!receiver.wait_for("/keyed").await.key.is_empty());
    assert_eq!(receiver.wait_for("/keyless").await.key, "");
}

#[actix_web::test]
async fn what_was_accepted_and_never_began_is_taken_up() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[("EXECUTIONS__CONCURRENCY", "1")]).await;
    process.activate(chain("queued", vec![http("slow", format!("{}/slow/x", receiver.url))])).await;
    for _ in 0..4 {
        let (status, _) = process.send("POST", "/t/acme/webhook/queued", Some(json!({}))).await.unwrap();
        assert_eq!(status, 200);
    }
    receiver.wait_for("/slow/x").await;
    process.kill();
    process.restart(&["serve"]).await;
    process.wait_for("success", 4).await;
    let counts = receiver.counts("/slow/x");
    assert_eq!(counts.len(), 4, "each execution has its key");
    assert_eq!(counts.iter().sum::<usize>(), 5, "only the one in flight came twice");
}

#[actix_web::test]
async fn a_wait_holds_no_worker_and_its_time_outlives_the_process() {
    let receiver = Receiver::start();
    let mut process = Process::start(&[("EXECUTIONS__CONCURRENCY", "1")]).await;
    process.activate(chain("wait", vec![wait(4), http("after", format!("{}/after", receiver.url))])).await;
    process.activate(chain("other", vec![http("other", format!("{}/other", receiver.url))])).await;
    let began = Instant::now();
    process.send("POST", "/t/acme/webhook/wait", Some(json!({}))).await.unwrap();
    process.wait_for("waiting", 1).await;
    process.send("POST", "/t/acme/webhook/other", Some(json!({}))).await.unwrap();
    process.wait_for("success", 1).await;
    process.kill();
    process.restart(&["serve"]).await;
    process.wait_for("success", 2).await;
    assert!(began.elapsed().as_secs() >= 4, "{:?}", began.elapsed());
    assert_eq!(receiver.counts("/after"), [1]);
}

#[actix_web::test]
async fn what_kills_its_process_each_time_is_given_up_and_others_run_on() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    process.activate(chain("poison", vec![http("kill", format!("{}/never/kill", receiver.url))])).await;
    process.activate(chain("good", vec![http("good", format!("{}/slow/good", receiver.url))])).await;
    process.send("POST", "/t/acme/webhook/good", Some(json!({}))).await.unwrap();
    receiver.wait_for("/slow/good").await;
    process.send("POST", "/t/acme/webhook/poison", Some(json!({}))).await.unwrap();
    for _ in 0..3 {
        receiver.wait_for("/never/kill").await;
        process.kill();
        process.restart(&["serve"]).await;
    }
    let crashed = process.wait_for("crashed", 1).await;
    assert!(crashed[0]["error"].as_str().unwrap().contains("died 3 times"), "{crashed:?}");
    process.wait_for("success", 1).await;
    assert_eq!(receiver.counts("/never/kill"), [3]);
    let retry = format!("/api/v1/executions/{}/retry", crashed[0]["id"].as_str().unwrap());
    let retried = process.call("POST", &retry, Some(json!({}))).await;
    assert_eq!(retried["retryOf"], crashed[0]["id"], "{retried}");
}

#[actix_web::test]
async fn a_journal_that_cannot_be_read_ends_its_execution_and_no_other() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), step("slow/b")])).await;
    process.send("POST", "/t/acme/webhook/steps", Some(json!({}))).await.unwrap();
    receiver.wait_for("/slow/b").await;
    process.kill();
    let damage = |backend| match backend {
        Backend::Postgres => "UPDATE execution_journal SET entries = '\\xff00'::bytea",
        _ => "UPDATE execution_journal SET entries = x'ff00'",
    };
    process.tamper(damage).await;
    process.restart(&["serve"]).await;
    let failed = process.wait_for("error", 1).await;
    let error = failed[0]["error"].as_str().unwrap();
    assert!(error.starts_with("the stored execution cannot be read (execution_unreadable): "), "{error}");
    process.send("POST", "/t/acme/webhook/steps", Some(json!({}))).await.unwrap();
    process.wait_for("success", 1).await;
    assert_eq!(receiver.counts("/slow/b"), [1, 1], "what cannot be read is not begun again");
}

#[actix_web::test]
async fn a_process_that_is_told_to_stop_hands_its_runs_on() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    process
        .activate(chain(
            "long",
            vec![http("a", format!("{}/a", receiver.url)), http("b", format!("{}/never/b", receiver.url))],
        ))
        .await;
    process.send("POST", "/t/acme/webhook/long", Some(json!({}))).await.unwrap();
    receiver.wait_for("/never/b").await;
    process.terminate();
    process.restart(&["serve"]).await;
    receiver.wait_for("/never/b").await;
    assert_eq!((receiver.counts("/a"), receiver.counts("/never/b")), (vec![1], vec![2]));
    let running = process.wait_for("running", 1).await;
    let timeline = format!("/api/v1/executions/{}/timeline", running[0]["id"].as_str().unwrap());
    let timeline = process.call("GET", &timeline, None).await;
    assert!(timeline["data"].as_array().unwrap().iter().any(|event| event["type"] == "handed-on"), "{timeline}");
}
