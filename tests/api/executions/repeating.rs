//! Executions that repeat others, go on before their time, or run a part of a workflow; and work on many at once.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::reading::{imported, numbered, ran};
use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, TestServer, TestTenant};

fn own(execution: &Value, rest: &str) -> String {
    format!("/api/v1/executions/{}{rest}", execution["id"].as_str().unwrap())
}

/// The execution, once it is over.
async fn over(acme: &TestTenant, execution: &Value) -> Value {
    for _ in 0..1000 {
        let now = acme.viewer.get(&own(execution, "?includeData=true")).await.json(200);
        if !["new", "running", "waiting"].contains(&now["status"].as_str().unwrap()) {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it does not end: {execution}");
}

fn code(name: &str, script: &str) -> Value {
    json!({ "name": name, "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [0, 0],
        "parameters": { "jsCode": script } })
}

async fn loopback() -> TestServer {
    TestServer::with(|config| config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()]).await
}

#[actix_web::test]
async fn a_retry_with_the_present_workflow_does_not_do_again_what_was_done() {
    let (server, receiver) = (loopback().await, Receiver::start());
    let acme = server.tenant("acme").await;
    let workflow =
        |script: &str| chain("steps", vec![http("Call", format!("{}/call", receiver.url)), code("Then", script)]);
    let id = imported(&acme, workflow("throw new Error('no')")).await;
    let failed = ran(&acme, &id, json!({ "x": 1 })).await;
    assert_eq!(failed["status"], "error");
    let retry = acme.operator.post(&own(&failed, "/retry"), json!({ "loadWorkflow": true })).await.json(200);
    assert_eq!(over(&acme, &retry).await["status"], "error", "the workflow is as it was");
    let mended = workflow("return [{ json: { path: $input.first().json.path } }]");
    acme.developer.send(Method::PUT, &format!("/api/v1/workflows/{id}"), Some(mended)).await.expect(200);
    let retry = acme.operator.post(&own(&failed, "/retry"), json!({ "loadWorkflow": true })).await.json(200);
    let done = over(&acme, &retry).await;
    assert_eq!((&done["status"], &done["retryOf"]), (&json!("success"), &failed["id"]), "{done}");
    let last = &done["data"]["resultData"]["runData"]["Then"][0]["data"]["main"][0][0]["json"];
    assert_eq!(last, &json!({ "path": "/call" }));
    assert_eq!(receiver.counts("/call").iter().sum::<usize>(), 1, "the call was made once");
}

#[actix_web::test]
async fn a_replay_begins_again_with_the_same_input() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = imported(&acme, numbered()).await;
    for (input, status) in [(json!({ "count": 2 }), "success"), (json!({ "count": 2, "fails": true }), "error")] {
        let first = ran(&acme, &id, input.clone()).await;
        let again = acme.operator.post(&own(&first, "/replay"), json!({})).await.json(200);
        assert_ne!(again["id"], first["id"]);
        assert_eq!((&again["mode"], &again["retryOf"]), (&first["mode"], &json!(null)));
        let done = over(&acme, &again).await;
        assert_eq!(done["status"], status);
        let runs = &done["data"]["resultData"]["runData"];
        assert_eq!(runs["Begin"][0]["data"]["main"][0][0]["json"], input);
        globex.owner.post(&own(&first, "/replay"), json!({})).await.problem(404, "execution_not_found");
        acme.viewer.post(&own(&first, "/replay"), json!({})).await.problem(403, "forbidden");
    }
    let mut renamed = numbered();
    renamed["nodes"][0]["name"] = json!("Start");
    renamed["connections"]["Start"] = renamed["connections"]["Begin"].take();
    renamed["connections"].as_object_mut().unwrap().remove("Begin");
    let first = ran(&acme, &id, json!({ "count": 1 })).await;
    acme.developer.send(Method::PUT, &format!("/api/v1/workflows/{id}"), Some(renamed)).await.expect(200);
    let refused = acme.operator.post(&own(&first, "/replay"), json!({ "loadWorkflow": true })).await;
    refused.problem(422, "trigger_unknown");
}

#[actix_web::test]
async fn what_waits_goes_on_when_somebody_says_so() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let wait = json!({ "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [0, 0],
        "parameters": { "amount": 1, "unit": "days" } });
    let id = imported(&acme, chain("waits", vec![wait, code("Then", "return $input.all()")])).await;
    for (body, expected) in [(json!({}), json!(1)), (json!({ "items": [{ "n": 2 }] }), json!(null))] {
        let trigger = format!("/api/v1/workflows/{id}/trigger");
        let accepted = acme.operator.post(&trigger, json!({ "inputData": { "x": 1 } })).await.json(202);
        while acme.viewer.get(&own(&accepted, "")).await.json(200)["status"] != "waiting" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        acme.operator.post(&own(&accepted, "/replay"), json!({})).await.problem(409, "execution_wrong_state");
        let wrong = acme.operator.post(&own(&accepted, "/resume"), json!({ "items": [1] })).await;
        wrong.problem_at(422, "items_invalid", &["/items"]);
        acme.operator.post(&own(&accepted, "/resume"), body).await.expect(200);
        let done = over(&acme, &accepted).await;
        let last = &done["data"]["resultData"]["runData"]["Then"][0]["data"]["main"][0][0]["json"];
        assert_eq!((&done["status"], &last["body"]["x"]), (&json!("success"), &expected), "{last}");
        acme.operator.post(&own(&accepted, "/resume"), json!({})).await.problem(409, "execution_wrong_state");
    }
}

/// Names of the nodes that ran, in order.
fn nodes(execution: &Value) -> Vec<String> {
    let runs = execution["data"]["resultData"]["runData"].as_object().unwrap();
    let mut found: Vec<(u64, String)> =
        runs.iter().map(|(name, runs)| (runs[0]["executionIndex"].as_u64().unwrap(), name.clone())).collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

#[actix_web::test]
async fn a_part_of_a_workflow_runs_with_earlier_and_pinned_data() {
    let (server, receiver) = (loopback().await, Receiver::start());
    let acme = server.tenant("acme").await;
    let call = |name: &str| http(name, format!("{}/{name}", receiver.url));
    let mut workflow = chain("steps", vec![call("a"), call("b"), call("c")]);
    workflow["nodes"][0] =
        json!({ "name": "Webhook", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "position": [0, 0] });
    let id = imported(&acme, workflow.clone()).await;
    let run = format!("/api/v1/workflows/{id}/run");
    let calls = || ["/a", "/b", "/c"].map(|path| receiver.counts(path).iter().sum::<usize>());
    let first = acme.operator.post(&run, json!({ "destinationNode": "b", "wait": true })).await.json(200);
    assert_eq!(
        (nodes(&first), &first["mode"], calls()),
        (["Webhook", "a", "b"].map(str::to_owned).to_vec(), &json!("manual"), [1, 1, 0])
    );
    let next = json!({ "destinationNode": "c", "executionId": first["id"], "wait": true });
    let second = acme.operator.post(&run, next).await.json(200);
    assert_eq!((nodes(&second).len(), calls()), (4, [1, 1, 1]), "{second}");
    let dirty = json!({ "destinationNode": "c", "executionId": second["id"], "dirtyNodeNames": ["b"], "wait": true });
    acme.operator.post(&run, dirty).await.expect(200);
    assert_eq!(calls(), [1, 2, 2]);
    let given = json!({ "b": [{ "data": { "main": [[{ "json": { "own": true } }]] } }],
        "Webhook": [{ "data": { "main": [[{ "json": {} }]] } }], "a": [{ "data": { "main": [[{ "json": {} }]] } }] });
    let third =
        acme.operator.post(&run, json!({ "destinationNode": "c", "runData": given, "wait": true })).await.json(200);
    assert_eq!(
        (&third["data"]["resultData"]["runData"]["b"][0]["data"]["main"][0][0]["json"], calls()),
        (&json!({ "own": true }), [1, 2, 3])
    );
    workflow["pinData"] = json!({ "b": [{ "json": { "pinned": true } }] });
    acme.developer.send(Method::PUT, &format!("/api/v1/workflows/{id}"), Some(workflow)).await.expect(200);
    acme.operator.post(&run, json!({ "destinationNode": "c", "wait": true })).await.expect(200);
    assert_eq!(calls(), [2, 2, 4], "a pinned node is not executed");
    for (wrong, code, pointers) in [
        (json!({ "destinationNode": "Nobody" }), "node_unknown", vec!["/destinationNode"]),
        (json!({ "dirtyNodeNames": ["Nobody"] }), "node_unknown", vec!["/dirtyNodeNames"]),
        (json!({ "triggerNode": "Nobody" }), "node_unknown", vec!["/triggerNode"]),
        (json!({ "runData": { "b": 1 } }), "run_data_invalid", vec!["/runData"]),
        (json!({ "inputData": 1 }), "input_not_items", vec!["/inputData"]),
    ] {
        let refused = acme.operator.post(&run, wrong.clone()).await.json(422);
        let found: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(found, pointers, "{wrong}: {refused}");
        assert_eq!(refused["code"], code, "{refused}");
    }
    let other = imported(&acme, numbered()).await;
    let foreign = ran(&acme, &other, json!({ "count": 1 })).await;
    acme.operator.post(&run, json!({ "executionId": foreign["id"] })).await.problem(404, "execution_not_found");
}

#[actix_web::test]
async fn many_executions_are_dealt_with_by_a_job() {
    let process = Process::start(&[]).await;
    let id =
        process.call("POST", "/api/v1/workflows/import", Some(numbered())).await["id"].as_str().unwrap().to_owned();
    let trigger = format!("/api/v1/workflows/{id}/trigger");
    for n in 0..60 {
        let body = json!({ "inputData": { "count": 1, "fails": n < 55 }, "wait": true });
        process.call("POST", &trigger, Some(body)).await;
    }
    let job = async |body: Value| {
        let mut job = process.call("POST", "/api/v1/executions/jobs", Some(body)).await;
        assert_eq!(job["status"], "running", "{job}");
        let path = format!("/api/v1/executions/jobs/{}", job["id"].as_str().unwrap());
        for _ in 0..600 {
            if job["status"] != "running" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            job = process.call("GET", &path, None).await;
        }
        (job["status"].clone(), job["done"].clone(), job["failed"].clone())
    };
    let retried = job(json!({ "action": "retry", "filter": { "status": "error", "workflowId": id } })).await;
    assert_eq!(retried, (json!("done"), json!(55), json!(0)));
    process.wait_for("error", 110).await;
    let deleted = job(json!({ "action": "delete", "filter": { "status": "error", "mode": "retry" } })).await;
    assert_eq!(deleted, (json!("done"), json!(55), json!(0)));
    process.wait_for("error", 55).await;
    assert_eq!(job(json!({ "action": "cancel" })).await, (json!("done"), json!(0), json!(0)));
    let mut receiver = Receiver::start();
    process.activate(chain("endless", vec![http("n", format!("{}/never/x", receiver.url))])).await;
    for _ in 0..3 {
        process.send("POST", "/t/acme/webhook/endless", Some(json!({}))).await.unwrap();
        receiver.wait_for("/never/x").await;
    }
    process.wait_for("running", 3).await;
    assert_eq!(job(json!({ "action": "cancel" })).await, (json!("done"), json!(3), json!(0)));
    process.wait_for("canceled", 3).await;
    let canceled = json!({ "action": "delete", "filter": { "status": "canceled" } });
    assert_eq!(job(canceled).await, (json!("done"), json!(3), json!(0)));
    let left = process.call("GET", "/api/v1/executions?limit=250", None).await;
    assert_eq!(left["data"].as_array().unwrap().len(), 60);
    for (wrong, pointer) in [
        (json!({ "action": "retry", "filter": { "status": "success" } }), "/filter/status"),
        (json!({ "action": "praise" }), "/action"),
        (json!({ "action": "delete", "filter": { "status": "sleepy" } }), "/filter/status"),
    ] {
        let refused = process.call("POST", "/api/v1/executions/jobs", Some(wrong)).await;
        assert_eq!((&refused["status"], &refused["errors"][0]["pointer"]), (&json!(422), &json!(pointer)), "{refused}");
    }
}
