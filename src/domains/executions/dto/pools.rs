//! What the API shows of pools of workers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::Timestamp;

/// Pools of workers that the tenant may use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "data": [
    { "name": "default", "workers": 2, "slots": 400, "queued": 0, "oldestQueuedAt": null },
    { "name": "gpu", "workers": 0, "slots": 0, "queued": 3, "oldestQueuedAt": "2025-01-31T08:00:00.000Z" }
] }))]
pub struct PoolsResponse {
    pub data: Vec<PoolResponse>,
}

/// A pool of workers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolResponse {
    pub name: String,
    /// Processes that work for it now. Without any, what is queued waits.
    pub workers: i64,
    /// Executions that they run at the same time, of all tenants.
    pub slots: i64,
    /// Executions of this tenant that wait for it.
    pub queued: i64,
    /// When the oldest of them was created.
    pub oldest_queued_at: Option<Timestamp>,
}
