//! Repeats executions that did not succeed.

use std::sync::Arc;

use millrace_engine::Event;

use super::attempt::{Attempt, Begin};
use super::error::Error;
use super::executor::{Executor, Launch};
use super::model::{Mode, Status};
use super::pauses;
use super::repository::Row;
use crate::common::ExecutionId;

/// Starts the repetition: with the version that ran, from the node that failed (what was done before it is not done
/// again); or with the workflow as it is now, from the beginning.
pub(super) async fn start(executor: &Executor, row: &Row, load_workflow: bool) -> Result<ExecutionId, Error> {
    if !matches!(row.status, Status::Error | Status::Crashed | Status::Canceled) {
        return Err(Error::WrongState(row.status, "retried"));
    }
    let (program, mut begin) = pauses::restore(executor, row).await?;
    if load_workflow {
        let now = executor.0.programs.newest(row.tenant_id, &row.workflow_id.to_string()).await?.runnable()?;
        let name = &program.workflow().node(begin.node).name;
        let node = now.workflow().find(name).ok_or_else(|| Error::UnknownTrigger(name.to_string()))?;
        return executor.submit(launch(now, Begin { node, ..begin }, row)).await;
    }
    if matches!(begin.earlier.last(), Some(Event::Completed(outcome)) if outcome.result.is_err()) {
        begin.earlier.pop();
    }
    let id = ExecutionId::new();
    let attempt = executor.attempt(id, launch(program, begin.clone(), row), 0);
    let attempt = Attempt::new(attempt.row.clone(), Arc::clone(&attempt.program), begin, 0);
    match executor.0.runs {
        true => executor.begin(attempt, None).await?,
        false => executor.queue(attempt, None).await?,
    }
    Ok(id)
}

fn launch(program: Arc<super::programs::Program>, begin: Begin, row: &Row) -> Launch {
    Launch {
        program,
        mode: Mode::Retry,
        node: begin.node,
        items: begin.items,
        output: 0,
        honour_pins: begin.honour_pins,
        parent: None,
        retry_of: Some(row.id),
    }
}
