//! Changes of schedules that run: no due time is lost by one without a record, and none is let in that collides.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scheduling::{body, fire, history, nothing, schedule, scheduled, start, workflow};
use crate::support::TestTenant;
use crate::workflows::activated;

async fn next_due(tenant: &TestTenant, path: &str) -> Value {
    tenant.viewer.get(path).await.json(200)["nextDueAt"].clone()
}

#[actix_web::test]
async fn what_is_due_stays_due_when_only_its_name_changes() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let path = schedule(&acme, &id, json!({ "cron": "0 * * * *" })).await;
    server.clock.advance(Duration::from_secs(3600 + 30));
    acme.operator.patch(&path, json!({ "name": "Other" })).await.expect(200);
    let whole = body(&id, json!({ "cron": "0 * * * *", "name": "Another" }));
    acme.operator.put(&path, whole).await.expect(200);
    assert_eq!(next_due(&acme, &path).await, "2025-01-31T09:00:00.000Z");
    assert_eq!(fire(&server, 0).await, 1);
    let fired = history(&acme.viewer, &path).await;
    assert_eq!((fired.len(), &fired[0]["dueAt"]), (1, &json!("2025-01-31T09:00:00.000Z")));
}

#[actix_web::test]
async fn what_was_due_before_a_change_or_a_pause_is_on_record() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    let changed = schedule(&acme, &id, json!({ "cron": "0 * * * *" })).await;
    let paused = schedule(&acme, &id, json!({ "cron": "0 * * * *" })).await;
    server.clock.advance(Duration::from_secs(2 * 3600 + 30));
    acme.operator.patch(&changed, json!({ "cron": "30 * * * *" })).await.expect(200);
    acme.operator.post(&format!("{paused}/pause"), json!({ "reason": "Stocktaking" })).await.expect(200);
    for (path, outcome, reason) in
        [(&changed, "missed", "the schedule was changed before it fired"), (&paused, "skipped", "paused: Stocktaking")]
    {
        let records = history(&acme.viewer, path).await;
        assert_eq!(records.len(), 1, "{path}");
        let of = |field: &str| records[0][field].clone();
        assert_eq!((of("outcome"), of("count"), of("reason")), (json!(outcome), json!(2), json!(reason)));
        assert_eq!(
            (of("dueAt"), of("lastDueAt")),
            (json!("2025-01-31T09:00:00.000Z"), json!("2025-01-31T10:00:00.000Z"))
        );
    }
    assert_eq!(next_due(&acme, &changed).await, "2025-01-31T10:30:00.000Z");
    server.clock.advance(Duration::from_secs(3600));
    acme.operator.post(&format!("{paused}/resume"), json!({})).await.expect(200);
    let records = history(&acme.viewer, &paused).await;
    assert_eq!((records.len(), &records[0]["count"]), (2, &json!(1)), "each due time once");
}

#[actix_web::test]
async fn the_jitter_of_a_workflows_own_schedule_fits_its_own_rule() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, scheduled(json!({ "field": "minutes", "minutesInterval": 1 }), nothing())).await;
    let found = acme.viewer.get("/api/v1/schedules").await.json(200)["data"][0].clone();
    let path = format!("/api/v1/schedules/{}", found["id"].as_str().unwrap());
    let hour = acme.operator.patch(&path, json!({ "jitterSeconds": 3600 })).await;
    hour.problem_at(422, "schedule_invalid", &["/jitterSeconds"]);
    let mut put_off = false;
    for seconds in [59, 58, 57] {
        let changed = acme.operator.patch(&path, json!({ "jitterSeconds": seconds })).await.json(200);
        assert_eq!((&changed["nextDueAt"], &changed["cron"]), (&found["nextDueAt"], &found["cron"]));
        put_off |= changed["nextFiresAt"] != changed["nextDueAt"];
    }
    assert!(put_off, "the jitter counts from the next firing on");
}

#[actix_web::test]
async fn changes_that_collide_are_refused_where_that_is_asked_for() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let (first, second) = (workflow(&acme, nothing()).await, workflow(&acme, nothing()).await);
    schedule(&acme, &first, json!({ "cron": "30 2 * * *", "name": "Report" })).await;
    let path = schedule(&acme, &second, json!({ "cron": "31 2 * * *" })).await;
    let colliding = json!({ "cron": "30 2 * * *", "refuseConflicts": true });
    acme.operator.put(&path, body(&second, colliding.clone())).await.problem(409, "schedule_conflict");
    acme.operator.patch(&path, colliding).await.problem(409, "schedule_conflict");
    assert_eq!(next_due(&acme, &path).await, "2025-02-01T02:31:00.000Z", "it is as it was");
    // It does not collide with itself as it was.
    let moved = json!({ "cron": "31 2 * * 1-5", "refuseConflicts": true });
    acme.operator.patch(&path, moved).await.expect(200);
    // A jitter keeps them apart, as the suggestion says; one in a thousand does not.
    let mut is_apart = false;
    for seconds in [80_000, 70_000, 60_000] {
        let spread = json!({ "cron": "30 2 1 2 *", "jitterSeconds": seconds, "refuseConflicts": true });
        is_apart |= acme.operator.put(&path, body(&second, spread)).await.status == 200;
    }
    assert!(is_apart);
}

#[actix_web::test]
async fn calendars_are_explained_before_they_are_saved() {
    let server = start().await;
    let acme = server.tenant("acme").await;
    let id = workflow(&acme, nothing()).await;
    schedule(&acme, &id, json!({ "cron": "30 2 * * *" })).await;
    let preview = "/api/v1/schedules/preview?timezone=UTC&count=1";
    let calendar = format!("{preview}&calendar=%7B%22times%22%3A%5B%2202%3A30%22%5D%7D");
    let found = acme.viewer.get(&calendar).await.json(200);
    assert_eq!(found["runs"][0]["dueAt"], "2025-02-01T02:30:00.000Z");
    assert_eq!(found["conflicts"][0]["count"], 7, "{found}");
    for (query, pointer) in [("calendar=%7B", "?calendar"), ("calendar=%7B%22times%22%3A%5B%5D%7D", "?calendar/times")]
    {
        let reply = acme.viewer.get(&format!("{preview}&{query}")).await;
        reply.problem_at(422, "schedule_invalid", &[pointer]);
    }
    let spread = acme.viewer.get(&format!("{calendar}&jitterSeconds=80000")).await.json(200);
    assert_ne!(spread["runs"][0]["firesAt"], spread["runs"][0]["dueAt"]);
    acme.viewer.get(&format!("{calendar}&jitterSeconds=86400")).await.problem(422, "schedule_invalid");
}
