//! Drives a run: executes what the engine asks for, keeps to time and memory limits, and survives whatever a node does.

use std::{sync::Arc, time::Duration};

use millrace_engine::{NodeOutcome, NodeTask, Options, Outcome, Run, Start, Status, Step, Stop};
use millrace_expression::{Globals, Sandbox};
use millrace_nodes::{Behaviour, NodeHost};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Compiled, Limits, Observer, Replay, execution::Execution, guard::Guard};

/// What a run needs from its host besides the workflow.
pub struct Runner<'a> {
    pub compiled: &'a Compiled,
    pub host: &'a dyn NodeHost,
    pub globals: &'a Globals,
    pub observer: &'a dyn Observer,
    pub limits: Limits,
    pub cancel: CancellationToken,
    /// Outcomes of an earlier attempt at this run, used in place of executing.
    pub replay: Replay,
}

/// Input items from which a node is taken off the threads that serve others.
const MANY_ITEMS: usize = 2_000;

impl Runner<'_> {
    /// Runs from the start until the workflow ends or pauses.
    pub async fn run(self, start: Start, options: Options) -> Run {
        let run = Run::new(Arc::clone(self.compiled.workflow()), Arc::clone(self.compiled.facts()), start, options);
        self.drive(run).await
    }

    /// Goes on with a run that was rebuilt: after a pause, or after the process that ran it died.
    pub async fn go_on(self, run: Run) -> Run {
        self.drive(run).await
    }

    async fn drive(self, run: Run) -> Run {
        let mut drive = Drive {
            sandbox: Sandbox::new(self.limits.sandbox),
            guard: Guard::new(self.limits),
            deadline: self.limits.timeout.map(|timeout| Instant::now() + timeout),
            runner: self,
            run,
        };
        while let Step::Execute(task) = drive.run.next() {
            let seen = if !drive.is_inline(&task) {
                drive.effect(&task).await
            } else if drive.is_long(&task) {
                off_the_pool(|| drive.inline(true))
            } else {
                drive.inline(false)
            };
            if let Some((task, outcome)) = seen {
                drive.record(&task, outcome).await;
            }
        }
        drive.run
    }
}

/// A task and what became of it.
type Seen = (Arc<NodeTask>, NodeOutcome);

/// A run on its way.
struct Drive<'a> {
    runner: Runner<'a>,
    run: Run,
    sandbox: Sandbox,
    guard: Guard,
    deadline: Option<Instant>,
}

impl Drive<'_> {
    /// Executes nodes without effects until one with an effect comes (or, where short nodes are wanted, a long one).
    /// Gives the outcome of a script that had an effect all the same: it has to be recorded.
    fn inline(&mut self, long_allowed: bool) -> Option<Seen> {
        while let Step::Execute(task) = self.run.next() {
            if !self.is_inline(&task) || (!long_allowed && self.is_long(&task)) {
                return None;
            }
            if let Some(stop) = self.due_stop() {
                self.run.stop(stop);
                return None;
            }
            self.runner.observer.started(&self.run, &task);
            let outcome = match self.runner.replay.take(&task) {
                Some(outcome) => outcome,
                None => {
                    self.runner.host.begin(self.run.workflow().node(task.node));
                    let compiled = self.runner.compiled.node(task.node);
                    let mut execution = Execution::begin(&self.run, &task, self.runner.globals);
                    let mut context = execution.context(compiled, &mut self.sandbox, self.runner.host);
                    let result = crate::execution::call_inline(compiled, &mut context);
                    let outcome = execution.end(result);
                    if self.runner.observer.has_effects() {
                        return Some((task, outcome));
                    }
                    outcome
                }
            };
            self.take_in(&task, outcome);
        }
        None
    }

    /// Executes one node that reaches outside, or waits before its next try. Gives its outcome, which has to be recorded.
    async fn effect(&mut self, task: &Arc<NodeTask>) -> Option<Seen> {
        if let Some(stop) = self.due_stop() {
            self.run.stop(stop);
            return None;
        }
        self.runner.observer.started(&self.run, task);
        if let Some(outcome) = self.runner.replay.take(task) {
            self.take_in(task, outcome);
            return None;
        }
        let Runner { compiled, host, globals, cancel, .. } = &self.runner;
        let deadline = self.deadline;
        let execution = async {
            if task.delay_ms > 0 {
                host.sleep(Duration::from_millis(task.delay_ms)).await;
            }
            host.begin(self.run.workflow().node(task.node));
            let compiled = compiled.node(task.node);
            let mut execution = Execution::begin(&self.run, task, globals);
            let mut context = execution.context(compiled, &mut self.sandbox, *host);
            let result = crate::execution::call(compiled, &mut context).await;
            execution.end(result)
        };
        let timeout = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Stop::Canceled),
            () = timeout => Err(Stop::TimedOut),
            outcome = execution => Ok(outcome),
        };
        match outcome {
            Err(stop) => {
                self.run.stop(stop);
                None
            }
            Ok(outcome) => Some((Arc::clone(task), outcome)),
        }
    }

    async fn record(&mut self, task: &NodeTask, outcome: NodeOutcome) {
        match self.runner.observer.record(task, &outcome).await {
            Ok(()) => self.take_in(task, outcome),
            Err(error) => self.run.stop(Stop::Failed(Box::new(error))),
        }
    }

    fn take_in(&mut self, task: &NodeTask, outcome: NodeOutcome) {
        let exceeded = outcome.result.as_ref().ok().and_then(|outputs| self.guard.check(outputs).err());
        self.runner.observer.completing(task, &outcome);
        self.run.complete(outcome);
        self.runner.observer.finished(&self.run, task);
        if let Some(error) = exceeded {
            self.run.stop(Stop::Failed(Box::new(error)));
        }
    }

    fn is_inline(&self, task: &NodeTask) -> bool {
        let node_type = self.runner.compiled.node(task.node).node_type;
        task.delay_ms == 0 && !node_type.is_some_and(|found| matches!(found.behaviour, Behaviour::Effect(_)))
    }

    /// May the task take long: a script, an expression in JavaScript, many items?
    fn is_long(&self, task: &NodeTask) -> bool {
        let items = task.inputs.iter().flatten().map(|items| items.len()).sum::<usize>();
        items > MANY_ITEMS || self.runner.compiled.node(task.node).runs_scripts
    }

    fn due_stop(&self) -> Option<Stop> {
        if self.runner.cancel.is_cancelled() {
            return Some(Stop::Canceled);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(Stop::TimedOut)
    }
}

/// Runs what may take long so that the other tasks of this thread go on elsewhere.
pub fn off_the_pool<T>(work: impl FnOnce() -> T) -> T {
    let flavor = tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// How a run stands when it is not running any more.
pub fn outcome_of(run: &mut Run) -> Outcome {
    match run.next() {
        Step::Done(outcome) => outcome,
        Step::Wait(_) | Step::Execute(_) => {
            Outcome { status: Status::Waiting, last_node: run.last_node(), error: None }
        }
    }
}
