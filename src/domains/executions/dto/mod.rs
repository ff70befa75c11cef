//! What the API takes and shows of executions: n8n's shapes, with a few fields more.

mod filter;
mod jobs;
mod labels;
mod pools;
mod reading;
mod repeating;
mod statistics;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

pub(super) use self::filter::{ExecutionFilter, MetadataFilter};
pub(super) use self::jobs::{ExecutionJobResponse, StartExecutionJob};
pub(super) use self::labels::{AnnotateExecution, AnnotationResponse};
pub(super) use self::pools::{PoolResponse, PoolsResponse};
pub(super) use self::reading::{
    ExecutionNodesResponse, ExecutionUsageResponse, ItemsPage, ListItemsQuery, NodeRunResponse, NodeRunsResponse,
};
pub(super) use self::repeating::{RepeatExecution, ResumeExecution, RunWorkflow};
pub(super) use self::statistics::{
    BucketResponse, BucketSize, Durations, NodeStatistics, StatisticsQuery, StatisticsResponse, Tally,
    WorkflowStatistics, WorkflowStatisticsQuery, WorkflowStatisticsResponse,
};
use super::error::UNREADABLE;
use super::model::{Mode, Status};
use super::repository::Row;
use crate::common::names::names;
use crate::common::page::Limit;
use crate::common::{Cursor, ExecutionId, Timestamp, WorkerId, WorkflowId, WorkflowVersionId};

/// Filters of the list of executions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListExecutionsQuery {
    /// Only executions in this state.
    pub status: Option<Status>,
    /// Only executions of this workflow; its id or alias.
    pub workflow_id: Option<String>,
    /// Only executions that began so.
    pub mode: Option<Mode>,
    /// Only executions that bear this tag.
    pub tag: Option<String>,
    /// Only executions whose workflow set this name to this value: `customer:42`.
    #[param(value_type = Option<String>)]
    pub metadata: Option<MetadataFilter>,
    /// Only executions created at this time or later.
    pub created_after: Option<Timestamp>,
    /// Only executions created before this time.
    pub created_before: Option<Timestamp>,
    /// Give the data of each execution, too. A page ends early once it has 16 MiB of it; `nextCursor` goes on from there.
    #[serde(default)]
    pub include_data: bool,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// Query of one execution.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct GetExecutionQuery {
    /// Give what each node did, and the workflow as it was.
    #[serde(default)]
    pub include_data: bool,
}

/// One run of a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "finished": true, "mode": "webhook", "status": "success",
    "createdAt": "2025-01-31T08:00:00.000Z", "startedAt": "2025-01-31T08:00:00.000Z",
    "stoppedAt": "2025-01-31T08:00:00.012Z", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "workflowVersionId": "01890a5d-ac96-774b-bcce-b302099a8059", "waitTill": null, "retryOf": null,
    "retrySuccessId": null, "parentExecutionId": null, "lastNodeExecuted": "Answer", "error": null,
    "workerPool": "default"
}))]
pub struct ExecutionResponse {
    pub id: ExecutionId,
    /// Ended with success.
    pub finished: bool,
    pub mode: Mode,
    pub status: Status,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    pub workflow_id: WorkflowId,
    /// The version that ran.
    pub workflow_version_id: WorkflowVersionId,
    /// When it goes on by itself, while it waits.
    pub wait_till: Option<Timestamp>,
    /// The execution this one repeats.
    pub retry_of: Option<ExecutionId>,
    /// The repetition that succeeded.
    pub retry_success_id: Option<ExecutionId>,
    /// The execution whose workflow called this one.
    pub parent_execution_id: Option<ExecutionId>,
    pub last_node_executed: Option<String>,
    /// Why it failed, in a sentence; `data.resultData.error` has the whole of it.
    pub error: Option<String>,
    /// `execution_unreadable`: this version of the server cannot read all of it, so its state, mode or data is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'static str>,
    /// The pool whose workers run it.
    pub worker_pool: String,
    /// While it is queued: whether a worker of its pool is alive. Without one it waits until there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_worker: Option<bool>,
    /// What people wrote on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<AnnotationResponse>,
    /// What the workflow wrote on it (`$execution.customData`).
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: IndexMap<String, String>,
    /// With `includeData`: `data` (what each node did: `resultData.runData`, `lastNodeExecuted`, `error`; of each run of a
    /// node its start, duration, status, source, items in and out, data and error),
    /// `workflowData` (the workflow as it was) and `customData`.
    #[serde(flatten)]
    #[schema(ignore)]
    pub details: IndexMap<String, Box<RawValue>>,
}

/// Starts an execution.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "inputData": { "name": "Ann" }, "wait": true }))]
pub struct TriggerWorkflow {
    /// What happened. Where a trigger node bears this name the execution begins there, else at the workflow's first
    /// trigger, which finds the name in `triggerEvent`.
    #[validate(length(max = 255))]
    pub trigger_event: Option<String>,
    /// One item, or a list of them. A webhook node finds it as the request's body.
    #[schema(value_type = Object)]
    pub input_data: Option<millrace_model::Value>,
    /// Answer when the execution is over, with its data.
    #[serde(default)]
    pub wait: bool,
    /// `trigger` (default): as in production. `manual`: to try the newest version out; pinned data counts, and a failure
    /// starts no error workflow.
    #[serde(default)]
    pub mode: TriggerMode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerMode {
    #[default]
    Trigger,
    Manual,
}

/// Query of somebody who watches an execution.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct WatchExecutionQuery {
    /// The last event seen, for callers that can set no header.
    pub last_event_id: Option<String>,
}

/// Query of somebody who follows a tenant's events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct FollowEventsQuery {
    /// The last event seen, for callers that can set no header.
    pub last_event_id: Option<String>,
    /// Only events of these types, separated by commas.
    #[param(example = "execution.failed,execution.crashed")]
    pub types: Option<String>,
}

/// Something that happened in the tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "id": "0-17", "type": "execution.failed", "at": "2025-01-31T08:00:00.012Z",
    "data": { "id": "01890a5d-ac96-774b-bcce-b302099a8057", "status": "error", "mode": "webhook" } }))]
pub struct EventResponse {
    /// Its place among the events.
    pub id: String,
    /// What it is about, and what became of it.
    #[serde(rename = "type")]
    pub kind: String,
    pub at: Timestamp,
    /// Of `execution.*`: the execution.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

/// Events, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "data": [{ "id": "0-17", "type": "execution.failed", "at": "2025-01-31T08:00:00.012Z",
    "data": { "id": "01890a5d-ac96-774b-bcce-b302099a8057", "status": "error" } }], "lastEventId": "0-17" }))]
pub struct EventsPage {
    pub data: Vec<EventResponse>,
    /// Give it back to read on.
    pub last_event_id: String,
}

/// What happened to an execution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "data": [
    { "at": "2025-01-31T08:00:00.000Z", "type": "created" },
    { "at": "2025-01-31T08:00:00.001Z", "type": "started" },
    { "at": "2025-01-31T08:00:00.002Z", "type": "node", "node": "Webhook", "executionIndex": 0, "itemsIn": 1, "itemsOut": 1,
      "durationMs": 0, "status": "success" },
    { "at": "2025-01-31T08:00:31.000Z", "type": "died", "attempt": 1, "worker": "01890a5d-ac96-774b-bcce-b302099a8060" },
    { "at": "2025-01-31T08:00:31.500Z", "type": "ended", "status": "success" }
] }))]
pub struct TimelineResponse {
    /// Oldest first.
    pub data: Vec<TimelineEvent>,
}

/// One thing that happened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEvent {
    /// When it happened, or began.
    pub at: Timestamp,
    #[serde(rename = "type")]
    pub kind: TimelineKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its place in the order of all node runs, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_in: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_out: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Which try of a process it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// The process that had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
}

names! {
    /// What happened.
    TimelineKind {
        Created = "created",
        Started = "started",
        /// A node begins; told while somebody watches, not kept.
        NodeStarted = "node-started",
        /// A node ran.
        Node = "node",
        /// The process that ran it died, or was not heard of for too long.
        Died = "died",
        /// The process that ran it was shut down and handed it on.
        HandedOn = "handed-on",
        /// It waits, and goes on by itself at this time.
        Resumes = "resumes",
        Ended = "ended",
    }
}

impl TimelineEvent {
    pub(super) fn at(at: Timestamp, kind: TimelineKind) -> TimelineEvent {
        TimelineEvent {
            at,
            kind,
            node: None,
            execution_index: None,
            items_in: None,
            items_out: None,
            duration_ms: None,
            status: None,
            error: None,
            attempt: None,
            worker: None,
        }
    }
}

impl ExecutionResponse {
    pub(super) fn from_row(row: Row) -> ExecutionResponse {
        let is_unreadable = row.status == Status::Unknown || row.mode == Mode::Unknown;
        ExecutionResponse {
            error_code: is_unreadable.then_some(UNREADABLE.code),
            id: row.id,
            finished: row.status.is_success(),
            mode: row.mode,
            status: row.status,
            created_at: row.created_at,
            started_at: row.started_at,
            stopped_at: row.stopped_at,
            workflow_id: row.workflow_id,
            workflow_version_id: row.version_id,
            wait_till: row.wait_until,
            retry_of: row.retry_of,
            retry_success_id: row.retry_success_id,
            parent_execution_id: row.parent_id,
            last_node_executed: row.last_node,
            error: row.error,
            worker_pool: row.pool,
            has_worker: None,
            annotation: None,
            metadata: IndexMap::new(),
            details: IndexMap::new(),
        }
    }
}
