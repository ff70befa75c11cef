//! Repeats executions: from where they failed, or from their beginning.

use std::sync::Arc;

use millrace_engine::Event;
use millrace_model::{Item, NodeIndex};

use super::attempt::Begin;
use super::error::Error;
use super::executor::{Executor, Launch};
use super::model::{Mode, Status};
use super::programs::Program;
use super::records::{self, Known};
use super::repository::Row;
use super::writer::WriteError;
use super::{pauses, redaction};
use crate::common::ExecutionId;

/// Who runs the repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// This process, at once, where it has room.
    Here,
    /// Whoever has room; there may be more of them than the plan lets run at a time. With this id, so that one that is
    /// started twice is one.
    Anybody(ExecutionId),
}

/// Goes on from the node that failed: what was done before it is not done again. With the version that ran, or with the
/// workflow as it is now.
pub(super) async fn start(
    executor: &Executor,
    row: &Row,
    load_workflow: bool,
    runner: Runner,
) -> Result<ExecutionId, Error> {
    if !matches!(row.status, Status::Error | Status::Crashed | Status::Canceled) {
        return Err(Error::WrongState(row.status, "retried"));
    }
    let (program, mut begin) = pauses::restore(executor, row).await?;
    if load_workflow {
        let now = executor.0.programs.newest(row.tenant_id, &row.workflow_id.to_string()).await?.runnable()?;
        let name = &program.workflow().node(begin.node).name;
        let node = now.workflow().find(name).ok_or_else(|| Error::UnknownTrigger(name.to_string()))?;
        let runs = records::runs_as_text(executor, row).await?;
        let known = Some(Arc::new(Known::new(now.workflow(), runs, None, Vec::new())?));
        return launch(executor, now, Begin { node, earlier: Vec::new(), known, ..begin }, row, runner).await;
    }
    if matches!(begin.earlier.last(), Some(Event::Completed(outcome)) if outcome.result.is_err()) {
        begin.earlier.pop();
    }
    launch(executor, program, begin, row, runner).await
}

async fn launch(
    executor: &Executor,
    program: Arc<Program>,
    begin: Begin,
    row: &Row,
    runner: Runner,
) -> Result<ExecutionId, Error> {
    let launch = Launch {
        program,
        mode: Mode::Retry,
        node: begin.node,
        items: Arc::clone(&begin.items),
        output: 0,
        honour_pins: begin.honour_pins,
        parent: None,
        retry_of: Some(row.id),
    };
    let id = match runner {
        Runner::Here => ExecutionId::new(),
        Runner::Anybody(id) => id,
    };
    let profile = executor.0.programs.tenants().profile(row.tenant_id).await?;
    let attempt = executor.attempt(id, launch, 0, &profile);
    let started = match runner {
        Runner::Here => executor.submit_with(attempt, begin).await,
        Runner::Anybody(_) => executor.queue_with(attempt, begin).await,
    };
    match started {
        // It was started before, and has begun.
        Err(Error::Write(WriteError::Superseded)) => Ok(id),
        started => started.map(|()| id),
    }
}

/// Runs an execution that is over once more, from the same input: with the version that ran, or with the workflow as it
/// is now.
pub(super) async fn replay(executor: &Executor, row: &Row, load_workflow: bool) -> Result<ExecutionId, Error> {
    if !row.status.is_terminal() {
        return Err(Error::WrongState(row.status, "replayed"));
    }
    let ran = executor.0.programs.version(row.tenant_id, row.workflow_id, row.version_id).await?;
    let Input { node, items, output } = input(executor, row, &ran).await?;
    let name = ran.workflow().node(node).name.clone();
    let program = match load_workflow {
        true => executor.0.programs.newest(row.tenant_id, &row.workflow_id.to_string()).await?,
        false => ran,
    };
    let program = program.runnable()?;
    let node = program.workflow().find(&name).ok_or_else(|| Error::UnknownTrigger(name.to_string()))?;
    // Nobody waits for its answer, and no error workflow is called for what calls it.
    let mode = match row.mode {
        Mode::Integrated | Mode::Error | Mode::Retry => Mode::Trigger,
        mode => mode,
    };
    let honour_pins = mode == Mode::Manual;
    let launch =
        Launch { program, mode, node, items: Arc::new(items), output, honour_pins, parent: None, retry_of: None };
    executor.submit(launch).await
}

/// What an execution began with.
struct Input {
    node: NodeIndex,
    items: Vec<Item>,
    output: usize,
}

/// What the first node put out, else what is stored to begin with. A record that hides something is of no use.
async fn input(executor: &Executor, row: &Row, program: &Program) -> Result<Input, Error> {
    let is_whole = redaction::fields(program.workflow()).is_empty();
    let record = if is_whole { records::find(executor, row).await? } else { None };
    let runs = record.into_iter().flat_map(|record| record.data.result_data.run_data);
    let mut runs = runs.flat_map(|(name, runs)| runs.into_iter().map(move |run| (name.clone(), run)));
    if let Some((name, run)) = runs.find(|(_, run)| run.execution_index == 0 && run.data.is_some()) {
        let node = program.workflow().find(&name).ok_or(Error::NoData)?;
        let outputs = run.data.unwrap_or_default().main.into_iter().enumerate();
        let filled = outputs.into_iter().find_map(|(output, items)| items.map(|items| (output, items)));
        let (output, items) = filled.ok_or(Error::NoData)?;
        return Ok(Input { node, items, output });
    }
    let (_, begin) = pauses::restore(executor, row).await?;
    Ok(Input { node: begin.node, items: begin.items.to_vec(), output: 0 })
}
