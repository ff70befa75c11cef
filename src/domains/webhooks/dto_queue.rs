//! What the API takes and shows of queued webhooks and of test calls.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::queue::Status;
use super::repository::queue::Queued;
use crate::common::page::Limit;
use crate::common::{Cursor, ExecutionId, QueuedWebhookId, Timestamp, WorkflowId};

/// What became of a webhook that came in for the queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "status": "queued", "ids": ["01890a5d-ac96-774b-bcce-b302099a8057"], "duplicate": false
}))]
pub(super) struct QueuedResponse {
    /// Always `queued`: it is stored, and its workflow will run.
    pub status: &'static str,
    /// One for each workflow that it was queued for.
    pub ids: Vec<QueuedWebhookId>,
    /// The same delivery was queued before; nothing was added.
    pub duplicate: bool,
}

/// An event for every active workflow that wants it.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "event": "lead_created", "data": { "leadId": 123, "score": 85 } }))]
#[expect(dead_code, reason = "describes a body that is read as it came: its signature covers the bytes")]
pub(super) struct GenericWebhook {
    /// One of the `triggerEvents` of a workflow's document.
    pub event: String,
    /// The item that the workflow begins with.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// The receivers of webhooks answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "status": "ok", "time": "2025-01-31T08:00:00.000Z" }))]
pub(super) struct ReceiverTestResponse {
    pub status: &'static str,
    /// The server's time, by which signatures are dated.
    pub time: Timestamp,
}

/// How many webhooks the queue holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "queued": 2, "processing": 1, "completed": 1000, "failed": 3, "oldestQueuedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct QueueStatusResponse {
    pub queued: i64,
    pub processing: i64,
    pub completed: i64,
    /// Dead letters.
    pub failed: i64,
    pub oldest_queued_at: Option<Timestamp>,
}

/// Filters of the queue.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListQueuedWebhooksQuery {
    /// Only webhooks in this state.
    pub status: Option<Status>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// What to delete from the queue.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct PurgeQueueQuery {
    /// `completed` (default) or `failed`, the dead letters.
    #[serde(default)]
    #[param(inline)]
    pub status: Purged,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purged {
    #[default]
    Completed,
    Failed,
}

/// How many webhooks were deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "deleted": 3 }))]
pub struct PurgedResponse {
    pub deleted: u64,
}

/// A queued webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "event": "lead_created", "payload": { "leadId": 123 }, "status": "failed", "attempts": 4, "nextRetryAt": null,
    "executionId": "01890a5d-ac96-774b-bcce-b302099a8059", "error": "no credit left",
    "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:07:00.000Z"
}))]
pub struct QueuedWebhookResponse {
    pub id: QueuedWebhookId,
    pub workflow_id: WorkflowId,
    pub event: Option<String>,
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    pub status: Status,
    /// Tries so far.
    pub attempts: i32,
    pub next_retry_at: Option<Timestamp>,
    /// Of the last try.
    pub execution_id: Option<ExecutionId>,
    /// Why the last try failed.
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<Queued> for QueuedWebhookResponse {
    fn from(row: Queued) -> QueuedWebhookResponse {
        QueuedWebhookResponse {
            id: row.id,
            workflow_id: row.workflow_id,
            event: row.event,
            payload: serde_json::from_str(&row.payload).unwrap_or_default(),
            status: row.status,
            attempts: row.attempts,
            next_retry_at: row.due_at.filter(|_| row.status == Status::Queued),
            execution_id: row.execution_id,
            error: row.error,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// How long to listen.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListenQuery {
    /// Seconds to wait for the call, 1–600.
    #[serde(default)]
    #[param(value_type = u64, minimum = 1, maximum = 600, default = 120, example = 60)]
    pub seconds: ListenSeconds,
}

/// 1–600, 120 when not given (as long as n8n's editor waits).
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenSeconds(pub u64);

impl Default for ListenSeconds {
    fn default() -> ListenSeconds {
        ListenSeconds(120)
    }
}

impl<'de> Deserialize<'de> for ListenSeconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ListenSeconds, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        if (1..=600).contains(&seconds) {
            Ok(ListenSeconds(seconds))
        } else {
            Err(serde::de::Error::custom("must be between 1 and 600"))
        }
    }
}
