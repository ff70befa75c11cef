//! Redis lists and channels as triggers. They need the server that `MILLRACE_TEST_REDIS_URL` names; `cargo xtask test` leaves
//! them out where it gives none.

use std::collections::BTreeSet;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncCommands, Client};
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::{another, items, running, standing};
use crate::support::TestTenant;
use crate::workflows::activated;

async fn redis() -> (MultiplexedConnection, Value) {
    let url = std::env::var("MILLRACE_TEST_REDIS_URL")
        .unwrap_or_else(|_| panic!("`cargo xtask services up` says where the server is"));
    let url = url::Url::parse(&url).unwrap();
    let connection = Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let database = url.path().trim_matches('/').parse::<u64>().unwrap_or(0);
    let data = json!({
        "host": url.host_str().unwrap(), "port": url.port().unwrap_or(6379), "database": database,
        "user": url.username(), "password": url.password().unwrap_or_default()
    });
    (connection, data)
}

/// A name that no other test uses.
fn unique(name: &str) -> String {
    format!("test-{name}-{}", uuid::Uuid::now_v7())
}

/// A workflow as people write it: a queue of a Redis node in front, which names no credential.
async fn queue_workflow(tenant: &TestTenant, queue: &str) -> String {
    let workflow = json!({
        "name": "Multi-Channel Notifications",
        "nodes": [{ "name": "Queue Trigger", "type": "n8n-nodes-base.redis", "position": [250, 300],
                    "parameters": { "resource": "queue", "queue": queue } }],
        "connections": {}
    });
    activated(&tenant.developer, workflow).await
}

#[actix_web::test]
async fn a_message_in_a_queue_begins_one_execution_whoever_listens() {
    let (mut redis, data) = redis().await;
    let (server, acme, shutdown) = running().await;
    let queue = unique("queue");
    let workflow = queue_workflow(&acme, &queue).await;
    let failing = standing(&acme, &workflow, "failing").await;
    assert!(
        failing["error"].as_str().unwrap().contains("names no credential, and there is none of the type redis"),
        "{failing}"
    );
    let credential = json!({ "name": "Queue", "type": "redis", "data": data });
    acme.developer.post("/api/v1/credentials", credential).await.expect(201);
    // A process died with this one in its hands.
    let taken = format!("{queue}:millrace:{}", failing["id"].as_str().unwrap());
    let () = redis.rpush(&taken, json!({ "number": 0 }).to_string()).await.unwrap();
    tokio::spawn(another(&server).run(shutdown.clone()));
    let numbers = 1..=120;
    for number in numbers.clone() {
        let () = redis.rpush(&queue, json!({ "number": number }).to_string()).await.unwrap();
    }
    let () = redis.rpush(&queue, "no JSON").await.unwrap();
    let begun = items(&acme, &workflow, 122).await;
    assert_eq!(begun.len(), 122, "each once");
    let seen: BTreeSet<u64> = begun.iter().filter_map(|item| item["number"].as_u64()).collect();
    assert_eq!(seen, (0..=120).collect());
    assert!(begun.contains(&json!({ "message": "no JSON" })));
    assert_eq!(standing(&acme, &workflow, "listening").await["failures"], 0);
    for _ in 0..100 {
        let left: i64 = redis.llen(&taken).await.unwrap();
        if left == 0 {
            shutdown.cancel();
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("messages are left in hand");
}

#[actix_web::test]
async fn an_inactive_workflow_takes_nothing_and_an_active_one_takes_up_where_it_was() {
    let (mut redis, data) = redis().await;
    let (_server, acme, shutdown) = running().await;
    acme.developer
        .post("/api/v1/credentials", json!({ "name": "Queue", "type": "redis", "data": data }))
        .await
        .expect(201);
    let queue = unique("queue");
    let workflow = queue_workflow(&acme, &queue).await;
    let () = redis.rpush(&queue, r#"{"number":1}"#).await.unwrap();
    items(&acme, &workflow, 1).await;
    let path = format!("/api/v1/workflows/{workflow}");
    acme.developer.post(&format!("{path}/deactivate"), json!({})).await.expect(200);
    standing(&acme, &workflow, "dormant").await;
    acme.developer.post(&format!("{path}/activate"), json!({})).await.expect(200);
    let () = redis.rpush(&queue, r#"{"number":2}"#).await.unwrap();
    let begun = items(&acme, &workflow, 2).await;
    assert_eq!(begun, [json!({ "number": 1 }), json!({ "number": 2 })]);
    shutdown.cancel();
}

#[actix_web::test]
async fn equal_messages_are_as_many_executions() {
    let (mut redis, data) = redis().await;
    let (server, acme, shutdown) = running().await;
    let credential = json!({ "name": "Queue", "type": "redis", "data": data });
    acme.developer.post("/api/v1/credentials", credential).await.expect(201);
    let queue = unique("queue");
    let workflow = queue_workflow(&acme, &queue).await;
    let () = redis.rpush(&queue, "same").await.unwrap();
    items(&acme, &workflow, 1).await;
    let state = "SELECT count(*) AS begun FROM triggers WHERE state IS NOT NULL";
    let mut begun = 1_i64;
    for _ in 0..400 {
        let row = server
            .app
            .database
            .read(AcrossTenants)
            .query_one_raw(Statement::from_string(
                server.app.database.read(AcrossTenants).get_database_backend(),
                state,
            ))
            .await
            .unwrap()
            .unwrap();
        begun = row.try_get("", "begun").unwrap();
        if begun == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(begun, 0, "what was settled is remembered no longer");
    let path = format!("/api/v1/workflows/{workflow}");
    acme.developer.post(&format!("{path}/deactivate"), json!({})).await.expect(200);
    // A process died with an equal one in its hands, before anything was begun for it.
    let id = standing(&acme, &workflow, "dormant").await["id"].as_str().unwrap().to_owned();
    let () = redis.rpush(format!("{queue}:millrace:{id}"), "same").await.unwrap();
    acme.developer.post(&format!("{path}/activate"), json!({})).await.expect(200);
    items(&acme, &workflow, 2).await;
    shutdown.cancel();
}

#[actix_web::test]
async fn what_is_said_in_a_channel_begins_an_execution() {
    let (mut redis, data) = redis().await;
    let (_server, acme, shutdown) = running().await;
    let credential = json!({ "name": "Channels", "type": "redis", "data": data });
    let credential = acme.developer.post("/api/v1/credentials", credential).await.json(201);
    let prefix = unique("channel");
    let workflow = json!({
        "name": "Channels",
        "nodes": [{ "name": "Redis Trigger", "type": "n8n-nodes-base.redisTrigger", "typeVersion": 1, "position": [0, 0],
                    "parameters": { "channels": format!("{prefix}:*"), "options": { "jsonParseBody": true } },
                    "credentials": { "redis": { "id": credential["id"], "name": "Channels" } } }],
        "connections": {}
    });
    let workflow = activated(&acme.developer, workflow).await;
    standing(&acme, &workflow, "listening").await;
    // Nobody hears what was said before; so it is said until somebody hears.
    let channel = format!("{prefix}:news");
    let mut heard: i64 = 0;
    for _ in 0..200 {
        heard = redis.publish(&channel, r#"{"number":1}"#).await.unwrap();
        if heard > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(heard, 1, "one process listens");
    let begun = items(&acme, &workflow, 1).await;
    assert_eq!(begun, [json!({ "message": { "number": 1 }, "channel": channel })]);
    shutdown.cancel();
}

#[actix_web::test]
async fn what_cannot_be_listened_to_is_refused_with_its_place() {
    let (_server, acme, shutdown) = running().await;
    for (kind, parameters, pointer) in [
        ("n8n-nodes-base.redis", json!({ "resource": "queue" }), "/nodes/0/parameters/queue"),
        ("n8n-nodes-base.redisTrigger", json!({ "channels": " , " }), "/nodes/0/parameters/channels"),
        ("n8n-nodes-base.redisTrigger", json!({ "channels": "={{ $json.a }}" }), "/nodes/0/parameters/channels"),
        (
            "n8n-nodes-base.emailReadImap",
            json!({ "options": { "customEmailConfig": "UNSEEN" } }),
            "/nodes/0/parameters/options/customEmailConfig",
        ),
        ("millrace.workflowFinished", json!({ "statuses": ["asleep"] }), "/nodes/0/parameters/statuses"),
    ] {
        let mut document = json!({ "name": "x", "connections": {}, "nodes": [
            { "name": "T", "type": kind, "typeVersion": 1, "position": [0, 0], "parameters": parameters }
        ] });
        if kind == "n8n-nodes-base.redis" {
            // Only one that was written by hand is a trigger.
            document["nodes"][0].as_object_mut().unwrap().remove("typeVersion");
        }
        let created = acme.developer.post("/api/v1/workflows", document).await.json(201);
        let path = format!("/api/v1/workflows/{}/activate", created["id"].as_str().unwrap());
        let problem = acme.developer.post(&path, json!({})).await.problem(422, "workflow_not_runnable");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    shutdown.cancel();
}
