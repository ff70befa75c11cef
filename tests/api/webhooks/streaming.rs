//! Answers in parts: as n8n 2.8.4 gives them, while the execution runs, whoever reads them and however slowly.

use std::time::Duration;

use serde_json::{Value, json};

use super::guard::webhook;
use crate::recovery::{chain, http, wait};
use crate::support::{Process, Receiver, Stream, TestServer, TestTenant};
use crate::workflows::activated;

/// A webhook that answers in parts, then these nodes.
pub(crate) fn streaming(path: &str, nodes: Vec<Value>) -> Value {
    let mut workflow = chain(path, nodes);
    workflow["nodes"][0]["parameters"]["responseMode"] = json!("streaming");
    workflow
}

pub(crate) fn respond(name: &str, text: &str) -> Value {
    json!({ "id": name.to_lowercase(), "name": name, "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1.5,
        "position": [0, 0], "parameters": { "respondWith": "text", "responseBody": text } })
}

pub(crate) fn code(name: &str, script: &str) -> Value {
    json!({ "id": name.to_lowercase(), "name": name, "type": "n8n-nodes-base.code", "typeVersion": 2,
        "position": [0, 0], "parameters": { "jsCode": script } })
}

fn address(server: &TestServer) -> String {
    server.app.config.server.public_url.strip_prefix("http://").unwrap().to_owned()
}

async fn server() -> TestServer {
    TestServer::listening(|config| config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .await
}

pub(crate) async fn call(address: &str, path: &str) -> Stream {
    let headers = [("accept-encoding", "gzip, br"), ("content-length", "0")];
    Stream::ask(address, "POST", &format!("/t/acme/webhook/{path}"), &headers).await
}

/// The next part, without its time.
pub(crate) async fn part(stream: &mut Stream) -> Value {
    let mut part: Value = serde_json::from_str(&format!("{{{}", stream.line("{").await)).unwrap();
    let at = part["metadata"].as_object_mut().unwrap().remove("timestamp");
    assert!(part["type"] == "error" || at.is_some_and(|at| at.is_i64()), "{part}");
    part
}

/// What a node sends of a text.
pub(crate) fn parts_of(name: &str, text: &str, (item, run): (usize, usize)) -> Vec<Value> {
    let metadata = json!({ "nodeId": name.to_lowercase(), "nodeName": name, "itemIndex": item, "runIndex": run });
    vec![
        json!({ "type": "begin", "metadata": metadata }),
        json!({ "type": "item", "content": text, "metadata": metadata }),
        json!({ "type": "end", "metadata": metadata }),
    ]
}

pub(crate) async fn expect(stream: &mut Stream, parts: Vec<Value>) {
    for expected in parts {
        assert_eq!(part(stream).await, expected);
    }
}

async fn executions(tenant: &TestTenant, status: &str) -> usize {
    let page = tenant.viewer.get(&format!("/api/v1/executions?status={status}")).await.json(200);
    page["data"].as_array().unwrap().len()
}

async fn until(condition: impl AsyncFn() -> bool) {
    for _ in 0..1200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to that");
}

#[actix_web::test]
async fn parts_arrive_while_the_execution_runs() {
    let (server, mut receiver) = (server().await, Receiver::start());
    let acme = server.tenant("acme").await;
    let gate = http("Gate", format!("{}/gate/x", receiver.url));
    activated(&acme.developer, streaming("parts", vec![respond("One", "first"), gate, respond("Two", "second")])).await;
    let mut stream = call(&address(&server), "parts").await;
    assert_eq!(stream.status, 200);
    let head = stream.head.to_ascii_lowercase();
    for line in
        ["content-type: application/json; charset=utf-8", "transfer-encoding: chunked", "cache-control: no-cache"]
    {
        assert!(head.contains(line), "{head}");
    }
    expect(&mut stream, parts_of("One", "first", (0, 0))).await;
    receiver.wait_for("/gate/x").await;
    assert_eq!(executions(&acme, "running").await, 1, "what was seen outside is stored");
    receiver.open_gate();
    expect(&mut stream, parts_of("Two", "second", (0, 0))).await;
    stream.end().await;
    until(async || executions(&acme, "success").await == 1).await;
}

#[actix_web::test]
async fn every_item_and_every_run_of_a_node_is_told_apart() {
    let server = server().await;
    let acme = server.tenant("acme").await;
    let items = code("Items", "return [{json: {a: 1}}, {json: {a: 2}}]");
    let mut all = respond("All", "");
    all["parameters"] = json!({ "respondWith": "allIncomingItems" });
    let each = json!({ "name": "Loop", "type": "n8n-nodes-base.splitInBatches", "typeVersion": 3, "position": [0, 0],
        "parameters": { "options": {} } });
    let mut workflow = streaming("items", vec![items, all, each, respond("Each", "={{ 'n' + $json.a }}")]);
    workflow["connections"]["Loop"] = json!({ "main": [[], [{ "node": "Each", "type": "main", "index": 0 }]] });
    workflow["connections"]["Each"] = json!({ "main": [[{ "node": "Loop", "type": "main", "index": 0 }]] });
    activated(&acme.developer, workflow).await;
    let mut stream = call(&address(&server), "items").await;
    expect(&mut stream, parts_of("All", r#"{"a":1}"#, (0, 0))).await;
    expect(&mut stream, parts_of("All", r#"{"a":2}"#, (1, 0))).await;
    expect(&mut stream, parts_of("Each", "n1", (0, 0))).await;
    expect(&mut stream, parts_of("Each", "n2", (0, 1))).await;
    stream.end().await;
}

#[actix_web::test]
async fn an_error_is_the_last_part() {
    let server = server().await;
    let acme = server.tenant("acme").await;
    let fails = || code("Fails", "throw new Error('boom')");
    activated(&acme.developer, streaming("after", vec![respond("One", "first"), fails()])).await;
    activated(&acme.developer, streaming("before", vec![fails(), respond("One", "first")])).await;
    let mut invalid = respond("One", "");
    invalid["parameters"] = json!({ "respondWith": "json", "responseBody": "{" });
    activated(&acme.developer, streaming("described", vec![invalid])).await;
    let error = |content: Value, name: &str| {
        let metadata = json!({ "nodeId": name.to_lowercase(), "nodeName": name, "runIndex": 0, "itemIndex": 0 });
        json!({ "type": "error", "content": content, "metadata": metadata })
    };
    let mut after = call(&address(&server), "after").await;
    expect(&mut after, parts_of("One", "first", (0, 0))).await;
    expect(&mut after, vec![error(Value::Null, "Fails")]).await;
    after.end().await;
    let mut before = call(&address(&server), "before").await;
    assert_eq!(before.status, 200);
    expect(&mut before, vec![error(Value::Null, "Fails")]).await;
    before.end().await;
    let mut described = call(&address(&server), "described").await;
    let text = "Check that the syntax of the JSON in the 'Response Body' parameter is valid";
    expect(&mut described, vec![error(json!(text), "One")]).await;
    described.end().await;
    assert_eq!(executions(&acme, "error").await, 3);
}

#[actix_web::test]
async fn where_no_node_sends_parts_the_answer_is_empty_and_ends_with_the_execution() {
    let (server, mut receiver) = (server().await, Receiver::start());
    let acme = server.tenant("acme").await;
    let mut off = respond("Off", "whole");
    off["parameters"]["options"] = json!({ "enableStreaming": false });
    let gate = http("Gate", format!("{}/gate/x", receiver.url));
    activated(&acme.developer, streaming("none", vec![off, gate])).await;
    let mut stream = call(&address(&server), "none").await;
    assert_eq!(stream.status, 200, "the head comes at once");
    receiver.wait_for("/gate/x").await;
    receiver.open_gate();
    stream.end().await;
    // The option changes nothing elsewhere.
    let mut whole = streaming("whole", vec![respond("Whole", "all of it")]);
    whole["nodes"][0]["parameters"]["responseMode"] = json!("responseNode");
    activated(&acme.developer, whole).await;
    let answer = server.visitor().post("/t/acme/webhook/whole", json!({})).await.expect(200);
    assert_eq!((answer.body.as_ref(), answer.header("content-length")), (&b"all of it"[..], None));
}

#[actix_web::test]
async fn who_asks_for_the_head_gets_the_head() {
    let (server, mut receiver) = (server().await, Receiver::start());
    let acme = server.tenant("acme").await;
    for method in ["GET", "HEAD"] {
        let gate = http("Gate", format!("{}/gate/{method}", receiver.url));
        let mut workflow = streaming(method, vec![respond("One", "first"), gate]);
        workflow["nodes"][0]["parameters"]["httpMethod"] = json!(method);
        activated(&acme.developer, workflow).await;
    }
    let mut got = Stream::ask(&address(&server), "GET", "/t/acme/webhook/GET", &[]).await;
    expect(&mut got, parts_of("One", "first", (0, 0))).await;
    let head = Stream::ask(&address(&server), "HEAD", "/t/acme/webhook/HEAD", &[("connection", "close")]).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.rest().await, b"", "no body, and no waiting for the end");
    receiver.wait_for("/gate/HEAD").await;
    receiver.open_gate();
    receiver.open_gate();
    got.end().await;
    until(async || executions(&acme, "success").await == 2).await;
}

#[actix_web::test]
async fn an_execution_ends_well_without_its_reader() {
    let (server, mut receiver) = (server().await, Receiver::start());
    let acme = server.tenant("acme").await;
    let gate = http("Gate", format!("{}/gate/x", receiver.url));
    activated(&acme.developer, streaming("gone", vec![respond("One", "first"), gate, respond("Two", "second")])).await;
    let mut stream = call(&address(&server), "gone").await;
    expect(&mut stream, parts_of("One", "first", (0, 0))).await;
    receiver.wait_for("/gate/x").await;
    drop(stream);
    receiver.open_gate();
    until(async || executions(&acme, "success").await == 1).await;
}

/// What a workflow sends that its caller does not take: more than all buffers on the way hold.
pub(crate) fn much(path: &str, receiver: &Receiver) -> Value {
    let script = "return Array.from({ length: 64 }, (_, at) => ({ json: { at, text: 'x'.repeat(1 << 18) } }))";
    let mut all = respond("All", "");
    all["parameters"] = json!({ "respondWith": "allIncomingItems" });
    streaming(path, vec![code("Much", script), all, http("After", format!("{}/after", receiver.url))])
}

#[actix_web::test]
async fn a_slow_reader_gets_everything_and_holds_the_run_up() {
    let (server, mut receiver) = (server().await, Receiver::start());
    let acme = server.tenant("acme").await;
    activated(&acme.developer, much("slow", &receiver)).await;
    let mut stream = call(&address(&server), "slow").await;
    for at in 0..64 {
        assert_eq!(part(&mut stream).await["type"], "begin");
        let item = part(&mut stream).await;
        assert_eq!((&item["metadata"]["itemIndex"], item["content"].as_str().unwrap().len() >> 18), (&json!(at), 1));
        assert_eq!(part(&mut stream).await["type"], "end");
        if at < 2 {
            assert!(receiver.calls().is_empty(), "the run is far ahead of its reader at {at}");
        }
    }
    stream.end().await;
    receiver.wait_for("/after").await;
}

#[actix_web::test]
async fn a_reader_who_takes_nothing_is_cut_off_and_the_run_goes_on() {
    let mut receiver = Receiver::start();
    let server = TestServer::listening(|config| {
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.webhooks.reader_timeout_seconds = 1;
    })
    .await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, much("stalled", &receiver)).await;
    let stream = call(&address(&server), "stalled").await;
    receiver.wait_for("/after").await;
    until(async || executions(&acme, "success").await == 1).await;
    let rest = stream.rest().await;
    assert!(rest.len() < 64 << 18 && !rest.ends_with(b"0\r\n\r\n"), "it can tell that this is not all");
}

#[actix_web::test]
async fn a_short_wait_keeps_the_reader_and_a_long_one_ends_the_answer() {
    let process = Process::start(&[]).await;
    for (path, seconds) in [("short", 2), ("long", 100)] {
        process.activate(streaming(path, vec![respond("One", "first"), wait(seconds), respond("Two", "second")])).await;
    }
    let mut long = call(&process.address(), "long").await;
    expect(&mut long, parts_of("One", "first", (0, 0))).await;
    long.end().await;
    process.wait_for("waiting", 1).await;
    let mut short = call(&process.address(), "short").await;
    expect(&mut short, parts_of("One", "first", (0, 0))).await;
    expect(&mut short, parts_of("Two", "second", (0, 0))).await;
    short.end().await;
}

#[actix_web::test]
async fn who_has_seen_the_head_has_an_execution_whatever_becomes_of_the_server() {
    let mut process = Process::start(&[]).await;
    let receiver = Receiver::start();
    let gate = http("Gate", format!("{}/gate/x", receiver.url));
    process.activate(streaming("kept", vec![gate, respond("One", "first")])).await;
    for count in 1..=5 {
        let stream = call(&process.address(), "kept").await;
        assert_eq!(stream.status, 200);
        process.kill();
        process.restart(&["serve"]).await;
        let page = process.call("GET", "/api/v1/executions", None).await;
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{page}");
    }
}

#[actix_web::test]
async fn refusals_are_whole_and_deliveries_that_come_again_get_what_the_first_got() {
    let server = server().await;
    let acme = server.tenant("acme").await;
    let workflow = activated(&acme.developer, streaming("again", vec![respond("One", "first")])).await;
    let id = webhook(&acme.viewer, &workflow).await["id"].as_str().unwrap().to_owned();
    let limit = json!({ "requests": 1, "seconds": 3600 });
    let settings = json!({ "deduplication": { "windowSeconds": 600 }, "rateLimit": limit, "log": { "bodies": true } });
    acme.developer.put(&format!("/api/v1/webhooks/{id}"), json!({ "settings": settings })).await.expect(200);
    let post = async |key: &str| {
        let headers = [("idempotency-key", key), ("content-length", "0"), ("connection", "close")];
        Stream::ask(&address(&server), "POST", "/t/acme/webhook/again", &headers).await
    };
    let mut first = post("d1").await;
    let mut sent = String::new();
    for _ in 0..3 {
        sent += &format!("{{{}\n", first.line("{").await);
    }
    first.end().await;
    let again = post("d1").await;
    assert_eq!(again.status, 200);
    assert!(again.head.to_ascii_lowercase().contains("idempotency-replayed: true"), "{}", again.head);
    assert_eq!(String::from_utf8(again.rest().await).unwrap(), sent);
    assert_eq!(post("d2").await.status, 429);
    let log = format!("/api/v1/webhooks/{id}/requests");
    until(async || acme.developer.get(&log).await.json(200)["data"].as_array().unwrap().len() == 3).await;
    let logged = acme.developer.get(&log).await.json(200);
    let first = logged["data"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let told = acme.developer.get(&format!("{log}/{first}")).await.json(200);
    assert_eq!(told["response"]["body"], sent);
    assert_eq!(executions(&acme, "success").await, 1);
}

#[actix_web::test]
async fn test_calls_are_answered_in_parts_too() {
    let server = server().await;
    let acme = server.tenant("acme").await;
    let workflow = streaming("tried", vec![respond("One", "first")]);
    let imported = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201);
    let listen = format!("/api/v1/workflows/{}/listen?seconds=20", imported["id"].as_str().unwrap());
    let listening = acme.operator.get(&listen);
    let calling = async {
        let mut stream = loop {
            let stream = Stream::ask(&address(&server), "POST", "/t/acme/webhook-test/tried", &[]).await;
            if stream.status == 200 {
                break stream;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        expect(&mut stream, parts_of("One", "first", (0, 0))).await;
        stream.end().await;
    };
    let (told, ()) = tokio::join!(listening, calling);
    let told = String::from_utf8(told.expect(200).body.to_vec()).unwrap();
    let answered = told.split("event: answered").nth(1).unwrap();
    assert!(answered.contains("first") && answered.contains("event: finished"), "{told}");
}
