//! What schedules refuse, field by field; what a rule means before it is saved; which schedules collide.

use actix_web::http::Method;
use serde_json::json;

use crate::scheduling::{body, nothing, schedule, scheduled, start, workflow};
use crate::support::TestServer;
use crate::workflows::{activated, greeting};

#[actix_web::test]
async fn rules_that_cannot_be_kept_refuse_the_activation() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    for (rule, zone, named) in [
        (json!({ "field": "cronExpression", "expression": "0 99 9 * * *" }), "UTC", "minute \"99\""),
        (json!({ "field": "cronExpression", "expression": "0 0 30 2 *" }), "UTC", "never"),
        (json!({ "field": "days" }), "Mars/Base", "Mars/Base"),
    ] {
        let mut workflow = scheduled(rule, nothing());
        workflow["settings"]["timezone"] = json!(zone);
        let id = acme.developer.post("/api/v1/workflows/import", workflow).await.json(201)["id"].clone();
        let path = format!("/api/v1/workflows/{}/activate", id.as_str().unwrap());
        let problem = acme.developer.post(&path, json!({})).await.problem(422, "workflow_not_runnable");
        assert_eq!(problem["errors"][0]["pointer"], "/nodes/0/parameters");
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains(named), "{problem}");
    }
}

#[actix_web::test]
async fn bad_definitions_are_refused_by_field() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    for (fields, pointer, code) in [
        (json!({ "cron": "61 * * * *" }), "/cron", "cron"),
        (json!({ "cron": "" }), "/cron", "cron"),
        (json!({ "cron": "0 0 30 2 *" }), "/cron", "never_due"),
        (json!({}), "/cron", "rule_missing"),
        (json!({ "cron": "* * * * *", "everySeconds": 5 }), "/cron", "rule_ambiguous"),
        (json!({ "everySeconds": 0 }), "/everySeconds", "range"),
        (json!({ "everySeconds": 99_999_999 }), "/everySeconds", "range"),
        (json!({ "calendar": { "times": [] } }), "/calendar/times", "range"),
        (json!({ "calendar": { "times": ["09:00"], "daysOfMonth": [0] } }), "/calendar/daysOfMonth", "range"),
        (json!({ "calendar": { "times": ["09:00"], "months": [13] } }), "/calendar/months", "range"),
        (
            json!({ "calendar": { "times": ["09:00"], "every": { "size": 0, "unit": "days" } } }),
            "/calendar/every/size",
            "range",
        ),
        (json!({ "calendar": { "times": ["09:00"], "daysOfMonth": [31], "months": [2] } }), "/calendar", "never_due"),
        (json!({ "cron": "@daily", "timezone": "Europe/Wien" }), "/timezone", "unknown_zone"),
        (json!({ "cron": "@daily", "timezone": "" }), "/timezone", "unknown_zone"),
        (
            json!({ "cron": "@daily", "startsAt": "2025-03-01T00:00:00Z", "endsAt": "2025-02-01T00:00:00Z" }),
            "/endsAt",
            "end_before_start",
        ),
        (json!({ "cron": "@daily", "endsAt": "2024-02-01T00:00:00Z" }), "/endsAt", "in_the_past"),
        (json!({ "cron": "@yearly", "endsAt": "2025-02-01T00:00:00Z" }), "/cron", "never_due"),
        (json!({ "cron": "@daily", "jitterSeconds": 90_000 }), "/jitterSeconds", "range"),
        (json!({ "cron": "* * * * *", "jitterSeconds": 60 }), "/jitterSeconds", "jitter_too_long"),
        (json!({ "cron": "@daily", "inputData": 5 }), "/inputData", "wrong_type"),
        (json!({ "cron": "@daily", "inputData": [{}, "x"] }), "/inputData", "wrong_type"),
        (json!({ "cron": "@daily", "name": " " }), "/name", "blank"),
        (json!({ "cron": "@daily", "name": "x".repeat(129) }), "/name", "length"),
        (json!({ "cron": "@daily", "catchUpSeconds": 0 }), "/catchUpSeconds", "range"),
        (json!({ "cron": "@daily", "pauseAfterFailures": 1001 }), "/pauseAfterFailures", "range"),
        (json!({ "cron": "@daily", "workflowId": "nobody" }), "/workflowId", "unknown"),
    ] {
        let reply = acme.operator.post("/api/v1/schedules", body(&id, fields.clone())).await;
        let problem = reply.problem(422, "schedule_invalid");
        let found = (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]);
        assert_eq!(found, (&json!(pointer), &json!(code)), "{fields}: {problem}");
    }
    for (fields, pointer) in [
        (json!({ "cron": 5 }), "/cron"),
        (json!({ "overlap": "maybe" }), "/overlap"),
        (json!({ "often": true }), "/often"),
        (json!({ "startsAt": "tomorrow" }), "/startsAt"),
        (json!({ "calendar": { "times": ["25:00"] } }), "/calendar/times/0"),
        (json!({ "calendar": { "times": ["09:00"], "daysOfWeek": ["moonday"] } }), "/calendar/daysOfWeek/0"),
    ] {
        let reply = acme.operator.post("/api/v1/schedules", body(&id, fields)).await;
        reply.problem_at(422, "invalid_body", &[pointer]);
    }
    let path = schedule(&acme, &id, json!({ "cron": "@daily" })).await;
    for (query, code) in
        [("?count=0", "schedule_invalid"), ("?count=101", "schedule_invalid"), ("?count=x", "invalid_query")]
    {
        acme.viewer.get(&format!("{path}/next{query}")).await.problem(422, code);
    }
    let other = workflow(&acme, nothing()).await;
    let moved = acme.operator.send(Method::PUT, &path, Some(body(&other, json!({ "cron": "@daily" })))).await;
    moved.problem_at(422, "schedule_invalid", &["/workflowId"]);
    acme.operator.post(&format!("{path}/pause"), json!({ "reason": "" })).await.problem(422, "invalid_body");
}

#[actix_web::test]
async fn a_rule_is_explained_before_it_is_saved() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let preview = async |query: &str| acme.viewer.get(&format!("/api/v1/schedules/preview?{query}")).await;
    let shown = preview("cron=30%202%20*%20*%201-5&timezone=Europe/Vienna&count=2").await.json(200);
    assert_eq!(shown["summary"], "At 02:30, on Monday to Friday");
    let local: Vec<_> = shown["runs"].as_array().unwrap().iter().map(|run| run["local"].as_str().unwrap()).collect();
    assert_eq!(local, ["2025-02-03T02:30:00+01:00", "2025-02-04T02:30:00+01:00"]);
    for (query, pointer) in [
        ("cron=99%20*%20*%20*%20*", "?cron"),
        ("everySeconds=0", "?everySeconds"),
        ("", "?cron"),
        ("cron=@daily&timezone=Nowhere", "?timezone"),
        ("cron=@daily&count=0", "?count"),
        ("cron=@daily&workflowId=nobody", "?workflowId"),
    ] {
        preview(query).await.problem_at(422, "schedule_invalid", &[pointer]);
    }
    preview("often=true").await.problem(422, "invalid_query");
}

#[actix_web::test]
async fn collisions_are_found_before_and_after() {
    let server = start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let (first, second) = (workflow(&acme, nothing()).await, workflow(&acme, nothing()).await);
    schedule(&acme, &first, json!({ "cron": "30 2 * * *", "name": "Report" })).await;
    let refused = body(&second, json!({ "cron": "30 2 * * *", "refuseConflicts": true }));
    acme.operator.post("/api/v1/schedules", refused).await.problem(409, "schedule_conflict");
    let apart = json!({ "cron": "31 2 * * *", "refuseConflicts": true });
    let apart = schedule(&acme, &second, apart).await;
    let preview = "/api/v1/schedules/preview?cron=30%202%20*%20*%20*&timezone=UTC";
    let foreseen = acme.viewer.get(&format!("{preview}&workflowId={first}")).await.json(200);
    let kinds: Vec<_> =
        foreseen["conflicts"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&"minute") && kinds.contains(&"workflow"), "{kinds:?}");
    let none = acme.viewer.get("/api/v1/schedules/conflicts").await.json(200);
    assert_eq!((&none["conflicts"], &none["schedules"], &none["complete"]), (&json!([]), &json!(2), &json!(true)));
    acme.operator.patch(&apart, json!({ "cron": "30 2 * * 1-5", "name": "Backup" })).await.expect(200);
    let found = acme.viewer.get("/api/v1/schedules/conflicts?hours=168").await.json(200);
    let conflict = &found["conflicts"][0];
    assert_eq!((&conflict["kind"], &conflict["count"]), (&json!("minute"), &json!(5)), "{found}");
    assert_eq!(conflict["schedules"].as_array().unwrap().len(), 2);
    assert_eq!(conflict["suggestion"]["offsetMinutes"], 1);
    assert_eq!(conflict["suggestion"]["text"], "Put \"Backup\" off by 1 min: then it meets no other schedule.");
    let calendar = acme.viewer.get("/api/v1/schedules/calendar?hours=96&from=2025-02-01T00:00:00Z").await.json(200);
    let firings: Vec<_> =
        calendar["hours"].as_array().unwrap().iter().map(|hour| hour["firings"].as_u64().unwrap()).collect();
    assert_eq!(firings, [1, 1, 2, 2], "a weekend, then Monday and Tuesday");
    assert_eq!(calendar["hours"][2]["busiestMinute"], "2025-02-03T02:30:00.000Z");
    assert_eq!(globex.viewer.get("/api/v1/schedules/conflicts").await.json(200)["schedules"], 0);
    for query in ["hours=0", "hours=745"] {
        let reply = acme.viewer.get(&format!("/api/v1/schedules/conflicts?{query}")).await;
        reply.problem_at(422, "schedule_invalid", &["?hours"]);
    }
}

#[actix_web::test]
async fn workflows_that_share_a_credential_collide_by_it() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let with_credential = async || {
        let mut then = nothing();
        then["credentials"] = json!({ "httpBasicAuth": { "id": "bank", "name": "Bank" } });
        let id = workflow(&acme, then).await;
        schedule(&acme, &id, json!({ "cron": "0 4 * * *" })).await;
    };
    with_credential().await;
    with_credential().await;
    let found = acme.viewer.get("/api/v1/schedules/conflicts").await.json(200);
    let of_credential =
        found["conflicts"].as_array().unwrap().iter().find(|found| found["kind"] == "credential").unwrap();
    assert_eq!((&of_credential["resource"], &of_credential["count"]), (&json!("bank"), &json!(7)));
}

#[actix_web::test]
async fn workflows_that_are_pinned_to_one_pool_of_workers_collide_by_it() {
    let server = TestServer::with(|config| config.queue.pools = vec!["gpu".to_owned()]).await;
    let acme = server.tenant("acme").await;
    for path in ["one", "two"] {
        let mut pinned = greeting(path);
        pinned["settings"]["workerPool"] = json!("gpu");
        let id = activated(&acme.developer, pinned).await;
        schedule(&acme, &id, json!({ "cron": "0 4 * * *" })).await;
    }
    let other = activated(&acme.developer, greeting("three")).await;
    schedule(&acme, &other, json!({ "cron": "0 4 * * *" })).await;
    let found = acme.viewer.get("/api/v1/schedules/conflicts").await.json(200);
    let of_pool = found["conflicts"].as_array().unwrap().iter().find(|found| found["kind"] == "pool").unwrap();
    let seen = (&of_pool["resource"], &of_pool["size"], &of_pool["count"]);
    assert_eq!(seen, (&json!("gpu"), &json!(2), &json!(7)));
}
