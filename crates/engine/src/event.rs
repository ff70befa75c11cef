//! What goes in and out of a [`crate::Run`]. Events are plain data: they can be journaled and replayed.

use std::sync::Arc;

use millrace_model::{ExecutionError, Items, NodeIndex, Object, Outputs, Source, Str};
use serde::{Deserialize, Serialize};

use crate::Partial;

/// What the driver has to do next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Execute this node, then call [`crate::Run::complete`].
    Execute(Arc<NodeTask>),
    /// Nothing to do until the time comes or somebody calls; then call [`crate::Run::resume`].
    Wait(Pause),
    /// The run is over.
    Done(Outcome),
}

/// One execution of one node.
#[derive(Clone, Debug)]
pub struct NodeTask {
    pub node: NodeIndex,
    /// How often the node ran before in this run.
    pub run_index: usize,
    /// Place in the order of all node runs.
    pub execution_index: u32,
    /// Items of each input, linked by `pairedItem` to their place in it.
    pub inputs: Vec<Option<Items>>,
    pub source: Vec<Option<Source>>,
    /// 0 for the first try.
    pub attempt: u32,
    /// Pause to make before executing (between tries), in milliseconds.
    pub delay_ms: u64,
}

/// What became of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeOutcome {
    /// Items for each output. No outputs at all: the node had nothing to do and its branch ends without a record.
    pub result: Result<Outputs, ExecutionError>,
    /// Lines its script logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub console: Vec<String>,
    /// The run pauses here and goes on later with the outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The node's memory, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Object>,
    /// The workflow's static data, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_data: Option<Object>,
    /// Milliseconds since the epoch.
    pub started_ms: i64,
    pub duration_ms: u64,
    /// Microseconds that its script took on a CPU.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cpu_us: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(cpu_us: &u64) -> bool {
    *cpu_us == 0
}

impl NodeOutcome {
    pub fn success(outputs: Outputs) -> NodeOutcome {
        NodeOutcome::new(Ok(outputs))
    }

    pub fn failure(error: ExecutionError) -> NodeOutcome {
        NodeOutcome::new(Err(error))
    }

    fn new(result: Result<Outputs, ExecutionError>) -> NodeOutcome {
        let (console, pause, memory, static_data) = (Vec::new(), None, None, None);
        NodeOutcome { result, console, pause, memory, static_data, started_ms: 0, duration_ms: 0, cpu_us: 0 }
    }
}

/// A pause of the run at a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Goes on by itself at this time (milliseconds since the epoch); `None`: only when called.
    pub until: Option<i64>,
    /// How it is called: `webhook` or `form`.
    pub resume: Option<Str>,
    /// What whoever opens its address is shown, as the node says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Object>,
}

/// The end of a pause.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Items of the caller, in place of the outputs the node paused with.
    pub outputs: Option<Outputs>,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

/// Why a run ends before its nodes do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Stop {
    /// Somebody asked.
    Canceled,
    /// The time allowed for the execution is over.
    TimedOut,
    /// A limit of the host, such as memory.
    Failed(Box<ExecutionError>),
}

/// Everything that happens to a run, in order; applied to a fresh run it rebuilds the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    Completed(Box<NodeOutcome>),
    Resumed(Resume),
    Stopped(Stop),
}

/// Where a run begins.
#[derive(Clone, Debug)]
pub struct Start {
    pub node: NodeIndex,
    pub items: Items,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Pinned nodes are not executed: they put out their pins.
    pub honour_pins: bool,
    /// Node runs after which the run fails as endless.
    pub max_node_runs: u32,
    /// Static data the workflow has now; `None`: as in its document.
    pub static_data: Option<Object>,
    /// What is known already, and where the run ends before its time.
    pub partial: Option<Arc<Partial>>,
}

impl Default for Options {
    fn default() -> Options {
        Options { honour_pins: false, max_node_runs: 100_000, static_data: None, partial: None }
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub status: Status,
    pub last_node: Option<NodeIndex>,
    pub error: Option<Arc<ExecutionError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Running,
    Success,
    Error,
    Waiting,
    Canceled,
}

impl Status {
    /// As documents and the API name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Success => "success",
            Status::Error => "error",
            Status::Waiting => "waiting",
            Status::Canceled => "canceled",
        }
    }
}
