//! Workflows that call workflows, where something happens meanwhile: the caller is stopped, the process dies or stops, or
//! all places are taken.

use serde_json::{Value, json};

use crate::recovery::{chain, http, wait};
use crate::support::{Process, Receiver};

/// A workflow to be called, with these nodes.
async fn called(process: &Process, nodes: Vec<Value>) -> String {
    let mut workflow = chain("called", nodes);
    workflow["nodes"][0] = json!({ "name": "Webhook", "type": "n8n-nodes-base.executeWorkflowTrigger", "typeVersion": 1.1,
        "position": [0, 0], "parameters": { "inputSource": "passthrough" } });
    let imported = process.call("POST", "/api/v1/workflows/import", Some(workflow)).await;
    imported["id"].as_str().unwrap().to_owned()
}

fn call(id: &str) -> Value {
    json!({ "name": "Call", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2, "position": [0, 0],
        "parameters": { "workflowId": { "__rl": true, "mode": "id", "value": id }, "options": {} } })
}

async fn begin(process: &Process, path: &str) {
    let (status, _) = process.send("POST", &format!("/t/acme/webhook/{path}"), Some(json!({}))).await.unwrap();
    assert_eq!(status, 200);
}

async fn stop(process: &Process, id: &Value) {
    let path = format!("/api/v1/executions/{}/stop", id.as_str().unwrap());
    assert_eq!(process.send("POST", &path, Some(json!({}))).await.unwrap().0, 200);
}

fn by_mode<'a>(rows: &'a [Value], mode: &str) -> &'a Value {
    rows.iter().find(|row| row["mode"] == mode).unwrap_or_else(|| panic!("no {mode} in {rows:?}"))
}

#[actix_web::test]
async fn what_is_called_is_stopped_with_its_caller() {
    let mut receiver = Receiver::start();
    let process = Process::start(&[]).await;
    let url = receiver.url.clone();
    let step = |name: &str| http(name, format!("{url}/{name}"));
    let runs = called(&process, vec![step("never/a"), step("b")]).await;
    process.activate(chain("runs", vec![call(&runs), step("c")])).await;
    begin(&process, "runs").await;
    receiver.wait_for("/never/a").await;
    let running = process.wait_for("running", 2).await;
    stop(&process, &by_mode(&running, "webhook")["id"]).await;
    process.wait_for("canceled", 2).await;
    let waits = called(&process, vec![wait(3), step("d")]).await;
    process.activate(chain("waits", vec![call(&waits), step("e")])).await;
    begin(&process, "waits").await;
    process.wait_for("waiting", 1).await;
    let running = process.wait_for("running", 1).await;
    stop(&process, &running[0]["id"]).await;
    process.wait_for("canceled", 4).await;
    // Longer than two looks for executions that were lost, and than the wait.
    begin(&process, "waits").await;
    process.wait_for("success", 2).await;
    for (path, counts) in [("/never/a", vec![1]), ("/b", vec![]), ("/c", vec![]), ("/d", vec![1]), ("/e", vec![1])] {
        assert_eq!(receiver.counts(path), counts, "{path}");
    }
}

#[actix_web::test]
async fn callers_whose_calls_wait_keep_nobody_from_running() {
    let receiver = Receiver::start();
    let process = Process::start(&[("EXECUTIONS__CONCURRENCY", "1"), ("EXECUTIONS__TENANT_CONCURRENCY", "1")]).await;
    let after = http("after", format!("{}/after", receiver.url));
    let innermost = called(&process, vec![wait(2), after]).await;
    let inner = called(&process, vec![call(&innermost)]).await;
    process.activate(chain("waits", vec![call(&inner)])).await;
    begin(&process, "waits").await;
    process.wait_for("success", 3).await;
    assert_eq!(receiver.counts("/after"), [1]);
}

#[actix_web::test]
async fn a_killed_call_goes_on_with_its_caller() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let inner = called(&process, vec![step("a"), step("slow/b")]).await;
    process.activate(chain("calls", vec![step("before"), call(&inner), step("after")])).await;
    begin(&process, "calls").await;
    receiver.wait_for("/slow/b").await;
    for _ in 0..2 {
        process.kill();
        process.restart(&["serve"]).await;
        receiver.wait_for("/slow/b").await;
    }
    process.wait_for("success", 2).await;
    for (path, count) in [("/before", 1), ("/a", 1), ("/slow/b", 3), ("/after", 1)] {
        assert_eq!(receiver.counts(path), [count], "{path}");
    }
}

#[actix_web::test]
async fn a_process_that_stops_hands_on_calls_with_their_callers() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[("SERVER__SHUTDOWN_TIMEOUT_SECONDS", "1")]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let inner = called(&process, vec![step("a"), step("never/b")]).await;
    process.activate(chain("calls", vec![call(&inner)])).await;
    begin(&process, "calls").await;
    receiver.wait_for("/never/b").await;
    process.wait_for("running", 2).await;
    process.terminate();
    process.restart(&["serve"]).await;
    receiver.wait_for("/never/b").await;
    let running = process.wait_for("running", 2).await;
    for row in &running {
        let timeline = format!("/api/v1/executions/{}/timeline", row["id"].as_str().unwrap());
        let timeline = process.call("GET", &timeline, None).await.to_string();
        assert!(timeline.contains("handed-on") && !timeline.contains("\"died\""), "{timeline}");
    }
    assert_eq!(receiver.counts("/a"), [1]);
}
