//! What the API shows of how executions went.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::names::names;
use crate::common::page::Limit;
use crate::common::{Timestamp, WorkflowId};

names! {
    /// How long a piece of time is.
    BucketSize {
        Minute = "minute",
        Hour = "hour",
        Day = "day",
    }
}

impl BucketSize {
    pub(in super::super) const fn millis(self) -> i64 {
        match self {
            BucketSize::Minute => 60_000,
            BucketSize::Hour => 3_600_000,
            BucketSize::Day => 86_400_000,
        }
    }
}

/// Which executions to count.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct StatisticsQuery {
    /// Only those of this workflow; its id or alias.
    pub workflow_id: Option<String>,
    /// Created at this time or later; a day before `to` where not given.
    pub from: Option<Timestamp>,
    /// Created before this time; now where not given.
    pub to: Option<Timestamp>,
    /// Also by pieces of time of this size (UTC), 1000 at most.
    #[param(inline)]
    pub bucket: Option<BucketSize>,
}

/// How executions went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "from": "2025-01-30T08:00:00.000Z", "to": "2025-01-31T08:00:00.000Z", "isComplete": true,
    "total": { "executions": 3, "success": 2, "error": 1, "canceled": 0, "crashed": 0, "unfinished": 0,
               "successRate": 0.6667, "durationMs": { "p50": 12, "p95": 30, "p99": 30, "max": 30 } },
    "workflows": [], "buckets": []
}))]
pub struct StatisticsResponse {
    pub from: Timestamp,
    pub to: Timestamp,
    /// `false`: there are more than 100,000; the latest are counted.
    pub is_complete: bool,
    pub total: Tally,
    pub workflows: Vec<WorkflowStatistics>,
    /// Oldest first, without those in which nothing was.
    pub buckets: Vec<BucketResponse>,
}

/// Counts, and how long it took.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub executions: u64,
    pub success: u64,
    pub error: u64,
    pub canceled: u64,
    pub crashed: u64,
    /// Queued, running, waiting.
    pub unfinished: u64,
    /// Of those that succeeded, failed or crashed. Null where there are none.
    pub success_rate: Option<f64>,
    /// Null where none has ended.
    pub duration_ms: Option<Durations>,
}

/// From the beginning to the end, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Durations {
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowStatistics {
    pub workflow_id: WorkflowId,
    #[serde(flatten)]
    pub tally: Tally,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BucketResponse {
    /// When the piece of time begins.
    pub from: Timestamp,
    #[serde(flatten)]
    pub tally: Tally,
}

/// Which executions of a workflow to look at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct WorkflowStatisticsQuery {
    /// The latest so many, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 50)]
    pub last: Option<Limit>,
}

/// How the nodes of a workflow did in its latest executions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "executions": 50, "nodes": [{
    "node": "HTTP Request", "runs": 50, "errors": 1, "durationMs": { "p50": 80, "p95": 200, "p99": 900, "max": 900 }
}] }))]
pub struct WorkflowStatisticsResponse {
    /// Executions that were looked at: the latest whose data is kept.
    pub executions: u64,
    pub nodes: Vec<NodeStatistics>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatistics {
    pub node: String,
    pub runs: u64,
    pub errors: u64,
    pub duration_ms: Option<Durations>,
}
