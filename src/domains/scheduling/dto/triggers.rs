//! What the API shows of triggers that listen.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::repository::triggers::Trigger;
use super::super::triggers::Kind;
use crate::common::names::names;
use crate::common::page::Limit;
use crate::common::{Cursor, Timestamp, TriggerId, WorkflowId};

names! {
    /// How a trigger stands.
    TriggerState {
        /// Its workflow is not active.
        Dormant = "dormant",
        /// Nobody listens yet, or any more: a process takes it within seconds.
        Free = "free",
        /// It listens.
        Listening = "listening",
        /// It cannot listen; `error` says why, and it is tried again.
        Failing = "failing",
    }
}

/// Filters of the list of triggers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListTriggersQuery {
    /// Only triggers of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// A node that listens while its workflow is active.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "node": "Queue Trigger", "kind": "redisQueue", "state": "listening", "failures": 0, "error": null,
    "lastBeganAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct TriggerResponse {
    pub id: TriggerId,
    pub workflow_id: WorkflowId,
    /// The node's name.
    pub node: String,
    pub kind: Kind,
    pub state: TriggerState,
    /// In a row.
    pub failures: i32,
    /// Why it cannot listen.
    pub error: Option<String>,
    /// When it began an execution last.
    pub last_began_at: Option<Timestamp>,
}

impl TriggerResponse {
    pub(in super::super) fn new(row: Trigger, now: Timestamp) -> TriggerResponse {
        let is_held = row.lease_until > now;
        let state = match (row.version_id.is_some(), row.failures > 0, is_held) {
            (false, _, _) => TriggerState::Dormant,
            (true, true, _) => TriggerState::Failing,
            (true, false, true) => TriggerState::Listening,
            (true, false, false) => TriggerState::Free,
        };
        TriggerResponse {
            id: row.id,
            workflow_id: row.workflow_id,
            node: row.node,
            kind: row.kind,
            state,
            failures: row.failures,
            error: row.error,
            last_began_at: row.last_began_at,
        }
    }
}
