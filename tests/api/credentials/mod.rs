//! Credentials: kept, shown without their secrets, used by nodes.

mod browser;
mod external;
mod failing;
mod keeping;
mod mailboxes;
mod oauth;
mod planted;
mod redirecting;
mod replicas;
mod rotation;
mod services;
mod sessions;
mod signing;
mod using;

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

pub(super) const REDACTED: &str = "__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6";

/// A server whose workflows and tests may reach vendors played on this machine.
pub(super) async fn server() -> TestServer {
    TestServer::with(reaching_loopback).await
}

pub(super) fn reaching_loopback(config: &mut millrace::infrastructure::config::Config) {
    config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    config.limits.api_requests_per_minute = 0;
}

/// Makes a credential; its id.
pub(super) async fn create(client: &Client, kind: &str, data: Value) -> String {
    let body = json!({ "name": format!("my {kind}"), "type": kind, "data": data });
    let made = client.post("/api/v1/credentials", body).await.json(201);
    made["id"].as_str().unwrap().to_owned()
}

/// A workflow that begins by hand and goes on with this node.
pub(super) fn workflow(node: Value) -> Value {
    json!({
        "name": "uses a credential",
        "nodes": [{ "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "position": [0, 0] }, node],
        "connections": { "Start": { "main": [[{ "node": "Then", "type": "main", "index": 0 }]] } }
    })
}

/// An HTTP Request node named `Then`, with a credential.
pub(super) fn http_request(url: &str, kind: &str, reference: Value) -> Value {
    json!({
        "name": "Then", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [200, 0],
        "parameters": { "url": url, "authentication": "genericCredentialType", "genericAuthType": kind, "options": {} },
        "credentials": { (kind): reference }
    })
}

/// Runs a workflow document to its end; the execution with its data.
pub(super) async fn run(client: &Client, document: Value) -> Value {
    let workflow = client.post("/api/v1/workflows", document).await.json(201);
    run_workflow(client, workflow["id"].as_str().unwrap()).await
}

pub(super) async fn run_workflow(client: &Client, id: &str) -> Value {
    let started = client.post(&format!("/api/v1/workflows/{id}/trigger"), json!({})).await.json(202);
    let path = format!("/api/v1/executions/{}?includeData=true", started["id"].as_str().unwrap());
    for _ in 0..1000 {
        let execution = client.get(&path).await.json(200);
        if !matches!(execution["status"].as_str(), Some("new" | "running")) {
            return execution;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the execution does not end");
}

/// The message of the error that ended an execution.
pub(super) fn error_of(execution: &Value) -> String {
    execution["data"]["resultData"]["error"]["message"].as_str().unwrap_or_default().to_owned()
}
