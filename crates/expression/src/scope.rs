//! What an expression may read. Everything is borrowed from the run for one evaluation.

use std::sync::Arc;

use millrace_model::{Items, NodeIndex, Object, RunData, Source, Str, Workflow};
use rustc_hash::FxHashMap;

/// Memory of nodes within a run (`$('Loop').context`, `$node["Loop"].context`).
pub type NodeContexts = FxHashMap<NodeIndex, Object>;

/// The view of a run from one item of one node.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub workflow: &'a Workflow,
    pub run_data: &'a RunData,
    /// The node whose parameter is evaluated.
    pub node: NodeIndex,
    /// Items of the node's inputs; input 0 is what `$json`, `$input` and `items` read.
    pub inputs: &'a [Option<Items>],
    /// Where each input came from.
    pub source: &'a [Option<Source>],
    pub run_index: usize,
    pub item_index: usize,
    pub contexts: &'a NodeContexts,
    pub globals: &'a Globals,
}

/// What is the same for every expression of a run.
#[derive(Clone, Debug)]
pub struct Globals {
    pub execution_id: Str,
    /// `manual`, `trigger`, `webhook`, `integrated`, `cli`, …; `$execution.mode` is `test` for manual, else `production`.
    pub mode: Str,
    /// URL that resumes a waiting run (`$execution.resumeUrl`).
    pub resume_url: Str,
    pub resume_form_url: Str,
    /// IANA zone of workflows that name none.
    pub timezone: Str,
    /// Values of `$env`: only what the operator allows.
    pub env: Arc<Object>,
    /// Values of `$vars`.
    pub vars: Arc<Object>,
    /// Values of `$secrets`, by provider.
    pub secrets: Arc<Object>,
    /// Custom data of the execution (`$execution.customData`), written by Code nodes.
    pub custom_data: Arc<std::sync::Mutex<Object>>,
    pub clock: Clock,
}

/// The time a run sees.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The wall clock.
    System,
    /// A clock that stands still, in milliseconds since the epoch, until it is moved.
    Frozen(Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        match self {
            Clock::System => jiff::Timestamp::now().as_millisecond(),
            Clock::Frozen(at) => at.load(std::sync::atomic::Ordering::Relaxed),
        }
    }
}
