//! What the API shows of parts of an execution's data.

use millrace_model::NodeStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::page::Limit;
use crate::common::{Cursor, Timestamp};

/// The nodes that ran, in the order in which they first did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{ "node": "Webhook", "runs": [{
    "executionIndex": 0, "startedAt": "2025-01-31T08:00:00.000Z", "durationMs": 1, "status": "success", "itemsIn": 1,
    "itemsOut": [1], "error": null
}] }] }))]
pub struct ExecutionNodesResponse {
    pub data: Vec<NodeRunsResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeRunsResponse {
    pub node: String,
    /// Oldest first.
    pub runs: Vec<NodeRunResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeRunResponse {
    /// Its place in the order of all node runs.
    pub execution_index: u32,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    #[schema(value_type = String, example = "success")]
    pub status: NodeStatus,
    pub items_in: usize,
    /// Of each output.
    pub items_out: Vec<usize>,
    pub error: Option<String>,
}

/// Which items of an execution.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListItemsQuery {
    /// Which run of it, from 0 (default).
    pub run: Option<usize>,
    /// Which of its outputs, from 0 (default).
    pub output: Option<usize>,
    /// Items per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "data": [{ "json": { "name": "Ann" } }], "total": 1, "nextCursor": null }))]
pub struct ItemsPage {
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<serde_json::Value>,
    /// Of this output, on all pages.
    pub total: usize,
    pub next_cursor: Option<Cursor>,
}

/// What an execution has used.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "wallMs": 1240, "scriptMs": 3, "nodeRuns": 5, "peakItems": 100, "bytesIn": 52100, "bytesOut": 310 }))]
pub struct ExecutionUsageResponse {
    /// From its beginning to its end, pauses included.
    pub wall_ms: u64,
    /// Time of its Code nodes on a CPU.
    pub script_ms: u64,
    pub node_runs: u64,
    /// Most items that one run of a node was given or gave.
    pub peak_items: usize,
    /// Bodies of answers that it got, without those of a process that died.
    pub bytes_in: u64,
    /// Bodies of requests that it sent, without those of a process that died.
    pub bytes_out: u64,
}
