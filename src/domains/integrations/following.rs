//! Triggers a workflow of another n8n by its webhook, and waits for the execution that comes of it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::dto::{TriggerN8nWorkflow, TriggeredN8nWorkflow};
use super::error::Error;
use super::remote::Remote;
use super::service::Service;
use crate::common::Ctx;
use crate::domains::audit::Change;

const WEBHOOK: &str = "n8n-nodes-base.webhook";
/// Longest time that a webhook may take to answer, and its execution to end after that.
const LONGEST: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Workflow {
    #[serde(default)]
    active: bool,
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    parameters: Value,
}

/// What is read of an execution.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    id: Value,
    #[serde(default)]
    finished: bool,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    stopped_at: Option<String>,
}

impl Run {
    /// Ids of executions are numbers that grow; they come as text or as numbers.
    fn number(&self) -> Option<u64> {
        self.id.as_u64().or_else(|| self.id.as_str()?.parse().ok())
    }

    fn is_over(&self) -> bool {
        let runs = matches!(self.status.as_deref(), Some("new" | "running" | "waiting"));
        !runs && (self.finished || self.stopped_at.is_some())
    }
}

impl Service {
    /// Calls a webhook of a workflow. With `wait`, answers when the execution is over or the longest wait is.
    pub(super) async fn trigger(
        &self,
        ctx: &Ctx,
        credential: &str,
        workflow: &str,
        request: TriggerN8nWorkflow,
    ) -> Result<TriggeredN8nWorkflow, Error> {
        let remote = self.remote(ctx, credential).await?;
        let (method, path) = webhook_of(&remote, workflow, request.node.as_deref()).await?;
        let before = if request.wait { newest(&remote, workflow).await? } else { None };
        let change = Change::new("integration.trigger", credential);
        self.note(ctx, change.after(&serde_json::json!({ "workflowId": workflow, "path": path }))).await?;
        let answer = remote.call(&method, &path, request.input_data.as_ref(), LONGEST).await?;
        let body = match serde_json::from_slice(&answer.body) {
            Ok(json) => json,
            Err(_) => String::from_utf8_lossy(&answer.body).into_owned().into(),
        };
        let execution = match request.wait {
            true => outcome(&remote, workflow, before).await?,
            false => None,
        };
        Ok(TriggeredN8nWorkflow { status: answer.status, body, execution })
    }
}

/// Method and path of a webhook of an active workflow.
async fn webhook_of(remote: &Remote, id: &str, name: Option<&str>) -> Result<(String, String), Error> {
    let raw = remote.one("workflows", id, &[]).await?;
    let workflow: Workflow =
        serde_json::from_str(raw.get()).map_err(|_| Error::NotTheApi("a workflow has another shape"))?;
    let is_meant = |node: &&Node| node.kind == WEBHOOK && !node.disabled && name.is_none_or(|name| node.name == name);
    let node = workflow.nodes.iter().find(is_meant).ok_or(match name {
        Some(_) => Error::NoWebhook("enabled webhook node of this name"),
        None => Error::NoWebhook("enabled webhook node"),
    })?;
    if !workflow.active {
        return Err(Error::Inactive);
    }
    let text = |field: &str| node.parameters.get(field).and_then(Value::as_str);
    let path = text("path").unwrap_or_default();
    if path.is_empty() || path.contains(':') || path.contains("{{") {
        return Err(Error::NoWebhook("webhook with a fixed path"));
    }
    let several = node.parameters.get("httpMethod").and_then(Value::as_array).and_then(|list| list.first()?.as_str());
    Ok((text("httpMethod").or(several).unwrap_or("GET").to_owned(), path.to_owned()))
}

/// Number of the workflow's newest execution.
async fn newest(remote: &Remote, workflow: &str) -> Result<Option<u64>, Error> {
    Ok(runs(remote, workflow).await?.iter().filter_map(Run::number).max())
}

async fn runs(remote: &Remote, workflow: &str) -> Result<Vec<Run>, Error> {
    let query = [("workflowId", workflow.to_owned()), ("limit", "20".to_owned())];
    let page = remote.list("executions", &query).await?;
    let read = |raw: &RawValue| {
        serde_json::from_str(raw.get()).map_err(|_| Error::NotTheApi("an execution has another shape"))
    };
    page.data.iter().map(AsRef::as_ref).map(read).collect()
}

/// The first execution after this one, once it is over. `None`: the n8n showed none in time.
async fn outcome(remote: &Remote, workflow: &str, before: Option<u64>) -> Result<Option<Box<RawValue>>, Error> {
    let (end, mut pause) = (Instant::now() + LONGEST, FIRST_PAUSE);
    loop {
        let runs = runs(remote, workflow).await?;
        let later = runs.iter().filter_map(|run| Some((run.number()?, run)));
        let first =
            later.filter(|(number, _)| before.is_none_or(|before| *number > before)).min_by_key(|(number, _)| *number);
        if let Some((number, _)) = first.filter(|(_, run)| run.is_over()) {
            let data = [("includeData", "true".to_owned())];
            return remote.one("executions", &number.to_string(), &data).await.map(Some);
        }
        if Instant::now() + pause > end {
            return Ok(None);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
