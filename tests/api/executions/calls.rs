//! Workflows that call workflows, where something happens meanwhile: the caller is stopped, the process dies or stops, or
//! all places are taken.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::killed::{CONCURRENCY, all_over, number, println, server};
use crate::recovery::{chain, http, wait};
use crate::support::{Process, Receiver};

/// A workflow to be called, with these nodes.
async fn called(process: &Process, nodes: Vec<Value>) -> String {
    called_as(process, chain("called", nodes)).await
}

async fn called_as(process: &Process, mut workflow: Value) -> String {
    workflow["nodes"][0] = trigger();
    let imported = process.call("POST", "/api/v1/workflows/import", Some(workflow)).await;
    imported["id"].as_str().unwrap().to_owned()
}

fn trigger() -> Value {
    json!({ "name": "Webhook", "type": "n8n-nodes-base.executeWorkflowTrigger", "typeVersion": 1.1, "position": [0, 0],
        "parameters": { "inputSource": "passthrough" } })
}

fn call(id: &str) -> Value {
    json!({ "name": "Call", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2, "position": [0, 0],
        "parameters": { "workflowId": { "__rl": true, "mode": "id", "value": id }, "options": {} } })
}

fn wait_for_call() -> Value {
    json!({ "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [0, 0],
        "parameters": { "resume": "webhook", "options": {} } })
}

fn script(name: &str, code: &str) -> Value {
    json!({ "name": name, "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [0, 0],
        "parameters": { "jsCode": code } })
}

async fn resume(process: &Process, id: &Value) {
    let path = format!("/api/v1/executions/{}/resume", id.as_str().unwrap());
    assert_eq!(process.send("POST", &path, Some(json!({}))).await.unwrap().0, 200);
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
    let waiting = process.wait_for("waiting", 2).await;
    stop(&process, &by_mode(&waiting, "webhook")["id"]).await;
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
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let innermost = called(&process, vec![wait(3), step("after")]).await;
    let inner = called(&process, vec![call(&innermost)]).await;
    process.activate(chain("waits", vec![call(&inner)])).await;
    process.activate(chain("other", vec![step("other")])).await;
    begin(&process, "waits").await;
    process.wait_for("waiting", 3).await;
    begin(&process, "other").await;
    process.wait_for("success", 1).await;
    process.wait_for("success", 4).await;
    assert_eq!((receiver.counts("/after"), receiver.counts("/other")), (vec![1], vec![1]));
}

#[actix_web::test]
async fn callers_whose_calls_wait_are_in_no_process() {
    let receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let inner = called(&process, vec![step("a"), wait_for_call(), step("b")]).await;
    process.activate(chain("calls", vec![step("before"), call(&inner), step("after")])).await;
    begin(&process, "calls").await;
    let waiting = process.wait_for("waiting", 2).await;
    let caller = by_mode(&waiting, "webhook")["id"].as_str().unwrap();
    let (status, refused) =
        process.send("POST", &format!("/api/v1/executions/{caller}/resume"), Some(json!({}))).await.unwrap();
    assert_eq!(status, 409, "what it called has no outcome yet");
    assert!(String::from_utf8(refused).unwrap().contains("execution_wrong_state"));
    let hook = format!("/t/acme/webhook-waiting/{caller}");
    assert_ne!(process.send("POST", &hook, Some(json!({}))).await.unwrap().0, 200);
    process.kill();
    process.restart(&["serve"]).await;
    process.wait_for("waiting", 2).await;
    resume(&process, &by_mode(&waiting, "integrated")["id"]).await;
    process.wait_for("success", 2).await;
    let timeline = process.call("GET", &format!("/api/v1/executions/{caller}/timeline"), None).await.to_string();
    assert!(!timeline.contains("\"died\""), "{timeline}");
    for path in ["/before", "/a", "/b", "/after"] {
        assert_eq!(receiver.counts(path), [1], "{path}");
    }
}

#[actix_web::test]
async fn whoever_waits_for_the_answer_of_a_caller_gets_what_was_called_put_out_after_its_wait() {
    let process = Process::start(&[]).await;
    let inner = called(&process, vec![wait(2), script("Out", "return [{ json: { from: 'called' } }]")]).await;
    let mut asks = chain("asks", vec![call(&inner), script("Seen", "return [{ json: { seen: $json.from } }]")]);
    asks["nodes"][0]["parameters"]["responseMode"] = json!("lastNode");
    // Less than the wait, which does not count.
    asks["settings"]["executionTimeout"] = json!(1);
    process.activate(asks).await;
    let (status, answer) = process.send("POST", "/t/acme/webhook/asks", Some(json!({}))).await.unwrap();
    assert_eq!((status, String::from_utf8(answer).unwrap().as_str()), (200, r#"{"seen":"called"}"#));
}

/// On PostgreSQL; tried where `MILLRACE_TEST_POSTGRES_URL` names one.
#[actix_web::test]
async fn a_caller_goes_on_in_another_process_than_it_began_in() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let process = Process::start(&[("SERVER__ROLES", "[\"api\"]")]).await;
    let inner = called(&process, vec![wait_for_call(), script("Out", "return [{ json: { from: 'called' } }]")]).await;
    let mut asks = chain("asks", vec![call(&inner)]);
    asks["nodes"][0]["parameters"]["responseMode"] = json!("lastNode");
    process.activate(asks).await;
    let mut first = process.beside(&["worker", "--port", "0"]);
    let caller = process.caller();
    let asked =
        actix_web::rt::spawn(
            async move { caller.send("POST", "/t/acme/webhook/asks", Some(json!({}))).await.unwrap() },
        );
    let waiting = process.wait_for("waiting", 2).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let mut second = process.beside(&["worker", "--port", "0"]);
    resume(&process, &by_mode(&waiting, "integrated")["id"]).await;
    let (status, answer) = asked.await.unwrap();
    assert_eq!((status, String::from_utf8(answer).unwrap().as_str()), (200, r#"{"from":"called"}"#));
    second.kill().unwrap();
    second.wait().unwrap();
}

#[actix_web::test]
async fn a_node_that_calls_for_each_item_calls_each_once_though_some_wait() {
    let receiver = Receiver::start();
    let process = Process::start(&[]).await;
    let each = http("Each", format!("={}/{{{{ $json.n }}}}", receiver.url));
    let mut waits = wait(0);
    waits["parameters"]["amount"] = json!("={{ $('Webhook').item.json.n % 2 * 2 }}");
    let out = script("Out", "return [{ json: { was: $('Webhook').first().json.n } }]");
    let mut unkept = chain("called", vec![each, waits, out]);
    unkept["settings"]["saveDataSuccessExecution"] = json!("none");
    let inner = called_as(&process, unkept).await;
    let mut calls = call(&inner);
    calls["parameters"]["mode"] = json!("each");
    let items = script("Items", "return [0, 1, 2, 3].map((n) => ({ json: { n } }))");
    process.activate(chain("each", vec![items, calls])).await;
    begin(&process, "each").await;
    // Those that waited are kept for their caller.
    let ended = process.wait_for("success", 3).await;
    let caller = by_mode(&ended, "webhook")["id"].as_str().unwrap();
    let caller = process.call("GET", &format!("/api/v1/executions/{caller}?includeData=true"), None).await;
    let put_out = caller["data"]["resultData"]["runData"]["Call"][0]["data"]["main"][0].as_array().unwrap();
    let put_out: Vec<&Value> = put_out.iter().map(|item| &item["json"]["was"]).collect();
    assert_eq!(put_out, [0, 1, 2, 3]);
    for n in 0..4 {
        assert_eq!(receiver.counts(&format!("/{n}")), [1], "{n}");
    }
}

#[actix_web::test]
async fn a_workflow_given_in_a_call_goes_on_after_its_wait() {
    let process = Process::start(&[]).await;
    let mut given = chain("given", vec![wait(2), script("Out", "return [{ json: { from: 'given' } }]")]);
    given["nodes"][0] = trigger();
    let mut calls = call("");
    calls["parameters"] = json!({ "source": "parameter", "workflowJson": given.to_string(), "options": {} });
    let mut asks = chain("asks", vec![calls]);
    asks["nodes"][0]["parameters"]["responseMode"] = json!("lastNode");
    process.activate(asks).await;
    let (status, answer) = process.send("POST", "/t/acme/webhook/asks", Some(json!({}))).await.unwrap();
    assert_eq!((status, String::from_utf8(answer).unwrap().as_str()), (200, r#"{"from":"given"}"#));
}

#[actix_web::test]
async fn a_caller_fails_as_what_it_called_does_after_its_wait() {
    let process = Process::start(&[]).await;
    let stop_and_error = |message: &str| {
        json!({ "name": "Fail", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1, "position": [0, 0],
            "parameters": { "errorMessage": message } })
    };
    let inner = called(&process, vec![wait(2), stop_and_error("no luck")]).await;
    process.activate(chain("fails", vec![call(&inner)])).await;
    begin(&process, "fails").await;
    let failed = process.wait_for("error", 2).await;
    assert_eq!(by_mode(&failed, "webhook")["error"], "no luck", "{failed:?}");
    let mut goes_on = call(&inner);
    goes_on["onError"] = json!("continueRegularOutput");
    process.activate(chain("goes-on", vec![goes_on])).await;
    begin(&process, "goes-on").await;
    process.wait_for("success", 1).await;
}

#[actix_web::test]
async fn a_caller_goes_on_when_what_it_called_is_stopped_or_deleted() {
    let receiver = Receiver::start();
    let process = Process::start(&[]).await;
    let inner = called(&process, vec![http("a", format!("{}/a", receiver.url)), wait_for_call()]).await;
    process.activate(chain("calls", vec![call(&inner)])).await;
    for (count, method, told) in [(1, "POST", "was canceled"), (2, "DELETE", "left no record")] {
        begin(&process, "calls").await;
        let waiting = process.wait_for("waiting", 2).await;
        let called = by_mode(&waiting, "integrated")["id"].as_str().unwrap();
        let path = format!("/api/v1/executions/{called}{}", if method == "POST" { "/stop" } else { "" });
        assert_eq!(process.send(method, &path, Some(json!({}))).await.unwrap().0, 200, "{method}");
        let failed = process.wait_for("error", count).await;
        assert!(failed[0]["error"].as_str().unwrap().contains(told), "{failed:?}");
        assert_eq!(receiver.counts("/a").len(), count, "it is not called again");
    }
    begin(&process, "calls").await;
    let waiting = process.wait_for("waiting", 2).await;
    let caller = by_mode(&waiting, "webhook")["id"].as_str().unwrap();
    assert_eq!(process.send("DELETE", &format!("/api/v1/executions/{caller}"), None).await.unwrap().0, 200);
    process.wait_for("canceled", 2).await;
}

#[actix_web::test]
async fn a_caller_that_nobody_wakes_is_found() {
    let mut process = Process::start(&[]).await;
    let inner = called(&process, vec![wait_for_call()]).await;
    process.activate(chain("calls", vec![call(&inner)])).await;
    begin(&process, "calls").await;
    process.wait_for("waiting", 2).await;
    process.kill();
    // Its process died behind the end of what was called, before the caller was told.
    process.tamper(|_| "UPDATE executions SET status = 'canceled' WHERE mode = 'integrated'").await;
    process.restart(&["serve"]).await;
    let failed = process.wait_for("error", 1).await;
    assert!(failed[0]["error"].as_str().unwrap().contains("was canceled"), "{failed:?}");
}

#[actix_web::test]
async fn what_is_called_and_kills_its_process_each_time_is_given_up_and_its_caller_told() {
    let mut receiver = Receiver::start();
    let mut process = Process::start(&[]).await;
    let inner = called(&process, vec![http("kill", format!("{}/never/kill", receiver.url))]).await;
    process.activate(chain("calls", vec![call(&inner)])).await;
    begin(&process, "calls").await;
    for _ in 0..3 {
        receiver.wait_for("/never/kill").await;
        process.kill();
        process.restart(&["serve"]).await;
    }
    let crashed = process.wait_for("crashed", 1).await;
    assert_eq!(crashed[0]["mode"], "integrated");
    let failed = process.wait_for("error", 1).await;
    assert!(failed[0]["error"].as_str().unwrap().contains("died 3 times"), "{failed:?}");
    assert_eq!(receiver.counts("/never/kill"), [3]);
}

/// `cargo xtask chaos calls` does it at full size.
#[actix_web::test]
async fn callers_and_called_end_though_their_process_is_killed() {
    let executions = number("MILLRACE_CHAOS_CALLS", 12);
    let kills = number("MILLRACE_CHAOS_KILLS", if executions > 100 { 20 } else { 4 });
    let mut receiver = Receiver::start();
    let mut process = server().await;
    let steps = ["before", "a", "b", "after"].map(|name| http(name, format!("{}/short/{name}", receiver.url)));
    let [before, first, second, after] = steps;
    let inner = called(&process, vec![first, wait(2), second]).await;
    process.activate(chain("calls", vec![before, call(&inner), after])).await;
    let began = Instant::now();
    for _ in 0..executions {
        begin(&process, "calls").await;
    }
    for _ in 0..kills {
        for _ in 0..executions * 4 / (kills + 1) {
            receiver.next().await;
        }
        process.kill();
        process.restart(&["serve"]).await;
    }
    assert_eq!(all_over(&process).await, BTreeMap::from([("success".to_owned(), executions * 2)]));
    let mut repeated = 0;
    for path in ["/short/before", "/short/a", "/short/b", "/short/after"] {
        let counts = receiver.counts(path);
        assert_eq!(counts.len(), executions, "{path}: each execution called with a key of its own");
        repeated += counts.iter().sum::<usize>() - executions;
    }
    let most = kills * CONCURRENCY;
    assert!(repeated <= most, "{repeated} repeated");
    let seconds = began.elapsed().as_secs_f64();
    println(&format!(
        "{executions} callers and as many called, {kills} kills: {repeated} of {} calls repeated (at most {most}), {seconds:.1} s",
        executions * 4 + repeated
    ));
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
    let taken_up = [process.wait_for("waiting", 1).await, process.wait_for("running", 1).await].concat();
    assert_eq!([&taken_up[0]["mode"], &taken_up[1]["mode"]], ["webhook", "integrated"]);
    for row in &taken_up {
        let timeline = format!("/api/v1/executions/{}/timeline", row["id"].as_str().unwrap());
        let timeline = process.call("GET", &timeline, None).await.to_string();
        assert!(timeline.contains("handed-on") && !timeline.contains("\"died\""), "{timeline}");
    }
    assert_eq!(receiver.counts("/a"), [1]);
}
