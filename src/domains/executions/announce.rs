//! Tells the bus of executions that are over, in the transaction that stores how they ended.

use serde_json::json;

use super::model::Status;
use super::repository::Row;
use crate::domains::audit::{Event, Events};
use crate::infrastructure::database::{self, Transaction};

/// Whether anybody wants to hear of an execution that is as its row says.
pub(super) fn is_awaited(events: &Events, row: &Row) -> bool {
    kind(row.status).is_some_and(|kind| events.wants(row.tenant_id, kind))
}

pub(super) async fn announce(events: &Events, transaction: &Transaction, row: &Row) -> Result<(), database::Error> {
    let Some(kind) = kind(row.status).filter(|kind| events.wants(row.tenant_id, kind)) else { return Ok(()) };
    let data = json!({
        "executionId": row.id, "workflowId": row.workflow_id, "workflowVersionId": row.version_id,
        "mode": row.mode, "status": row.status, "startedAt": row.started_at, "stoppedAt": row.stopped_at,
        "lastNodeExecuted": row.last_node, "error": row.error,
    });
    let at = row.stopped_at.unwrap_or(row.created_at);
    events.publish(transaction, &Event { tenant: row.tenant_id, kind, at, data }).await
}

const fn kind(status: Status) -> Option<&'static str> {
    match status {
        Status::Success => Some("execution.success"),
        Status::Error => Some("execution.error"),
        Status::Canceled => Some("execution.canceled"),
        Status::Crashed => Some("execution.crashed"),
        Status::New | Status::Running | Status::Waiting => None,
    }
}
