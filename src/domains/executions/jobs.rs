//! Work on many executions at once: retry, cancel or delete what a filter leaves. A job says how far it is; should the
//! process that does it die, another goes on behind the page that was done last.

use std::time::Duration;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::dto::{ExecutionFilter, ExecutionJobResponse, StartExecutionJob};
use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository::{self as rows, Job, Row};
use super::retry::{self, Runner};
use super::service::Service;
use super::{calls, stopping};
use crate::common::names::names;
use crate::common::page::PageQuery;
use crate::common::{Ctx, ExecutionId, ExecutionJobId, Page};
use crate::domains::audit::Change;
use crate::infrastructure::database::AcrossTenants;

/// Executions dealt with between two notes of how far it is.
const PAGE: u64 = 50;
const AT_ONCE: usize = 8;
const LEASE: Duration = Duration::from_secs(60);
/// How often jobs are looked for whose process died.
const LOOK_EVERY: Duration = Duration::from_secs(10);

names! {
    /// What is done to each execution.
    Action {
        /// As by its own endpoint, from the node that failed.
        Retry = "retry",
        Cancel = "cancel",
        Delete = "delete",
    }
}

names! {
    /// Where a job stands.
    JobStatus {
        Running = "running",
        Done = "done",
        Canceled = "canceled",
    }
}

impl Action {
    /// The states that executions have to be in.
    const fn fitting(self) -> &'static [Status] {
        match self {
            Action::Retry => &[Status::Error, Status::Crashed, Status::Canceled],
            Action::Cancel => &[Status::New, Status::Running, Status::Waiting],
            Action::Delete => &[Status::Success, Status::Error, Status::Canceled, Status::Crashed],
        }
    }
}

impl Service {
    /// Starts a job and gives it as it begins.
    pub async fn start_job(&self, ctx: &Ctx, new: StartExecutionJob) -> Result<ExecutionJobResponse, Error> {
        if new.filter.status.is_some_and(|status| !new.action.fitting().contains(&status)) {
            return Err(Error::UnfitFilter(new.action));
        }
        let filter = ExecutionFilter { workflow_id: self.known_workflow(ctx, &new.filter).await?, ..new.filter };
        let job = Job {
            id: ExecutionJobId::new(),
            tenant_id: ctx.tenant,
            action: new.action,
            filter: serde_json::to_string(&filter)?,
            status: JobStatus::Running,
            // What begins from now on is not meant.
            place: Some(ExecutionId::new()),
            done: 0,
            failed: 0,
            error: None,
            created_at: self.executor().0.clock.now(),
            ended_at: None,
            lease_until: self.executor().0.clock.now(),
        };
        let response = ExecutionJobResponse::from_row(job.clone())?;
        let transaction = self.database.begin(ctx).await?;
        rows::insert_job(&transaction, job.clone()).await?;
        self.audit.record(&transaction, ctx, Change::new("executionJob.create", job.id).after(&response)).await?;
        transaction.commit().await?;
        let executor = self.executor().clone();
        self.executor().0.runtime.spawn(async move { drive(&executor, job).await });
        Ok(response)
    }

    /// The workflow's id, where the filter names it by an alias.
    async fn known_workflow(&self, ctx: &Ctx, filter: &ExecutionFilter) -> Result<Option<String>, Error> {
        match &filter.workflow_id {
            Some(reference) => Ok(Some(self.workflows.resolve(ctx, reference).await?.to_string())),
            None => Ok(None),
        }
    }

    /// Newest first.
    pub async fn list_jobs(&self, ctx: &Ctx, query: PageQuery) -> Result<Page<ExecutionJobResponse>, Error> {
        let before = query.cursor.map(|cursor| ExecutionJobId::from_uuid(cursor.id()));
        let found = rows::jobs(&self.database.read(ctx), ctx.tenant, before, query.limit()).await?;
        let page = Page::from_rows(found, query.limit(), |job| job.id.as_uuid(), ExecutionJobResponse::from_row);
        let Page { data, next_cursor } = page;
        Ok(Page { data: data.into_iter().collect::<Result<_, _>>()?, next_cursor })
    }

    pub async fn get_job(&self, ctx: &Ctx, id: ExecutionJobId) -> Result<ExecutionJobResponse, Error> {
        Ok(ExecutionJobResponse::from_row(self.job(ctx, id).await?)?)
    }

    /// Stops a job behind the page it is at.
    pub async fn cancel_job(&self, ctx: &Ctx, id: ExecutionJobId) -> Result<ExecutionJobResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let job = rows::find_job(&transaction, ctx.tenant, id).await?.ok_or(Error::JobNotFound)?;
        if job.status == JobStatus::Running {
            let over =
                Job { status: JobStatus::Canceled, ended_at: Some(self.executor().0.clock.now()), ..job.clone() };
            rows::advance_job(&transaction, &job, &over).await?;
        }
        self.audit.record(&transaction, ctx, Change::new("executionJob.cancel", id)).await?;
        transaction.commit().await?;
        self.get_job(ctx, id).await
    }

    async fn job(&self, ctx: &Ctx, id: ExecutionJobId) -> Result<Job, Error> {
        rows::find_job(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::JobNotFound)
    }
}

/// Goes on with jobs whose process died, until the shutdown.
pub(super) async fn watch(executor: Executor, shutdown: CancellationToken) {
    let parts = &executor.0;
    loop {
        match rows::abandoned_jobs(&parts.database.read(AcrossTenants), parts.clock.now()).await {
            Ok(jobs) => {
                for job in jobs {
                    drive(&executor, job).await;
                }
            }
            Err(error) => tracing::warn!(%error, "jobs on executions could not be looked for"),
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

async fn drive(executor: &Executor, mut job: Job) {
    loop {
        match step(executor, &job).await {
            Ok(Some(next)) => job = next,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(job = %job.id, %error, "a job on executions stopped; it goes on when its lease is over");
                return;
            }
        }
    }
}

/// Deals with one page. `None`: nothing is left to do here.
async fn step(executor: &Executor, job: &Job) -> Result<Option<Job>, Error> {
    let parts = &executor.0;
    let connection = parts.database.write(job.tenant_id);
    let held = Job { lease_until: parts.clock.now().plus(LEASE), ..job.clone() };
    if held.lease_until != job.lease_until && !rows::advance_job(&connection, job, &held).await? {
        return Ok(None);
    }
    let filter: ExecutionFilter = serde_json::from_str(&held.filter)?;
    let filter = rows::Filter { before: held.place, limit: PAGE, ..filter.rows(held.action.fitting()) };
    let mut page = rows::list(&parts.database.read(held.tenant_id), held.tenant_id, &filter).await?;
    let is_last = page.len() <= usize::try_from(PAGE).unwrap_or(usize::MAX);
    page.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let mut next = Job { place: page.last().map(|row| row.id).or(held.place), ..held.clone() };
    let results = futures_util::stream::iter(page).map(|row| act(executor.clone(), held.id, held.action, row));
    let results: Vec<Result<(), Error>> = results.buffer_unordered(AT_ONCE).collect().await;
    for result in results {
        match result {
            Ok(()) => next.done += 1,
            Err(error) => {
                next.failed += 1;
                next.error = Some(error.to_string());
            }
        }
    }
    if is_last {
        (next.status, next.ended_at) = (JobStatus::Done, Some(parts.clock.now()));
    }
    let is_ours = rows::advance_job(&connection, &held, &next).await?;
    Ok((is_ours && !is_last).then_some(next))
}

async fn act(executor: Executor, job: ExecutionJobId, action: Action, row: Row) -> Result<(), Error> {
    match action {
        Action::Retry => {
            // A job that begins a page again retries nothing twice.
            let runner = Runner::Anybody(calls::derived(job.as_uuid(), &row.id.to_string()));
            retry::start(&executor, &row, false, runner).await.map(drop)
        }
        Action::Cancel => stopping::stop(&executor, &row).await,
        Action::Delete => {
            let transaction = executor.0.database.begin(row.tenant_id).await?;
            if !rows::delete(&transaction, row.tenant_id, row.id).await? {
                return Err(Error::NotFound);
            }
            transaction.commit().await?;
            stopping::deleted(&executor, &row).await;
            Ok(())
        }
    }
}
