//! Schedules through the API, and what they fire: exactly once, late or not, as their policies say.

use std::time::Duration;

use actix_web::http::Method;
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer, TestTenant};
use crate::workflows::activated;

/// A server whose logins outlast the hours by which the tests move its clock.
pub(crate) async fn start() -> TestServer {
    TestServer::with(|config| config.auth.access_token_seconds = 86_400).await
}

/// A workflow that begins at a schedule trigger and does one thing.
pub(crate) fn scheduled(interval: Value, then: Value) -> Value {
    json!({
        "name": "Scheduled",
        "nodes": [
            { "name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "position": [0, 0],
              "parameters": { "rule": { "interval": [interval] } } },
            then
        ],
        "connections": { "Clock": { "main": [[{ "node": "Then", "type": "main", "index": 0 }]] } },
        "settings": { "executionOrder": "v1", "timezone": "Europe/Vienna" }
    })
}

pub(crate) fn nothing() -> Value {
    json!({ "name": "Then", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [200, 0], "parameters": {} })
}

fn waiting() -> Value {
    json!({ "name": "Then", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [200, 0],
            "parameters": { "resume": "webhook" } })
}

fn failing() -> Value {
    json!({ "name": "Then", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1, "position": [200, 0],
            "parameters": { "errorMessage": "no" } })
}

/// An active workflow that webhooks begin, for schedules made over the API.
pub(crate) async fn workflow(tenant: &TestTenant, then: Value) -> String {
    let mut workflow = scheduled(json!({ "field": "months", "monthsInterval": 12 }), then);
    workflow["nodes"][0] = json!({ "name": "Clock", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
        "position": [0, 0], "parameters": { "path": uuid::Uuid::now_v7() } });
    activated(&tenant.developer, workflow).await
}

/// Makes a schedule with these fields and gives its path.
pub(crate) async fn schedule(tenant: &TestTenant, workflow: &str, fields: Value) -> String {
    let created = tenant.operator.post("/api/v1/schedules", body(workflow, fields)).await.json(201);
    format!("/api/v1/schedules/{}", created["id"].as_str().unwrap())
}

pub(crate) fn body(workflow: &str, fields: Value) -> Value {
    let mut body = json!({ "workflowId": workflow, "name": "Test", "timezone": "UTC" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

pub(crate) async fn history(client: &Client, path: &str) -> Vec<Value> {
    client.get(&format!("{path}/history?limit=250")).await.json(200)["data"].as_array().unwrap().clone()
}

/// Outcomes in the history, oldest first.
async fn outcomes(client: &Client, path: &str) -> Vec<String> {
    let history = history(client, path).await;
    history.iter().rev().map(|firing| firing["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Asks again until the answer is as it should be.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(holds().await, "never: {what}");
}

pub(crate) async fn fire(server: &TestServer, seconds: u64) -> usize {
    server.clock.advance(Duration::from_secs(seconds));
    server.app.schedules.fire_everything_due().await.unwrap()
}

#[actix_web::test]
async fn a_trigger_node_fires_while_its_workflow_is_active() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let rule = json!({ "field": "cronExpression", "expression": "0 30 9 * * *" });
    let id = activated(&acme.developer, scheduled(rule, nothing())).await;
    let list = format!("/api/v1/schedules?workflowId={id}");
    let found = acme.viewer.get(&list).await.json(200)["data"][0].clone();
    assert_eq!((&found["origin"], &found["node"]), (&json!("workflow"), &json!("Clock")));
    assert_eq!(found["nextDueAt"], "2025-01-31T08:30:00.000Z", "09:30 in Vienna");
    assert_eq!(found["summary"], "At 09:30");
    assert_eq!(fire(&server, 29 * 60).await, 0);
    assert_eq!(fire(&server, 61).await, 1);
    assert_eq!(fire(&server, 1).await, 0, "once");
    let executions = format!("/api/v1/workflows/{id}/executions?includeData=true");
    let own = format!("/api/v1/schedules/{}", found["id"].as_str().unwrap());
    let firing = history(&acme.viewer, &own).await.remove(0);
    assert_eq!(
        (&firing["outcome"], &firing["cause"], &firing["latenessMs"]),
        (&json!("started"), &json!("due"), &json!(1000))
    );
    let page = acme.viewer.get(&executions).await.json(200);
    assert_eq!(page["data"][0]["id"], firing["executionId"]);
    assert_eq!(page["data"][0]["mode"], "trigger");
    // A new version with the same rule keeps the clock and the history; without it the schedule is gone.
    let path = format!("/api/v1/workflows/{id}");
    let mut changed = scheduled(json!({ "field": "cronExpression", "expression": "0 30 9 * * *" }), failing());
    acme.developer.send(Method::PUT, &path, Some(changed.clone())).await.expect(200);
    assert_eq!(acme.viewer.get(&own).await.json(200)["nextDueAt"], "2025-02-01T08:30:00.000Z");
    acme.operator.post(&format!("{path}/deactivate"), json!({})).await.expect(200);
    let dormant = acme.viewer.get(&own).await.json(200);
    assert_eq!((&dormant["state"], &dormant["nextDueAt"]), (&json!("dormant"), &json!(null)));
    assert_eq!(fire(&server, 3 * 86_400).await, 0);
    acme.api_key.post(&format!("{path}/activate"), json!({})).await.expect(200);
    assert_eq!(acme.api_key.get(&own).await.json(200)["nextDueAt"], "2025-02-04T08:30:00.000Z");
    changed["nodes"][0]["name"] = json!("Other clock");
    changed["connections"] = json!({});
    acme.api_key.send(Method::PUT, &path, Some(changed)).await.expect(200);
    acme.api_key.get(&own).await.problem(404, "schedule_not_found");
}

#[actix_web::test]
async fn schedules_are_changed_and_previewed() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "30 2 * * *", "timezone": "europe/vienna" })).await;
    let patched = json!({ "startsAt": "2025-03-29T00:00:00Z", "description": "Spring", "jitterSeconds": 60 });
    let schedule = acme.operator.patch(&path, patched).await.json(200);
    assert_eq!((&schedule["timezone"], &schedule["cron"]), (&json!("Europe/Vienna"), &json!("30 2 * * *")));
    let next = acme.viewer.get(&format!("{path}/next?count=3")).await.json(200);
    let local: Vec<_> = next["runs"].as_array().unwrap().iter().map(|run| run["local"].as_str().unwrap()).collect();
    assert_eq!(local, ["2025-03-29T02:30:00+01:00", "2025-03-30T03:00:00+02:00", "2025-03-31T02:30:00+02:00"]);
    assert_eq!(next["summary"], "At 02:30");
    assert_eq!(next["runs"][0]["firesAt"], schedule["nextFiresAt"]);
    let replaced = body(&id, json!({ "everySeconds": 90, "startsAt": "2025-01-31T08:10:00Z" }));
    let replaced = acme.operator.send(Method::PUT, &path, Some(replaced)).await.json(200);
    assert_eq!((&replaced["cron"], &replaced["description"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&replaced["nextDueAt"], &replaced["summary"]),
        (&json!("2025-01-31T08:10:00.000Z"), &json!("Every 90 seconds"))
    );
    acme.operator.patch(&path, json!({ "description": null, "cron": "@hourly" })).await.expect(200);
    acme.operator.delete(&path).await.expect(204);
    acme.viewer.get(&path).await.problem(404, "schedule_not_found");
    let actions: Vec<_> = acme.audit().await.iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions[..2], [json!("schedule.delete"), json!("schedule.update")]);
}

#[actix_web::test]
async fn a_workflows_own_schedule_is_changed_with_it() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, scheduled(json!({ "field": "hours" }), nothing())).await;
    let found = acme.viewer.get("/api/v1/schedules").await.json(200)["data"][0].clone();
    let path = format!("/api/v1/schedules/{}", found["id"].as_str().unwrap());
    let refused = |reply: Reply| reply.problem(409, "schedule_of_workflow");
    refused(acme.operator.patch(&path, json!({ "cron": "@daily" })).await);
    refused(acme.operator.delete(&path).await);
    let whole = body(found["workflowId"].as_str().unwrap(), json!({ "cron": "@daily" }));
    refused(acme.operator.send(Method::PUT, &path, Some(whole)).await);
    let changed = acme.operator.patch(&path, json!({ "overlap": "skip", "misfire": "runOnce" })).await.json(200);
    assert_eq!(
        (&changed["overlap"], &changed["cron"], &changed["nextDueAt"]),
        (&json!("skip"), &found["cron"], &found["nextDueAt"])
    );
}

#[actix_web::test]
async fn input_reaches_the_workflow() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "* * * * *", "inputData": { "kind": "full" } })).await;
    let begun = acme.operator.post(&format!("{path}/trigger"), json!({})).await.json(202);
    assert_eq!((&begun["cause"], &begun["outcome"]), (&json!("manual"), &json!("started")));
    let execution = format!("/api/v1/executions/{}?includeData=true", begun["executionId"].as_str().unwrap());
    let shutdown = tokio_util::sync::CancellationToken::new();
    let tasks = server.app.start_background(&[millrace::infrastructure::config::Role::Worker], &shutdown);
    eventually("the execution ends", async || acme.viewer.get(&execution).await.json(200)["finished"] == true).await;
    let run = acme.viewer.get(&execution).await.json(200);
    let item = &run["data"]["resultData"]["runData"]["Clock"][0]["data"]["main"][0][0]["json"];
    assert_eq!(item["body"]["kind"], "full", "{item}");
    shutdown.cancel();
    tasks.wait().await;
}

#[actix_web::test]
async fn overlaps_are_dealt_with_as_the_policy_says() {
    for (overlap, expected) in [
        ("allow", ["started", "started", "started"]),
        ("skip", ["started", "skipped", "skipped"]),
        ("queueOne", ["started", "queued", "skipped"]),
        ("queueAll", ["started", "queued", "queued"]),
    ] {
        let server = start().await;
        let acme = server.tenant("acme").await;
        let id = workflow(&acme, waiting()).await;
        let path = schedule(&acme, &id, json!({ "cron": "* * * * *", "overlap": overlap })).await;
        for _ in 0..3 {
            fire(&server, 60).await;
        }
        assert_eq!(outcomes(&acme.viewer, &path).await, expected, "{overlap}");
        let first = history(&acme.viewer, &path).await.pop().unwrap();
        let stop = format!("/api/v1/executions/{}/stop", first["executionId"].as_str().unwrap());
        acme.operator.post(&stop, json!({})).await.expect(200);
        server.app.schedules.settle().await.unwrap();
        let mut after = expected;
        if expected[1] == "queued" {
            after[1] = "started";
        }
        assert_eq!(outcomes(&acme.viewer, &path).await, after, "{overlap}, when the first is over");
    }
}

#[actix_web::test]
async fn the_previous_execution_is_stopped_where_the_policy_says_so() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, waiting()).await;
    let path = schedule(&acme, &id, json!({ "cron": "* * * * *", "overlap": "cancelPrevious" })).await;
    fire(&server, 60).await;
    fire(&server, 60).await;
    assert_eq!(outcomes(&acme.viewer, &path).await, ["started", "started"]);
    eventually("the first is stopped", async || {
        history(&acme.viewer, &path).await.pop().unwrap()["executionStatus"] == "canceled"
    })
    .await;
    assert_eq!(history(&acme.viewer, &path).await[0]["executionStatus"], "new");
}

#[actix_web::test]
async fn what_was_missed_is_recorded_and_made_up_for_as_the_policy_says() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let make = async |misfire: &str| {
        let fields = json!({ "cron": "0 * * * *", "misfire": misfire, "catchUpSeconds": 7300, "overlap": "allow" });
        schedule(&acme, &id, fields).await
    };
    let (skip, once, all) = (make("skip").await, make("runOnce").await, make("catchUp").await);
    // From 08:00 to 13:30 nothing runs.
    fire(&server, 5 * 3600 + 1800).await;
    for (path, expected) in [
        (&skip, vec![("missed", 5)]),
        (&once, vec![("missed", 4), ("started", 1)]),
        (&all, vec![("missed", 3), ("started", 1), ("started", 1)]),
    ] {
        let history = history(&acme.viewer, path).await;
        let found: Vec<_> = history
            .iter()
            .rev()
            .map(|firing| (firing["outcome"].as_str().unwrap(), firing["count"].as_i64().unwrap()))
            .collect();
        assert_eq!(found, expected, "{path}");
        let missed = history.last().unwrap();
        assert_eq!(missed["dueAt"], "2025-01-31T09:00:00.000Z");
        assert_eq!(missed["reason"], "no scheduler ran when it was due");
        assert_eq!(acme.viewer.get(path).await.json(200)["nextDueAt"], "2025-01-31T14:00:00.000Z");
    }
    assert_eq!(history(&acme.viewer, &once).await[0]["dueAt"], "2025-01-31T13:00:00.000Z");
    assert_eq!(history(&acme.viewer, &once).await[0]["cause"], "catchUp");
}

#[actix_web::test]
async fn a_pause_holds_and_says_why() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "0 * * * *" })).await;
    let paused = acme.operator.post(&format!("{path}/pause"), json!({ "reason": "Stocktaking" })).await.json(200);
    assert_eq!((&paused["state"], &paused["pauseReason"]), (&json!("paused"), &json!("Stocktaking")));
    assert_eq!(fire(&server, 3 * 3600).await, 0);
    // Neither a change nor an activation wakes it.
    acme.operator.patch(&path, json!({ "name": "Other" })).await.expect(200);
    acme.operator.post(&format!("/api/v1/workflows/{id}/activate"), json!({})).await.expect(200);
    assert_eq!(acme.viewer.get(&path).await.json(200)["state"], "paused");
    let resumed = acme.operator.post(&format!("{path}/resume"), json!({})).await.json(200);
    assert_eq!((&resumed["state"], &resumed["nextDueAt"]), (&json!("active"), &json!("2025-01-31T12:00:00.000Z")));
    let skipped = history(&acme.viewer, &path).await.remove(0);
    assert_eq!((&skipped["outcome"], &skipped["count"]), (&json!("skipped"), &json!(3)));
    assert_eq!(skipped["reason"], "paused: Stocktaking");
    assert_eq!(fire(&server, 3600).await, 1);
}

#[actix_web::test]
async fn a_schedule_that_keeps_failing_is_paused() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, failing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "* * * * *", "pauseAfterFailures": 2 })).await;
    let shutdown = tokio_util::sync::CancellationToken::new();
    let tasks = server.app.start_background(&[millrace::infrastructure::config::Role::Worker], &shutdown);
    for _ in 0..2 {
        assert_eq!(acme.viewer.get(&path).await.json(200)["state"], "active");
        fire(&server, 60).await;
        eventually("it fails", async || history(&acme.viewer, &path).await[0]["executionStatus"] == "error").await;
        server.app.schedules.settle().await.unwrap();
    }
    let paused = acme.viewer.get(&path).await.json(200);
    assert_eq!((&paused["state"], &paused["failuresInARow"]), (&json!("paused"), &json!(2)));
    assert_eq!(paused["pauseReason"], "2 executions in a row failed");
    let event = acme.audit().await.remove(0);
    assert_eq!((&event["action"], &event["actorKind"]), (&json!("schedule.pause"), &json!("system")), "{event}");
    let resumed = acme.operator.post(&format!("{path}/resume"), json!({})).await.json(200);
    assert_eq!(resumed["failuresInARow"], 0);
    shutdown.cancel();
    tasks.wait().await;
}

#[actix_web::test]
async fn a_range_of_time_past_is_made_up_for() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, scheduled(json!({ "field": "hours", "triggerAtMinute": 15 }), waiting())).await;
    let found = acme.viewer.get(&format!("/api/v1/schedules?workflowId={id}")).await.json(200)["data"][0].clone();
    let path = format!("/api/v1/schedules/{}", found["id"].as_str().unwrap());
    let backfill = |body: Value| {
        let (client, path) = (acme.operator.clone(), format!("{path}/backfill"));
        async move { client.post(&path, body).await }
    };
    let range = json!({ "from": "2025-01-30T00:00:00Z", "to": "2025-01-30T03:00:00Z" });
    assert_eq!(backfill(range.clone()).await.json(202)["count"], 3);
    assert_eq!(outcomes(&acme.viewer, &path).await, ["queued"; 3]);
    server.app.schedules.settle().await.unwrap();
    server.app.schedules.settle().await.unwrap();
    assert_eq!(outcomes(&acme.viewer, &path).await, ["started", "queued", "queued"], "one after the other");
    let mut at_once = range;
    at_once["concurrently"] = json!(true);
    assert_eq!(backfill(at_once).await.json(202)["count"], 3);
    let history = history(&acme.viewer, &path).await;
    assert!(history[..3].iter().all(|firing| firing["outcome"] == "started" && firing["cause"] == "backfill"));
    for (range, pointer, code) in [
        (json!({ "from": "2025-01-30T00:00:00Z", "to": "2025-01-29T00:00:00Z" }), "/to", "end_before_start"),
        (json!({ "from": "2025-01-30T00:00:00Z", "to": "2026-01-29T00:00:00Z" }), "/to", "in_the_future"),
        (json!({ "from": "2024-01-30T00:00:00Z", "to": "2025-01-29T00:00:00Z" }), "/to", "too_many"),
    ] {
        let problem = backfill(range).await.problem(422, "schedule_invalid");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    acme.operator.post(&format!("/api/v1/workflows/{id}/deactivate"), json!({})).await.expect(200);
    acme.operator.post(&format!("{path}/trigger"), json!({})).await.problem(409, "schedule_dormant");
}

#[actix_web::test]
async fn many_replicas_fire_each_due_time_once() {
    const SCHEDULES: usize = 60;
    const SECONDS: u64 = 5;
    let server = TestServer::with(|config| {
        config.limits.api_requests_per_minute = 0;
        config.scheduling.batch = 7;
        config.database.max_connections = 8;
    })
    .await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let mut paths = Vec::new();
    for _ in 0..SCHEDULES {
        paths.push(schedule(&acme, &id, json!({ "cron": "* * * * * *", "overlap": "allow" })).await);
    }
    for _ in 0..SECONDS {
        server.clock.advance(Duration::from_secs(1));
        let replicas = (0..4).map(|_| {
            let schedules = server.app.schedules.clone();
            // Those that find everything in others' hands look again, as the scheduler does.
            actix_web::rt::spawn(async move {
                for _ in 0..40 {
                    schedules.fire_everything_due().await.unwrap();
                }
            })
        });
        futures_util::future::join_all(replicas).await;
    }
    for path in &paths {
        let history = history(&acme.viewer, path).await;
        let mut due: Vec<_> = history.iter().map(|firing| firing["dueAt"].as_str().unwrap()).collect();
        due.sort_unstable();
        let expected: Vec<_> = (1..=SECONDS).map(|second| format!("2025-01-31T08:00:{second:02}.000Z")).collect();
        assert_eq!(due, expected, "{path}");
        assert!(history.iter().all(|firing| firing["outcome"] == "started"));
    }
    let mut executions = 0;
    let mut cursor = String::new();
    loop {
        let page = acme.viewer.get(&format!("/api/v1/workflows/{id}/executions?limit=250{cursor}")).await.json(200);
        executions += page["data"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(executions, SCHEDULES * usize::try_from(SECONDS).unwrap());
}

#[actix_web::test]
async fn what_cannot_be_fired_keeps_no_other_back() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let broken = schedule(&acme, &id, json!({ "cron": "* * * * *", "name": "Broken" })).await;
    let sound = schedule(&acme, &id, json!({ "cron": "* * * * *", "overlap": "allow" })).await;
    // As a later version might have written it.
    let change = "UPDATE schedules SET rule = '{\"kind\":\"tides\"}' WHERE name = 'Broken'";
    server.app.database.write(AcrossTenants).execute_unprepared(change).await.unwrap();
    fire(&server, 60).await;
    assert_eq!(outcomes(&acme.viewer, &sound).await, ["started"]);
    fire(&server, 30).await;
    fire(&server, 60).await;
    assert_eq!(outcomes(&acme.viewer, &sound).await, ["started", "started"]);
    let page = acme.viewer.get(&format!("{broken}/history")).await.json(200);
    assert_eq!(page["data"], json!([]));
}

#[actix_web::test]
async fn schedules_belong_to_their_tenant_and_go_with_their_workflow() {
    let server = start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let id = workflow(&acme, nothing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "* * * * *" })).await;
    let foreign = globex.operator.post("/api/v1/schedules", body(&id, json!({ "cron": "@daily" }))).await;
    foreign.problem_at(422, "schedule_invalid", &["/workflowId"]);
    assert_eq!(globex.viewer.get("/api/v1/schedules").await.json(200)["data"], json!([]));
    acme.viewer.post(&format!("{path}/trigger"), json!({})).await.problem(403, "forbidden");
    fire(&server, 60).await;
    acme.developer.delete(&format!("/api/v1/workflows/{id}")).await.expect(200);
    acme.viewer.get(&path).await.problem(404, "schedule_not_found");
    assert_eq!(fire(&server, 60).await, 0);
}
