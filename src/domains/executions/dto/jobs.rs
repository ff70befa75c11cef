//! What the API takes and shows of jobs on executions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::jobs::{Action, JobStatus};
use super::super::repository::Job;
use super::ExecutionFilter;
use crate::common::{ExecutionJobId, Timestamp};

/// What to do with which executions.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "action": "retry", "filter": { "status": "error" } }))]
pub struct StartExecutionJob {
    pub action: Action,
    /// Without a state: all those that the action fits.
    #[serde(default)]
    pub filter: ExecutionFilter,
}

/// Work on many executions, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "action": "retry", "filter": { "status": "error" }, "status": "running",
    "done": 150, "failed": 1, "error": "new executions cannot be taken at the moment",
    "createdAt": "2025-01-31T08:00:00.000Z", "endedAt": null
}))]
pub struct ExecutionJobResponse {
    pub id: ExecutionJobId,
    pub action: Action,
    pub filter: ExecutionFilter,
    pub status: JobStatus,
    /// Executions with which it was done.
    pub done: i64,
    /// Executions with which it could not be done.
    pub failed: i64,
    /// Why, of the last one.
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl ExecutionJobResponse {
    pub(in super::super) fn from_row(job: Job) -> Result<ExecutionJobResponse, serde_json::Error> {
        Ok(ExecutionJobResponse {
            id: job.id,
            action: job.action,
            filter: serde_json::from_str(&job.filter)?,
            status: job.status,
            done: job.done,
            failed: job.failed,
            error: job.error,
            created_at: job.created_at,
            ended_at: job.ended_at,
        })
    }
}
