//! What happens, while it happens: one execution, and all of a tenant.

use serde_json::{Value, json};

use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Stream, TestServer};
use crate::workflows::{activated, greeting};

/// Id (empty without one), name and data of each event.
fn events(body: &[u8]) -> Vec<(String, String, Value)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let field = |frame: &str, name: &str| {
        let line = frame.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().to_owned()
    };
    text.split_terminator("\n\n")
        .filter(|frame| !frame.starts_with(':'))
        .map(|frame| {
            let data = serde_json::from_str(&field(frame, "data: ")).unwrap();
            (field(frame, "id: "), field(frame, "event: "), data)
        })
        .collect()
}

#[actix_web::test]
async fn an_execution_is_told_again_from_where_the_watcher_left_off() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    let trigger = format!("/api/v1/workflows/{id}/trigger");
    let ended = acme.operator.post(&trigger, json!({ "wait": true })).await.json(200);
    let path = format!("/api/v1/executions/{}/events", ended["id"].as_str().unwrap());
    let all = acme.viewer.get(&path).await.expect(200);
    assert_eq!(all.header("content-type"), Some("text/event-stream"));
    let told = events(&all.body);
    let names: Vec<(&str, &str)> = told.iter().map(|(id, name, _)| (id.as_str(), name.as_str())).collect();
    assert_eq!(names, [("", "created"), ("", "started"), ("0", "node"), ("1", "node"), ("end", "ended")]);
    assert_eq!((&told[3].2["node"], &told[3].2["itemsOut"]), (&json!("Greet"), &json!(1)));
    assert_eq!(told[4].2["status"], "success");
    for (last, rest) in [("0", vec!["1", "end"]), ("1", vec!["end"]), ("end", vec![])] {
        let again = acme.viewer.with("last-event-id", last).get(&path).await.expect(200);
        let ids: Vec<String> = events(&again.body).into_iter().map(|(id, ..)| id).collect();
        assert_eq!(ids, rest, "{last}");
        let queried = acme.viewer.get(&format!("{path}?lastEventId={last}")).await.expect(200);
        assert_eq!(queried.body, again.body);
    }
    for wrong in ["x", "-1", "0-1", "99999999999"] {
        let refused = acme.viewer.get(&format!("{path}?lastEventId={wrong}")).await;
        refused.problem_at(422, "event_id_invalid", &["/lastEventId"]);
    }
    globex.owner.get(&path).await.problem(404, "execution_not_found");
}

#[actix_web::test]
async fn nodes_are_told_while_they_run() {
    let server =
        TestServer::with(|config| config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()])
            .await;
    let acme = server.tenant("acme").await;
    let mut receiver = Receiver::start();
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let id = activated(&acme.developer, chain("steps", vec![step("a"), step("slow/b"), step("slow/c")])).await;
    let trigger = format!("/api/v1/workflows/{id}/trigger");
    let accepted = acme.operator.post(&trigger, json!({})).await.json(202);
    let path = format!("/api/v1/executions/{}/events", accepted["id"].as_str().unwrap());
    let watched = acme.viewer.get(&path).await.expect(200);
    receiver.wait_for("/slow/c").await;
    let told = events(&watched.body);
    let ids: Vec<&str> = told.iter().map(|(id, ..)| id.as_str()).filter(|id| !id.is_empty()).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "end"], "{told:?}");
    let slow = told.iter().position(|(_, name, data)| name == "node-started" && data["node"] == "slow/c");
    let done = told.iter().position(|(_, name, data)| name == "node" && data["node"] == "slow/c");
    assert!(slow.is_some() && slow < done, "told before it had ended: {told:?}");
}

/// The types of the next events and the executions they are about.
async fn next(stream: &mut Stream, count: usize) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for _ in 0..count {
        let event = stream.text().await;
        found.push((event["type"].as_str().unwrap().to_owned(), event));
    }
    found
}

#[actix_web::test]
async fn a_websocket_tells_everything_once_and_in_order() {
    let server = TestServer::listening(|_| {}).await;
    let address = server.app.config.public_url().trim_start_matches("http://").to_owned();
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let (id, other) =
        (activated(&acme.developer, greeting("hello")).await, activated(&globex.developer, greeting("hello")).await);
    let key = acme.owner.post("/api/v1/api-keys", json!({ "name": "all" })).await.json(201);
    let key = key["key"].as_str().unwrap();
    let mut stream = Stream::websocket(&address, "/api/v1/events", &[("x-api-key", key)]).await;
    assert_eq!(stream.status, 101, "{}", stream.head);
    let run = async || {
        globex.owner.post(&format!("/api/v1/workflows/{other}/trigger"), json!({ "wait": true })).await.expect(200);
        let trigger = format!("/api/v1/workflows/{id}/trigger");
        acme.owner.post(&trigger, json!({ "wait": true })).await.json(200)["id"].clone()
    };
    let first = run().await;
    let told = next(&mut stream, 2).await;
    assert_eq!((told[0].0.as_str(), told[1].0.as_str()), ("execution.started", "execution.succeeded"));
    assert_eq!((&told[1].1["data"]["id"], &told[1].1["data"]["workflowId"]), (&first, &json!(id)));
    drop(stream);
    let missed = [run().await, run().await];
    let last = told[1].1["id"].as_str().unwrap();
    // A page has no other place for its token.
    let protocols = format!("millrace, bearer.{key}");
    let path = format!("/api/v1/events?types=execution.succeeded&lastEventId={last}");
    let mut stream = Stream::websocket(&address, &path, &[("sec-websocket-protocol", &protocols)]).await;
    assert!(stream.head.to_lowercase().contains("sec-websocket-protocol: millrace\r\n"), "{}", stream.head);
    let third = run().await;
    let told = next(&mut stream, 3).await;
    let ids: Vec<&Value> = told.iter().map(|(_, event)| &event["data"]["id"]).collect();
    assert_eq!(ids, [&missed[0], &missed[1], &third]);
    let path = format!("/api/v1/events?types=execution.succeeded&lastEventId={last}");
    let page = acme.viewer.get(&path).await.json(200);
    assert_eq!((page["data"].as_array().unwrap().len(), &page["lastEventId"]), (3, &told[2].1["id"]));
    assert_eq!(
        acme.viewer.get("/api/v1/events").await.json(200),
        json!({ "data": [], "lastEventId": told[2].1["id"] })
    );
    let refused = Stream::websocket(&address, "/api/v1/events?lastEventId=x", &[("x-api-key", key)]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(Stream::websocket(&address, "/api/v1/events", &[]).await.status, 401);
    let weak = acme.owner.post("/api/v1/api-keys", json!({ "name": "weak", "permissions": ["nodes:read"] })).await;
    let weak = weak.json(201)["key"].as_str().unwrap().to_owned();
    assert_eq!(Stream::websocket(&address, "/api/v1/events", &[("x-api-key", &weak)]).await.status, 403);
}

#[actix_web::test]
async fn who_follows_a_tenant_is_told_what_other_processes_run() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let process = Process::start(&[("SERVER__ROLES", "[\"api\"]")]).await;
    let id = process.activate(greeting("hello")).await;
    let mut worker = process.beside(&["worker", "--port", "0"]);
    let mut stream = process.stream("/api/v1/events").await;
    assert_eq!(stream.status, 200);
    let trigger = format!("/api/v1/workflows/{id}/trigger");
    // A worker that does not know yet that somebody listens does not tell.
    let told = loop {
        process.call("POST", &trigger, Some(json!({ "wait": true }))).await;
        let told = tokio::time::timeout(std::time::Duration::from_secs(3), stream.line("event: ")).await;
        if let Ok(told) = told {
            break told;
        }
    };
    assert!(told.starts_with("execution."), "{told}");
    while stream.line("event: ").await != "execution.succeeded" {}
    worker.kill().unwrap();
    worker.wait().unwrap();
}
