//! What a run has used: kept with its record, beside what its nodes did.

use std::sync::atomic::{AtomicU64, Ordering};

use millrace_engine::Run;
use millrace_nodes::Body;
use serde::{Deserialize, Serialize};

use super::dto::ExecutionUsageResponse;

/// Node types that run scripts of workflows.
const SCRIPTS: [&str; 3] = ["code", "function", "functionItem"];

/// Bytes of bodies that an execution sent and received, as far as is stored with its state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Bytes of a body.
pub(super) fn size_of(body: &Body) -> usize {
    match body {
        Body::None => 0,
        Body::Bytes(bytes) => bytes.len(),
        Body::Multipart(parts) => parts.iter().map(|(_, bytes, ..)| bytes.len()).sum(),
    }
}

/// `wall_ms`: from its beginning until now, pauses included.
pub(super) fn of(run: &Run, traffic: &Traffic, wall_ms: u64) -> ExecutionUsageResponse {
    let mut script_us = 0;
    let mut usage = ExecutionUsageResponse {
        wall_ms,
        bytes_in: traffic.received.load(Ordering::Relaxed),
        bytes_out: traffic.sent.load(Ordering::Relaxed),
        ..ExecutionUsageResponse::default()
    };
    for (node, runs) in run.data().iter() {
        let is_script = SCRIPTS.contains(&run.workflow().node(node).short_kind());
        for done in runs {
            usage.node_runs += 1;
            script_us += if is_script { done.cpu_us } else { 0 };
            usage.peak_items = usage.peak_items.max(done.items_out()).max(done.items_in);
        }
    }
    usage.script_ms = script_us / 1000;
    usage
}
