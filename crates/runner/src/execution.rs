//! One execution of one node: the view it gets, the call, and what is made of its result.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use millrace_engine::{NodeOutcome, NodeTask, Pause, Run};
use millrace_expression::{Globals, Sandbox};
use millrace_model::{ExecutionError, Object};
use millrace_nodes::{Behaviour, NodeContext, NodeHost, NodeResult, Output};
use rustix::time::{ClockId, clock_gettime};

use crate::CompiledNode;

pub(crate) struct Execution<'a> {
    run: &'a Run,
    task: &'a NodeTask,
    globals: &'a Globals,
    memory: Object,
    static_data: Object,
    started_ms: i64,
    started: Instant,
    /// When its script began, by the CPU clock of this thread. A script stays on its thread.
    began: Option<Duration>,
}

impl<'a> Execution<'a> {
    pub(crate) fn begin(run: &'a Run, task: &'a NodeTask, globals: &'a Globals) -> Execution<'a> {
        Execution {
            run,
            task,
            globals,
            memory: run.contexts().get(&task.node).cloned().unwrap_or_default(),
            static_data: run.static_data().clone(),
            started_ms: globals.clock.now_ms(),
            started: Instant::now(),
            began: None,
        }
    }

    pub(crate) fn context<'c>(
        &'c mut self,
        compiled: &'c CompiledNode,
        sandbox: &'c mut Sandbox,
        host: &'c dyn NodeHost,
    ) -> NodeContext<'c> {
        let behaviour = compiled.node_type.map(|node_type| &node_type.behaviour);
        self.began = matches!(behaviour, Some(Behaviour::Script(_))).then(thread_time);
        NodeContext {
            workflow: self.run.workflow(),
            run_data: self.run.data(),
            index: self.task.node,
            inputs: &self.task.inputs,
            source: &self.task.source,
            run_index: self.task.run_index,
            parameters: &compiled.parameters,
            contexts: self.run.contexts(),
            memory: &mut self.memory,
            static_data: &mut self.static_data,
            globals: self.globals,
            sandbox,
            host,
        }
    }

    /// Time is measured by the real clock, and by the clock of the run where that one was moved.
    pub(crate) fn end(self, result: NodeResult) -> NodeOutcome {
        let moved_ms = u64::try_from(self.globals.clock.now_ms().saturating_sub(self.started_ms)).unwrap_or(0);
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (result, console, wait) = match result {
            Ok(Output { outputs, console, wait }) => (Ok(outputs), console, wait),
            Err(error) => (Err(error), Vec::new(), None),
        };
        let is_new = |memory: &Object| match self.run.contexts().get(&self.task.node) {
            Some(old) => !memory.same(old),
            None => !memory.is_empty(),
        };
        NodeOutcome {
            result,
            console,
            pause: wait.map(|wait| Pause { until: wait.until, resume: wait.resume, shows: wait.shows }),
            static_data: (!self.static_data.same(self.run.static_data())).then_some(self.static_data),
            memory: Some(self.memory).filter(is_new),
            started_ms: self.started_ms,
            duration_ms: elapsed_ms.max(moved_ms),
            cpu_us: self
                .began
                .map_or(0, |began| u64::try_from(thread_time().saturating_sub(began).as_micros()).unwrap_or(u64::MAX)),
        }
    }
}

/// How long this thread has been on a CPU.
fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Calls a node that has no effect; a panic in it becomes its error.
pub(crate) fn call_inline(compiled: &CompiledNode, context: &mut NodeContext<'_>) -> NodeResult {
    match compiled.node_type.map(|node_type| &node_type.behaviour) {
        Some(Behaviour::Pure(execute) | Behaviour::Script(execute)) => {
            std::panic::catch_unwind(AssertUnwindSafe(|| execute(context))).unwrap_or_else(panicked)
        }
        _ => Err(unknown_type(context)),
    }
}

/// Calls a node of any behaviour; a panic in it becomes its error.
pub(crate) async fn call(compiled: &CompiledNode, context: &mut NodeContext<'_>) -> NodeResult {
    match compiled.node_type.map(|node_type| &node_type.behaviour) {
        Some(Behaviour::Effect(execute)) => {
            AssertUnwindSafe(execute(context)).catch_unwind().await.unwrap_or_else(panicked)
        }
        _ => call_inline(compiled, context),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the payload of a panic is handed over by value")]
fn panicked(payload: Box<dyn std::any::Any + Send>) -> NodeResult {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let reason = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(%reason, "a node panicked");
    let mut error = ExecutionError::operation("The node failed because of a defect in it").describe(reason);
    error.permanent = true;
    Err(error)
}

fn unknown_type(context: &NodeContext<'_>) -> ExecutionError {
    let message = format!("Unrecognized node type: {}", context.node().kind);
    let mut error = ExecutionError::new("WorkflowOperationError", message);
    error.permanent = true;
    error
}
