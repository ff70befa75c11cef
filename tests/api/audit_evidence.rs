//! What the audit log proves: tampering is found, what must not be lost is kept, and nothing privileged goes unrecorded.

use std::time::Duration;

use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{Log, TestServer, TestTenant, administrator};

/// Goes past the server, and past the triggers, as somebody who owns the database can.
async fn tamper(server: &TestServer, statements: &[&str]) {
    let database = server.app.database.write(AcrossTenants);
    let triggers: &[&str] = match server.app.database.backend() {
        Backend::Postgres => &[
            "ALTER TABLE audit_events DISABLE TRIGGER USER",
            "ALTER TABLE audit_checkpoints DISABLE TRIGGER USER",
            "ALTER TABLE audit_heads DISABLE TRIGGER USER",
        ],
        _ => &[
            "DROP TRIGGER IF EXISTS audit_events_unchanged",
            "DROP TRIGGER IF EXISTS audit_events_kept",
            "DROP TRIGGER IF EXISTS audit_checkpoints_unchanged",
            "DROP TRIGGER IF EXISTS audit_checkpoints_kept",
            "DROP TRIGGER IF EXISTS audit_heads_forward",
            "DROP TRIGGER IF EXISTS audit_heads_kept",
        ],
    };
    for statement in triggers.iter().chain(statements) {
        database.execute_unprepared(statement).await.unwrap();
    }
}

/// A tenant whose log has some rows.
async fn busy(server: &TestServer) -> TestTenant {
    let tenant = server.tenant("acme").await;
    for number in 0..5 {
        rename(&tenant, &format!("name {number}")).await;
    }
    tenant
}

async fn rename(tenant: &TestTenant, name: &str) {
    tenant.owner.patch("/api/v1/tenants/current", json!({ "name": name })).await.expect(200);
}

async fn verify(tenant: &TestTenant) -> Value {
    tenant.owner.get("/api/v1/audit/verify").await.json(200)
}

async fn last_sequence(tenant: &TestTenant) -> i64 {
    tenant.owner.get("/api/v1/audit?limit=1").await.json(200)["data"][0]["sequence"].as_i64().unwrap()
}

#[actix_web::test]
async fn rows_cannot_be_changed_or_deleted() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    let database = server.app.database.write(tenant.id);
    for (statement, refusal) in [
        ("UPDATE audit_events SET action = 'nothing'", "audit rows cannot be changed"),
        ("DELETE FROM audit_events WHERE sequence = 3", "audit rows cannot be deleted"),
        ("DELETE FROM audit_events", "audit rows cannot be deleted"),
    ] {
        let error = database.execute_unprepared(statement).await.unwrap_err().to_string();
        assert!(error.contains(refusal), "{statement}: {error}");
    }
    let found = verify(&tenant).await;
    assert_eq!((&found["intact"], &found["broken"]), (&json!(true), &json!(null)));
    assert_eq!(found["verifiedRows"], found["lastSequence"]);
}

#[actix_web::test]
async fn what_proves_the_log_cannot_be_changed_or_deleted_either() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    server.app.audit.checkpoint_all().await.unwrap();
    let database = server.app.database.write(tenant.id);
    let is_postgres = server.app.database.backend() == Backend::Postgres;
    let zero = if is_postgres { "decode('00', 'hex')" } else { "x'00'" };
    let forged = format!("UPDATE audit_checkpoints SET pruned_at = NULL, pruning_signature = {zero}");
    let moved = format!("UPDATE audit_checkpoints SET sequence = 1, pruned_at = 1, pruning_signature = {zero}");
    let mut cases = vec![
        ("UPDATE audit_checkpoints SET pruned_at = 1", "audit checkpoints cannot be changed"),
        ("UPDATE audit_checkpoints SET created_at = 1", "audit checkpoints cannot be changed"),
        (&*forged, "audit checkpoints cannot be changed"),
        (&*moved, "audit checkpoints cannot be changed"),
        ("DELETE FROM audit_checkpoints", "audit checkpoints cannot be deleted"),
        ("UPDATE audit_heads SET sequence = sequence - 1", "an audit log does not go back"),
        ("UPDATE audit_heads SET checkpointed = 0", "an audit log does not go back"),
        ("DELETE FROM audit_heads", "an audit log ends with its tenant only"),
    ];
    if is_postgres {
        cases.extend([
            ("TRUNCATE audit_events", "audit rows cannot be changed"),
            ("TRUNCATE audit_checkpoints", "audit checkpoints cannot be deleted"),
            ("TRUNCATE audit_heads", "an audit log ends with its tenant only"),
        ]);
    }
    for (statement, refusal) in cases {
        let error = database.execute_unprepared(statement).await.unwrap_err().to_string();
        assert!(error.contains(refusal), "{statement}: {error}");
    }
    assert_eq!(verify(&tenant).await["intact"], true);
}

#[actix_web::test]
async fn rows_that_somebody_else_pruned_are_missed() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    server.app.audit.checkpoint_all().await.unwrap();
    let last = last_sequence(&tenant).await;
    rename(&tenant, "after the checkpoint").await;
    // The triggers take a signature for one: that it is none shows when the log is verified.
    let zero = match server.app.database.backend() {
        Backend::Postgres => "decode(repeat('00', 64), 'hex')",
        _ => "zeroblob(64)",
    };
    let database = server.app.database.write(tenant.id);
    for statement in [
        format!("UPDATE audit_checkpoints SET pruned_at = 1, pruning_signature = {zero}"),
        format!("DELETE FROM audit_events WHERE sequence <= {last}"),
    ] {
        database.execute_unprepared(&statement).await.unwrap();
    }
    let found = verify(&tenant).await;
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), (&json!(last), &json!("pruningForged")));
    // So does a mark without any, a checkpoint's own signature in its place, and a log of which nothing is left.
    tamper(&server, &["UPDATE audit_checkpoints SET pruning_signature = NULL"]).await;
    assert_eq!(verify(&tenant).await["broken"]["defect"], "pruningForged");
    tamper(&server, &["UPDATE audit_checkpoints SET pruning_signature = signature, pruned_at = created_at"]).await;
    assert_eq!(verify(&tenant).await["broken"]["defect"], "pruningForged");
    tamper(&server, &["DELETE FROM audit_checkpoints", "DELETE FROM audit_heads", "DELETE FROM audit_events"]).await;
    let found = verify(&tenant).await;
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), (&json!(1), &json!("truncated")));
}

#[actix_web::test]
async fn retention_of_the_tenants_choice_is_signed_and_can_be_repeated() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    let settings = json!({ "settings": { "auditRetentionDays": 30 } });
    tenant.owner.patch("/api/v1/tenants/current", settings).await.expect(200);
    let last = last_sequence(&tenant).await;
    assert_eq!(server.app.tenants.prune_audit().await.unwrap(), 0, "nothing is that old");
    server.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(i64::try_from(server.app.tenants.prune_audit().await.unwrap()).unwrap(), last);
    let ctx = millrace::common::Ctx::system(tenant.id);
    let found = server.app.audit.verify(&ctx).await.unwrap();
    assert!(found.intact, "{found:?}");
    assert_eq!((found.verified_rows, found.last_sequence), (1, last + 1), "the deletion itself is a row");
    server.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(server.app.tenants.prune_audit().await.unwrap(), 1);
    let found = server.app.audit.verify(&ctx).await.unwrap();
    assert!(found.intact && found.last_sequence == last + 2, "{found:?}");
    // What was signed for one row does not serve for a later one.
    server.app.audit.checkpoint_all().await.unwrap();
    let later = "UPDATE audit_checkpoints SET pruned_at = (SELECT pruned_at FROM audit_checkpoints WHERE pruned_at IS NOT NULL),
         pruning_signature = (SELECT pruning_signature FROM audit_checkpoints WHERE pruned_at IS NOT NULL)
         WHERE pruned_at IS NULL";
    tamper(&server, &[later, "DELETE FROM audit_events"]).await;
    let found = server.app.audit.verify(&ctx).await.unwrap();
    assert!(found.broken.is_some_and(|row| row.sequence == last + 2), "a moved signature is none");
}

#[actix_web::test]
async fn tampering_is_found_at_its_first_row() {
    for (what, statements, sequence, defect) in [
        ("a field", &["UPDATE audit_events SET after = '{}' WHERE sequence = 4"][..], 4, "changed"),
        ("the actor", &["UPDATE audit_events SET user_id = NULL WHERE sequence = 2"], 2, "changed"),
        ("its MAC", &["UPDATE audit_events SET mac = request_mac WHERE sequence = 6"], 6, "changed"),
        ("deleted", &["DELETE FROM audit_events WHERE sequence = 3"], 3, "missing"),
        ("the first deleted", &["DELETE FROM audit_events WHERE sequence = 1"], 1, "missing"),
        (
            "re-ordered",
            &[
                "UPDATE audit_events SET sequence = 1000 WHERE sequence = 3",
                "UPDATE audit_events SET sequence = 3 WHERE sequence = 4",
                "UPDATE audit_events SET sequence = 4 WHERE sequence = 1000",
            ],
            3,
            "changed",
        ),
        (
            "renumbered after a deletion",
            &[
                "DELETE FROM audit_events WHERE sequence = 3",
                "UPDATE audit_events SET sequence = sequence + 1000 WHERE sequence > 3",
                "UPDATE audit_events SET sequence = sequence - 1001 WHERE sequence > 3",
            ],
            3,
            "changed",
        ),
    ] {
        let server = TestServer::start().await;
        let tenant = busy(&server).await;
        let zero = match server.app.database.backend() {
            Backend::Postgres => "decode(repeat('00', 32), 'hex')",
            _ => "zeroblob(32)",
        };
        let statements: Vec<String> = statements.iter().map(|sql| sql.replace("request_mac", zero)).collect();
        assert_eq!(verify(&tenant).await["intact"], true, "{what}");
        tamper(&server, &statements.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let found = verify(&tenant).await;
        assert_eq!((&found["intact"], &found["broken"]["sequence"]), (&json!(false), &json!(sequence)), "{what}");
        assert_eq!(found["broken"]["defect"], defect, "{what}");
        assert_eq!(found["lastSequence"], sequence - 1, "{what}");
    }
}

#[actix_web::test]
async fn truncation_shows_against_the_head_and_the_last_checkpoint() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    assert_eq!(server.app.audit.checkpoint_all().await.unwrap(), 1);
    assert_eq!(server.app.audit.checkpoint_all().await.unwrap(), 0, "nothing was added since");
    let last = last_sequence(&tenant).await;
    assert_eq!(verify(&tenant).await["lastCheckpoint"]["sequence"], last);
    let cut = format!("DELETE FROM audit_events WHERE sequence > {}", last - 2);
    tamper(&server, &[&cut]).await;
    let found = verify(&tenant).await;
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), (&json!(last - 1), &json!("truncated")));
    // Somebody more thorough sets the head back, too: the signed checkpoint remembers.
    let head = format!(
        "UPDATE audit_heads SET sequence = {0}, mac = (SELECT mac FROM audit_events WHERE sequence = {0})",
        last - 2
    );
    tamper(&server, &[&head]).await;
    let found = verify(&tenant).await;
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), (&json!(last - 1), &json!("truncated")));
    // And what is written in place of the lost rows is not what was signed.
    rename(&tenant, "other history").await;
    rename(&tenant, "other history yet").await;
    let found = verify(&tenant).await;
    let expected = (&json!(last), &json!("checkpointMismatch"));
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), expected);
    tamper(&server, &[&format!("UPDATE audit_checkpoints SET sequence = {}", last - 2)]).await;
    assert_eq!(verify(&tenant).await["broken"]["defect"], "checkpointForged");
}

#[actix_web::test]
async fn checkpoints_are_signed_as_the_log_grows() {
    let server = TestServer::with(|config| config.limits.api_requests_per_minute = 0).await;
    let tenant = busy(&server).await;
    for number in last_sequence(&tenant).await..101 {
        rename(&tenant, &format!("name {number}")).await;
    }
    let checkpoint = verify(&tenant).await["lastCheckpoint"].take();
    assert_eq!(checkpoint["sequence"], 100);
    assert_eq!(checkpoint["signature"].as_str().unwrap().len(), 128);
}

#[actix_web::test]
async fn what_is_pruned_leaves_a_log_that_can_be_verified() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    let last = last_sequence(&tenant).await;
    server.clock.advance(Duration::from_secs(3600));
    // An access token lasts a quarter of an hour.
    let acme = tenant.api_key.clone();
    acme.patch("/api/v1/tenants/current", json!({ "name": "later" })).await.expect(200);
    let cut = server.app.audit.prune(tenant.id, millrace::common::Clock::now(&*server.clock)).await.unwrap();
    assert_eq!(i64::try_from(cut).unwrap(), last);
    assert_eq!(server.app.audit.prune(tenant.id, millrace::common::Timestamp::from_millis(0)).await.unwrap(), 0);
    let events = acme.get("/api/v1/audit").await.json(200);
    let actions: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["audit.prune", "tenant.update"]);
    let found = acme.get("/api/v1/audit/verify").await.json(200);
    assert_eq!((&found["intact"], &found["verifiedRows"]), (&json!(true), &json!(2)));
    tamper(&server, &[&format!("DELETE FROM audit_events WHERE sequence = {}", last + 1)]).await;
    let found = acme.get("/api/v1/audit/verify").await.json(200);
    assert_eq!((&found["broken"]["sequence"], &found["broken"]["defect"]), (&json!(last + 1), &json!("missing")));
}

#[actix_web::test]
async fn nothing_privileged_is_done_that_cannot_be_recorded() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    let administrator = administrator(&server).await;
    let key_file = server.app.config.data.directory.join("keys/encryption.key");
    let encryption_keys = std::fs::read(&key_file).unwrap();
    let before = tenant.owner.get("/api/v1/tenants/current").await.json(200);
    tamper(&server, &["ALTER TABLE audit_events RENAME TO gone"]).await;
    let keys = tenant.owner.get("/api/v1/api-keys").await.json(200);
    tenant.owner.patch("/api/v1/tenants/current", json!({ "name": "x" })).await.problem(500, "internal_error");
    tenant.owner.post("/api/v1/api-keys", json!({ "name": "x" })).await.problem(500, "internal_error");
    tenant.owner.get("/api/v1/audit/export").await.problem(500, "internal_error");
    administrator.post("/api/v1/admin/keys/rotate", json!({})).await.problem(500, "internal_error");
    assert_eq!(std::fs::read(&key_file).unwrap(), encryption_keys);
    assert_eq!(tenant.owner.get("/api/v1/tenants/current").await.json(200), before);
    assert_eq!(tenant.owner.get("/api/v1/api-keys").await.json(200), keys);
    let back = "ALTER TABLE gone RENAME TO audit_events";
    server.app.database.write(AcrossTenants).execute_unprepared(back).await.unwrap();
    assert_eq!(verify(&tenant).await["intact"], true);
    // And what is done is announced before it is begun.
    let rotated = administrator.post("/api/v1/admin/keys/rotate", json!({})).await.json(200);
    let events = administrator.get("/api/v1/audit?resourceKind=encryption").await.json(200);
    let told: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    assert_eq!(told, ["encryption.wrappingRotated", "encryption.rotateWrapping"]);
    assert_eq!(events["data"][0]["resourceId"], rotated["keyId"]);
}

#[actix_web::test]
async fn checkpoints_are_logged_once_they_are_stored() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    let log = Log::default();
    let heard = log.hear();
    let transaction = server.app.database.begin(tenant.id).await.unwrap();
    let ctx = millrace::common::Ctx::system(tenant.id);
    for number in last_sequence(&tenant).await..100 {
        let change = millrace::domains::audit::Change::new("some.thing", number);
        server.app.audit.record(&transaction, &ctx, change).await.unwrap();
    }
    transaction.rollback().await.unwrap();
    assert!(!log.text().contains("audit checkpoint"), "what never was is not logged");
    server.app.audit.checkpoint_all().await.unwrap();
    let checkpoint = verify(&tenant).await["lastCheckpoint"].take();
    let text = log.text();
    let line = text.lines().find(|line| line.contains("audit checkpoint")).unwrap();
    for part in ["mac", "signature", "keyId"] {
        assert!(line.contains(checkpoint[part].as_str().unwrap()), "{part}: {line}");
    }
    assert!(line.contains(&tenant.id.to_string()) && line.contains(&format!("sequence={}", checkpoint["sequence"])));
    drop(heard);
}

#[actix_web::test]
async fn refusals_are_recorded() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    tenant.viewer.patch("/api/v1/tenants/current", json!({ "name": "x" })).await.problem(403, "forbidden");
    let event = &tenant.audit().await[0];
    assert_eq!((&event["action"], &event["resourceKind"]), (&json!("access.denied"), &json!("access")));
    assert_eq!(event["resourceId"], "PATCH /api/v1/tenants/current");
    assert_eq!(event["after"]["code"], "forbidden");
    let me = tenant.viewer.get("/api/v1/auth/me").await.json(200);
    assert_eq!(event["userId"], me["user"]["id"]);
}

#[actix_web::test]
async fn the_log_is_exported_whole_and_in_order() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    tenant.owner.patch("/api/v1/tenants/current", json!({ "name": "=cmd|'/C calc'!A0, \"x\"" })).await.expect(200);
    let reply = tenant.owner.get("/api/v1/audit/export").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    assert!(reply.header("content-disposition").unwrap().contains("audit.jsonl"));
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<i64> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=last_sequence(&tenant).await).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap()["action"], "audit.export");
    let reply = tenant.owner.get("/api/v1/audit/export?format=csv").await.expect(200);
    let mut rows = csv::Reader::from_reader(&reply.body[..]);
    assert_eq!(rows.headers().unwrap().get(0), Some("sequence"));
    assert_eq!(rows.records().map(Result::unwrap).count(), events.len() + 1);
    tenant.owner.get("/api/v1/audit/export?format=xml").await.problem(422, "invalid_query");
    tenant.viewer.get("/api/v1/audit/export").await.problem(403, "forbidden");
}

#[actix_web::test]
async fn events_are_searched() {
    let server = TestServer::start().await;
    let tenant = busy(&server).await;
    rename(&tenant, "50%_done").await;
    let me = tenant.owner.get("/api/v1/auth/me").await.json(200);
    let user = me["user"]["id"].as_str().unwrap();
    for (query, count) in [
        ("search=50%25_done", 1),
        ("search=name%203", 2),
        ("search=5_%25done", 0),
        ("action=tenant.update&search=nothing", 0),
        ("resourceKind=apiKey", 1),
        ("address=203.0.113.8", 0),
        ("requestId=none", 0),
        ("from=2030-01-01T00:00:00Z", 0),
        ("until=2000-01-01T00:00:00Z", 0),
        (&format!("userId={user}&action=tenant.update"), 6),
    ] {
        let page = tenant.owner.get(&format!("/api/v1/audit?{query}")).await.json(200);
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}: {page}");
    }
    tenant.owner.get("/api/v1/audit?from=yesterday").await.problem(422, "invalid_query");
}
