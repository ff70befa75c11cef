//! Executions as callers see them: read, start, stop, repeat, delete.

use std::sync::Arc;

use millrace_model::Items;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::dto::{ExecutionResponse, TimelineResponse, TriggerMode, TriggerWorkflow};
use super::error::Error;
use super::executor::{Executor, Launch};
use super::input;
use super::listing::Details;
use super::model::{Interest, Mode, Status};
use super::pauses::{self, Waiting};
use super::repository::{self as rows, Row};
use super::{stopping, timeline};
use crate::common::{Ctx, ExecutionId, TenantId, WorkflowId};
use crate::domains::audit::{self, Change};
use crate::domains::workflows;
use crate::infrastructure::database::Database;

/// The executions of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) audit: audit::Service,
    pub(super) workflows: workflows::Service,
    executor: Executor,
}

/// What a trigger has started.
#[derive(Debug)]
pub enum Triggered {
    /// It runs, or soon will.
    Accepted(ExecutionResponse),
    /// It is over.
    Ended(ExecutionResponse),
}

/// What became of an execution that somebody wants to go on.
#[derive(Debug)]
pub enum Resumed {
    Waiting(Box<Waiting>),
    Running,
    Over,
    Unknown,
}

impl Service {
    pub fn new(
        database: Database,
        audit: audit::Service,
        workflows: workflows::Service,
        executor: Executor,
    ) -> Service {
        Service { database, audit, workflows, executor }
    }

    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    pub async fn get(&self, ctx: &Ctx, id: ExecutionId, include_data: bool) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        self.response(ctx, row, include_data).await
    }

    /// What happened to an execution so far, oldest first.
    pub async fn timeline(&self, ctx: &Ctx, id: ExecutionId) -> Result<TimelineResponse, Error> {
        let row = self.row(ctx, id).await?;
        Ok(TimelineResponse { data: timeline::of(&self.executor, row).await? })
    }

    /// Deletes an execution that is not running; gives what it was.
    pub async fn delete(&self, ctx: &Ctx, id: ExecutionId) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        let response = ExecutionResponse::from_row(row.clone());
        if response.status == Status::Running {
            return Err(Error::WrongState(Status::Running, "deleted: stop it first"));
        }
        let transaction = self.database.begin(ctx).await?;
        if !rows::delete(&transaction, ctx.tenant, id).await? {
            // It began, or somebody else deleted it, since it was read.
            let now = rows::find(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
            return Err(Error::WrongState(now.status, "deleted: stop it first"));
        }
        self.audit.record(&transaction, ctx, Change::new("execution.delete", id).before(&response)).await?;
        transaction.commit().await?;
        stopping::deleted(&self.executor, &row).await;
        Ok(response)
    }

    /// Starts a workflow; with `wait`, answers when it is over or the longest wait is.
    pub async fn trigger(&self, ctx: &Ctx, reference: &str, request: TriggerWorkflow) -> Result<Triggered, Error> {
        let programs = &self.executor.0.programs;
        let (program, mode) = match request.mode {
            TriggerMode::Trigger => (programs.production(ctx.tenant, reference).await?, Mode::Trigger),
            TriggerMode::Manual => (programs.newest(ctx.tenant, reference).await?, Mode::Manual),
        };
        let program = program.runnable()?;
        let start = input::start(&program, request.trigger_event.as_deref(), request.input_data)?;
        let launch = Launch {
            program,
            mode,
            node: start.node,
            items: Arc::new(start.items),
            output: 0,
            honour_pins: mode == Mode::Manual,
            parent: None,
            retry_of: None,
        };
        self.launch(ctx, launch, request.wait).await
    }

    /// Stops an execution: one that has not begun or waits at once, one that runs as soon as its node lets go.
    pub async fn stop(&self, ctx: &Ctx, id: ExecutionId) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        stopping::stop(&self.executor, &row).await?;
        self.record(ctx, Change::new("execution.stop", id)).await?;
        Ok(ExecutionResponse::from_row(self.row(ctx, id).await?))
    }

    /// Whether an execution waits for a call. Its id is the caller's ticket: nobody can guess one.
    pub async fn waiting(&self, tenant: TenantId, id: ExecutionId) -> Result<Resumed, Error> {
        let Some(row) = rows::find(&self.database.read(tenant), tenant, id).await? else {
            return Ok(Resumed::Unknown);
        };
        Ok(match row.status {
            Status::Waiting if row.waits_for.is_none() => {
                Resumed::Waiting(Box::new(pauses::find(&self.executor, &row).await?))
            }
            status if status.is_terminal() => Resumed::Over,
            _ => Resumed::Running,
        })
    }

    /// Goes on with a waiting execution. `None`: somebody else was faster.
    /// `items`: what the caller brought; without, those the node paused with.
    pub async fn resume(
        &self,
        waiting: &Waiting,
        items: Option<Items>,
    ) -> Result<Option<oneshot::Receiver<Answer>>, Error> {
        pauses::resume(&self.executor, waiting, items).await
    }

    /// Is an execution over, and well?
    pub async fn succeeded(&self, tenant: TenantId, id: ExecutionId) -> Result<bool, Error> {
        let row = rows::find(&self.database.read(tenant), tenant, id).await?;
        Ok(row.is_some_and(|row| row.status.is_success()))
    }

    async fn launch(&self, ctx: &Ctx, launch: Launch, wait: bool) -> Result<Triggered, Error> {
        let workflow = launch.program.workflow;
        if !wait {
            let id = self.executor.submit(launch).await?;
            self.record_trigger(ctx, workflow, id).await?;
            return Ok(Triggered::Accepted(ExecutionResponse::from_row(self.row(ctx, id).await?)));
        }
        let (id, answer) = self.executor.call(launch, Interest::End).await?;
        self.record_trigger(ctx, workflow, id).await?;
        self.triggered(ctx, id, Some(answer)).await
    }

    /// What became of an execution that was started; waits for its end where an answer is given.
    pub(super) async fn triggered(
        &self,
        ctx: &Ctx,
        id: ExecutionId,
        answer: Option<oneshot::Receiver<Answer>>,
    ) -> Result<Triggered, Error> {
        let Some(answer) = answer else {
            return Ok(Triggered::Accepted(ExecutionResponse::from_row(self.row(ctx, id).await?)));
        };
        match self.executor.answer((ctx.tenant, id), answer, None).await? {
            Some(Answer::Ended(ended)) if ended.is_kept => {
                Ok(Triggered::Ended(self.response(ctx, ended.row, true).await?))
            }
            Some(Answer::Ended(ended)) => Ok(Triggered::Ended(ExecutionResponse::from_row(ended.row))),
            Some(Answer::Responded(_)) | None => {
                Ok(Triggered::Accepted(ExecutionResponse::from_row(self.row(ctx, id).await?)))
            }
        }
    }

    pub(super) async fn record_trigger(&self, ctx: &Ctx, workflow: WorkflowId, id: ExecutionId) -> Result<(), Error> {
        let change = Change::new("workflow.trigger", workflow);
        self.record(ctx, change.after(&serde_json::json!({ "executionId": id }))).await
    }

    pub(super) async fn record(&self, ctx: &Ctx, change: Change) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        self.audit.record(&transaction, ctx, change).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn row(&self, ctx: &Ctx, id: ExecutionId) -> Result<Row, Error> {
        rows::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::NotFound)
    }

    async fn response(&self, ctx: &Ctx, row: Row, include_data: bool) -> Result<ExecutionResponse, Error> {
        let mut details = Details::new();
        if include_data {
            let stored = rows::data(&self.database.read(ctx), ctx.tenant, [row.id]).await?.into_iter().next();
            details = self.details(&row, stored.and_then(|(_, data)| data)).await?;
        }
        let mut responses = [ExecutionResponse { details, ..ExecutionResponse::from_row(row) }];
        self.show_labels(ctx, &mut responses).await?;
        self.show_workers(&mut responses).await?;
        let [response] = responses;
        Ok(response)
    }
}
