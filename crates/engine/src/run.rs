//! One run of a workflow: the loop of [`Run::next`] and [`Run::complete`]. Decides order, retries, errors and the end;
//! executes nothing.

use std::{collections::VecDeque, sync::Arc};

use millrace_expression::NodeContexts;
use millrace_model::{ErrorPolicy, ExecutionError, NodeIndex, NodeRun, NodeStatus, Object, Outputs, RunData, Workflow};

use crate::{
    Event, Facts, NodeOutcome, NodeTask, Options, Outcome, Pause, Resume, Start, Status, Step, Stop, outcome, pairing,
    pending::{Input, Waiting},
};

/// The state of a run. Its parts are readable so that expressions and nodes can be given a view of them.
#[derive(Clone, Debug)]
pub struct Run {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) data: RunData,
    pub(crate) stack: VecDeque<(NodeIndex, Input)>,
    pub(crate) waiting: Waiting,
    options: Options,
    contexts: NodeContexts,
    static_data: Object,
    phase: Phase,
    last_node: Option<NodeIndex>,
    node_runs: u32,
    /// End of the latest node, for what takes no time.
    now_ms: i64,
}

#[derive(Clone, Debug)]
enum Phase {
    Between,
    Executing(Arc<NodeTask>),
    Paused(Arc<NodeTask>, Pause),
    Over(Outcome),
}

impl Run {
    pub fn new(workflow: Arc<Workflow>, facts: Arc<Facts>, start: Start, mut options: Options) -> Run {
        let static_data = options.static_data.take().unwrap_or_else(|| workflow.static_data.clone());
        let stack = VecDeque::from([(start.node, Input::single(start.items, None))]);
        Run {
            workflow,
            facts,
            data: RunData::default(),
            stack,
            waiting: Waiting::default(),
            options,
            contexts: NodeContexts::default(),
            static_data,
            phase: Phase::Between,
            last_node: None,
            node_runs: 0,
            now_ms: start.at_ms,
        }
    }

    /// What to do next. Asking again before [`Run::complete`] gives the same answer.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: answers depend on what was completed")]
    pub fn next(&mut self) -> Step {
        loop {
            match &self.phase {
                Phase::Executing(task) => return Step::Execute(Arc::clone(task)),
                Phase::Paused(_, pause) => return Step::Wait(pause.clone()),
                Phase::Over(outcome) => return Step::Done(outcome.clone()),
                Phase::Between => match self.stack.pop_front() {
                    Some((node, input)) => self.begin(node, input),
                    None => self.end(Status::Success, None),
                },
            }
        }
    }

    /// Takes the outcome of the task given out last; ignored where there is none.
    pub fn complete(&mut self, outcome: NodeOutcome) {
        let Phase::Executing(task) = &self.phase else { return };
        let task = Arc::clone(task);
        self.phase = Phase::Between;
        let NodeOutcome { result, console, pause, memory, static_data, started_ms, duration_ms, cpu_us } = outcome;
        self.now_ms = started_ms.saturating_add_unsigned(duration_ms);
        if let Some(memory) = memory {
            self.contexts.insert(task.node, memory);
        }
        if let Some(static_data) = static_data {
            self.static_data = static_data;
        }
        let record =
            NodeRun { start_time: started_ms, execution_time: duration_ms, cpu_us, console, ..NodeRun::default() };
        match (result, pause) {
            (Ok(outputs), None) if outcome::begins_with_error(&outputs) && self.may_retry(&task) => self.retry(&task),
            (Err(error), _) if !error.permanent && self.may_retry(&task) => self.retry(&task),
            (Ok(outputs), None) => self.succeed(&task, outputs, record),
            (Ok(outputs), Some(pause)) => {
                self.record(&task, NodeRun { outputs: Some(outputs), status: NodeStatus::Waiting, ..record });
                self.phase = Phase::Paused(task, pause);
            }
            (Err(error), _) => self.fail(&task, error, record),
        }
    }

    /// Goes on after a pause; ignored where there is none.
    pub fn resume(&mut self, resume: Resume) {
        let Phase::Paused(task, _) = &self.phase else { return };
        let task = Arc::clone(task);
        self.phase = Phase::Between;
        self.now_ms = resume.at_ms;
        let mut record = self.data.of_mut(task.node).pop().unwrap_or_default();
        let outputs = resume.outputs.or_else(|| record.outputs.take()).unwrap_or_default();
        record.execution_time = u64::try_from(resume.at_ms.saturating_sub(record.start_time)).unwrap_or(0);
        self.succeed(&task, outputs, NodeRun { status: NodeStatus::Success, ..record });
    }

    /// Ends the run from outside; what has not run does not run.
    pub fn stop(&mut self, stop: Stop) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        match stop {
            Stop::Canceled => self.end(Status::Canceled, Some(canceled("The execution was cancelled manually"))),
            Stop::TimedOut => {
                self.end(Status::Canceled, Some(canceled("The execution was cancelled because it timed out")));
            }
            Stop::Failed(error) => self.end(Status::Error, Some(*error)),
        }
    }

    /// Applies what happened to an earlier run, to rebuild its state.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Completed(outcome) => {
                self.next();
                self.complete(*outcome);
            }
            Event::Resumed(resume) => self.resume(resume),
            Event::Stopped(stop) => self.stop(stop),
        }
    }

    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// Runs of all nodes so far.
    pub fn data(&self) -> &RunData {
        &self.data
    }

    /// Memory of the nodes.
    pub fn contexts(&self) -> &NodeContexts {
        &self.contexts
    }

    /// Static data of the workflow as the nodes left it.
    pub fn static_data(&self) -> &Object {
        &self.static_data
    }

    /// The node that ran last.
    pub fn last_node(&self) -> Option<NodeIndex> {
        self.last_node
    }

    pub fn status(&self) -> Status {
        match &self.phase {
            Phase::Between | Phase::Executing(_) => Status::Running,
            Phase::Paused(..) => Status::Waiting,
            Phase::Over(outcome) => outcome.status,
        }
    }

    fn begin(&mut self, node: NodeIndex, input: Input) {
        if self.node_runs >= self.options.max_node_runs {
            let message = format!("Stopped after {} node runs: the workflow seems to loop without end", self.node_runs);
            self.end(Status::Error, Some(ExecutionError::new("WorkflowOperationError", message)));
            return;
        }
        let link = |(at, items): (usize, Option<_>)| items.as_ref().map(|items| pairing::linked(items, at));
        let mut task = NodeTask {
            node,
            run_index: self.data.of(node).len(),
            execution_index: self.node_runs,
            inputs: input.items.into_iter().enumerate().map(link).collect(),
            source: input.source,
            attempt: 0,
            delay_ms: 0,
        };
        self.node_runs += 1;
        if let Some(record) = self.given(&task) {
            self.record(&task, record);
            self.follow(task.node, task.run_index);
            self.release();
            return;
        }
        if let Some(outputs) = self.outputs_without_executing(&task) {
            let record = NodeRun { start_time: self.now_ms, ..NodeRun::default() };
            self.succeed(&task, outputs, record);
            return;
        }
        if self.workflow.node(node).execute_once {
            for items in task.inputs.iter_mut().flatten().filter(|items| items.len() > 1) {
                *items = Arc::new(items.iter().take(1).cloned().collect());
            }
        }
        self.phase = Phase::Executing(Arc::new(task));
    }

    /// What the node did in an earlier run that is taken as it was.
    fn given(&self, task: &NodeTask) -> Option<NodeRun> {
        self.options.partial.as_ref()?.given.of(task.node).get(task.run_index).cloned()
    }

    /// May the node run at all, in a run that ends before its time?
    pub(crate) fn may_run(&self, node: NodeIndex) -> bool {
        self.options.partial.as_ref().is_none_or(|partial| partial.may_run(node))
    }

    /// Does the run end with this node?
    pub(crate) fn is_destination(&self, node: NodeIndex) -> bool {
        self.options.partial.as_ref().is_some_and(|partial| partial.destination == Some(node))
    }

    /// Outputs of nodes that are not executed: pinned ones, disabled ones (first input), ones without items.
    fn outputs_without_executing(&self, task: &NodeTask) -> Option<Outputs> {
        let node = self.workflow.node(task.node);
        if node.disabled {
            return Some(task.inputs.first().cloned().flatten().map(Some).into_iter().collect());
        }
        if self.options.honour_pins
            && let Some(pins) = self.workflow.pin_data.get(&node.name)
        {
            return Some(vec![Some(Arc::clone(pins))]);
        }
        let mut filled = task.inputs.iter().map(|items| items.as_ref().is_some_and(|items| !items.is_empty()));
        let has_items = if self.is_legacy() { filled.next().unwrap_or(false) } else { filled.any(|filled| filled) };
        (!has_items && !self.facts.of(task.node).begins_runs).then(Outputs::new)
    }

    fn may_retry(&self, task: &NodeTask) -> bool {
        let node = self.workflow.node(task.node);
        node.retry_on_fail && task.attempt + 1 < node.max_tries
    }

    fn retry(&mut self, task: &NodeTask) {
        let delay_ms = self.workflow.node(task.node).wait_between_tries;
        self.phase = Phase::Executing(Arc::new(NodeTask { attempt: task.attempt + 1, delay_ms, ..task.clone() }));
    }

    fn succeed(&mut self, task: &NodeTask, outputs: Outputs, record: NodeRun) {
        let workflow = Arc::clone(&self.workflow);
        let node = workflow.node(task.node);
        let Some(outputs) = outcome::of_success(node, self.facts.of(task.node), task, outputs) else { return };
        self.record(task, NodeRun { outputs: Some(outputs), ..record });
        self.follow(task.node, task.run_index);
        self.release();
    }

    fn fail(&mut self, task: &NodeTask, mut error: ExecutionError, record: NodeRun) {
        let workflow = Arc::clone(&self.workflow);
        let node = workflow.node(task.node);
        error.node.get_or_insert_with(|| node.name.clone());
        let continues = node.on_error != ErrorPolicy::Stop;
        let outputs = continues.then(|| outcome::of_failure(node, self.facts.of(task.node), task, &error));
        let error = Arc::new(error);
        let record = NodeRun { status: NodeStatus::Error, error: Some(Arc::clone(&error)), outputs, ..record };
        self.record(task, record);
        if continues {
            self.follow(task.node, task.run_index);
            self.release();
        } else {
            self.over(Status::Error, Some(error));
        }
    }

    fn record(&mut self, task: &NodeTask, record: NodeRun) {
        self.last_node = Some(task.node);
        let items_in = task.inputs.iter().flatten().map(|items| items.len()).sum();
        let record = NodeRun { execution_index: task.execution_index, source: task.source.clone(), items_in, ..record };
        self.data.of_mut(task.node).push(record);
    }

    fn end(&mut self, status: Status, error: Option<ExecutionError>) {
        self.over(status, error.map(Arc::new));
    }

    fn over(&mut self, status: Status, error: Option<Arc<ExecutionError>>) {
        self.phase = Phase::Over(Outcome { status, last_node: self.last_node, error });
    }
}

fn canceled(message: &str) -> ExecutionError {
    ExecutionError::new("ExecutionCancelledError", message)
}
