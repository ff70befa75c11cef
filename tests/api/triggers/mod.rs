//! Triggers that listen, or look for news: what is heard begins one execution, whoever holds the trigger.

mod finished;
mod mailbox;
mod polls;
mod redis;

use std::time::Duration;

use millrace::domains::scheduling::{TriggerDependencies, Triggers};
use millrace::infrastructure::config::Role;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::{TestServer, TestTenant};

/// A server that reaches this machine's own services, with everything running that a node on its own runs.
async fn running() -> (TestServer, TestTenant, CancellationToken) {
    let server = TestServer::with(|config| {
        config.auth.access_token_seconds = 86_400;
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let acme = server.tenant("acme").await;
    let shutdown = CancellationToken::new();
    drop(server.app.start_background(&[Role::Worker, Role::Scheduler], &shutdown));
    (server, acme, shutdown)
}

/// Listening as another process does it.
fn another(server: &TestServer) -> Triggers {
    let app = &server.app;
    Triggers::new(TriggerDependencies {
        database: app.database.clone(),
        clock: server.clock.clone(),
        tenants: app.tenants.as_ref().clone(),
        credentials: app.credentials.as_ref().clone(),
        executions: app.executions.as_ref().clone(),
        events: app.events.clone(),
        http: app.http_client.clone(),
    })
}

/// The first item of the first node of each execution of a workflow, oldest first, once there are so many.
async fn items(tenant: &TestTenant, workflow: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/workflows/{workflow}/executions?includeData=true&status=success&limit=250");
    let mut last = Value::Null;
    for _ in 0..400 {
        last = tenant.viewer.get(&path).await.json(200);
        let data = last["data"].as_array().unwrap();
        if data.len() >= count {
            return data.iter().rev().map(|execution| first(execution).clone()).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("fewer than {count} executions: {last}");
}

fn first(execution: &Value) -> &Value {
    let runs = execution["data"]["resultData"]["runData"].as_object().unwrap();
    let start = runs.values().find(|runs| runs[0]["source"].as_array().is_none_or(Vec::is_empty)).unwrap();
    &start[0]["data"]["main"][0][0]["json"]
}

/// The trigger of a workflow, once it stands so.
async fn standing(tenant: &TestTenant, workflow: &str, state: &str) -> Value {
    let path = format!("/api/v1/triggers?workflowId={workflow}");
    let mut last = Value::Null;
    for _ in 0..400 {
        last = tenant.viewer.get(&path).await.json(200)["data"][0].clone();
        if last["state"] == state {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not {state}: {last}");
}
