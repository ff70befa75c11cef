//! What this version of the server cannot read of an execution, damaged or written by another version: it is shown as such, ends
//! with a word, and is in nobody's way.

use std::time::Duration;

use millrace::infrastructure::config::Role;
use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::recovery::chain;
use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

/// Goes past the server. In the statement `{id}` is an execution, `{tenant}` its tenant, `{broken}` bytes that mean nothing.
async fn damage(server: &TestServer, tenant: &TestTenant, id: &str, statement: &str) {
    let database = &server.app.database;
    let (uuid, broken): (fn(&str) -> String, _) = match database.backend() {
        Backend::Postgres => (|id| format!("'{id}'"), "'\\x0708'::bytea"),
        _ => (|id| format!("X'{}'", id.replace('-', "")), "X'0708'"),
    };
    let statement = statement.replace("{id}", &uuid(id)).replace("{tenant}", &uuid(&tenant.id.to_string()));
    let done = database.write(AcrossTenants).execute_unprepared(&statement.replace("{broken}", broken)).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

/// So many executions that succeeded, oldest first.
async fn ended(tenant: &TestTenant, count: usize) -> Vec<String> {
    let workflow = activated(&tenant.developer, greeting("hello")).await;
    let mut ids = Vec::new();
    for _ in 0..count {
        let path = format!("/api/v1/workflows/{workflow}/trigger");
        let ended = tenant.operator.post(&path, json!({ "wait": true })).await.json(200);
        ids.push(ended["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn list(tenant: &TestTenant, query: &str) -> Vec<Value> {
    let page = tenant.viewer.get(&format!("/api/v1/executions{query}")).await.json(200);
    page["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn an_execution_in_a_state_of_another_version_is_shown_and_can_be_deleted() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let ids = ended(&acme, 3).await;
    damage(&server, &acme, &ids[1], "UPDATE executions SET status = 'paused', mode = 'teleport' WHERE id = {id}").await;
    let all = list(&acme, "").await;
    let shown: Vec<&Value> = all.iter().map(|execution| &execution["status"]).collect();
    assert_eq!(shown, ["success", "unknown", "success"]);
    assert_eq!((&all[1]["mode"], &all[1]["errorCode"]), (&json!("unknown"), &json!("execution_unreadable")));
    assert!(all[0].get("errorCode").is_none(), "{}", all[0]);
    assert_eq!(list(&acme, "?status=unknown").await.len(), 1);
    assert_eq!(list(&acme, "?mode=unknown").await.len(), 1);
    assert_eq!(list(&acme, "?status=success").await.len(), 2);
    let own = format!("/api/v1/executions/{}", ids[1]);
    let read = acme.viewer.get(&format!("{own}?includeData=true")).await.json(200);
    assert_eq!((&read["status"], read["data"].is_object()), (&json!("unknown"), true));
    acme.viewer.get(&format!("{own}/timeline")).await.expect(200);
    server.clock.advance(Duration::from_secs(1));
    let statistics = acme.viewer.get("/api/v1/executions/statistics").await.json(200);
    assert_eq!((&statistics["total"]["executions"], &statistics["total"]["success"]), (&json!(3), &json!(2)));
    for action in ["stop", "retry"] {
        let refused = acme.operator.post(&format!("{own}/{action}"), json!({})).await;
        refused.problem(409, "execution_wrong_state");
    }
    acme.owner.delete(&own).await.expect(200);
    assert_eq!(list(&acme, "").await.len(), 2);
}

#[actix_web::test]
async fn data_that_cannot_be_read_hides_no_other() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let ids = ended(&acme, 3).await;
    let statement = "UPDATE execution_payloads SET data = {broken} WHERE execution_id = {id}";
    damage(&server, &acme, &ids[2], statement).await;
    for (query, expected) in [("?includeData=true", 3), ("?includeData=true&limit=1", 1)] {
        let shown = list(&acme, query).await;
        assert_eq!(shown.len(), expected);
        assert_eq!((&shown[0]["errorCode"], shown[0].get("data")), (&json!("execution_unreadable"), None));
        assert!(shown[1..].iter().all(|execution| execution["data"].is_object()));
    }
    let own = format!("/api/v1/executions/{}", ids[2]);
    for part in ["?includeData=true", "/timeline", "/nodes", "/usage"] {
        acme.viewer.get(&format!("{own}{part}")).await.problem(500, "execution_unreadable");
    }
    assert_eq!(acme.viewer.get(&own).await.json(200)["status"], "success");
    acme.viewer.get("/api/v1/executions/statistics").await.expect(200);
    acme.owner.delete(&own).await.expect(200);
}

#[actix_web::test]
async fn what_cannot_be_taken_up_ends_with_a_word_and_others_run() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = chain("queued", Vec::new());
    // What is limited in number goes through the queue.
    workflow["settings"]["concurrency"] = json!(50);
    activated(&acme.developer, workflow).await;
    for _ in 0..6 {
        server.visitor().post("/t/acme/webhook/queued", json!({})).await.expect(200);
    }
    let queued = list(&acme, "?status=new").await;
    let ids: Vec<&str> = queued.iter().map(|execution| execution["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 6);
    for (id, statement) in ids.iter().zip([
        "UPDATE executions SET mode = 'teleport' WHERE id = {id}",
        "UPDATE execution_payloads SET state = {broken} WHERE execution_id = {id}",
        // One whose process died, and one whose time has come.
        "INSERT INTO execution_journal (tenant_id, execution_id, seq, entries) VALUES ({tenant}, {id}, 0, {broken})",
        "UPDATE execution_payloads SET state = {broken} WHERE execution_id = {id}",
        "UPDATE executions SET status = 'paused' WHERE id = {id}",
    ]) {
        damage(&server, &acme, id, statement).await;
    }
    damage(&server, &acme, ids[2], "UPDATE executions SET status = 'running', owner = NULL WHERE id = {id}").await;
    damage(&server, &acme, ids[3], "UPDATE executions SET status = 'waiting', wait_until = 0 WHERE id = {id}").await;
    let shutdown = CancellationToken::new();
    drop(server.app.start_background(&[Role::Worker], &shutdown));
    let over = async {
        loop {
            let all = list(&acme, "").await;
            let is_over =
                |execution: &Value| ["success", "error", "unknown"].iter().any(|over| execution["status"] == *over);
            if all.iter().all(is_over) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), over).await.expect("some never end");
    let statuses: Vec<&Value> = all.iter().map(|execution| &execution["status"]).collect();
    assert_eq!(statuses, ["error", "error", "error", "error", "unknown", "success"]);
    for execution in &all[..4] {
        let error = execution["error"].as_str().unwrap();
        assert!(error.contains("cannot be read (execution_unreadable): "), "{error}");
    }
    shutdown.cancel();
}
