//! The queue of webhooks that are accepted before their workflow runs: tried until it succeeds, a few times, then kept as
//! dead letters. What is queued is stored, and is tried at least once: a process that dies over it leaves it to others.

use std::time::Duration;

use futures_util::future::join_all;
use millrace_model::Value;
use tokio_util::sync::CancellationToken;

use super::dto_queue::{ListQueuedWebhooksQuery, PurgedResponse, QueueStatusResponse, QueuedWebhookResponse};
use super::error::Error;
use super::repository::queue::{self as rows, Queued};
use super::service::Service;
use super::shares::Shares;
use crate::common::error::chain;
use crate::common::names::names;
use crate::common::{Ctx, ExecutionId, Page, QueuedWebhookId, Timestamp};
use crate::domains::audit::Change;
use crate::domains::executions::{self, Answer, Interest, Launch, Mode};
use crate::infrastructure::database::AcrossTenants;

/// How often is looked for webhooks that are due, where nobody says that there are any.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A process that works on a webhook for longer than its workflow may take, and this much more, is taken for dead.
const GRACE: Duration = Duration::from_secs(60);
/// Of what is due, so much is looked at: some of every tenant first.
pub(super) const LOOKED_AT: usize = 200;
/// Longest error text that is kept, in characters.
const MAX_ERROR: usize = 1000;

names! {
    /// Where a queued webhook stands.
    QueuedWebhookStatus {
        /// Waits for its first or its next try.
        Queued = "queued",
        /// Its workflow runs.
        Processing = "processing",
        /// Its workflow has succeeded, or runs on by itself.
        Completed = "completed",
        /// A dead letter: every try has failed.
        Failed = "failed",
    }
}

pub(super) use QueuedWebhookStatus as Status;

/// How often, and when.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Waits before the second, third… try.
    pub waits: Vec<Duration>,
    /// Webhooks that one process works on at the same time.
    pub at_once: usize,
    /// How long a process may be busy with one.
    pub lease: Duration,
    /// How long those that succeeded are kept.
    pub kept: Duration,
}

impl Schedule {
    pub(super) fn new(config: &crate::infrastructure::config::Config) -> Schedule {
        let waits = config.webhooks.queue_backoff_seconds.iter().map(|seconds| Duration::from_secs(*seconds));
        Schedule {
            waits: waits.collect(),
            at_once: usize::try_from(config.webhooks.queue_concurrency).unwrap_or(usize::MAX),
            lease: Duration::from_secs(config.executions.answer_timeout_seconds).saturating_add(GRACE),
            kept: Duration::from_secs(config.webhooks.queue_keep_seconds),
        }
    }

    /// When to try again after so many tries; never any more when `None`.
    fn next(&self, attempts: i32) -> Option<Duration> {
        let at = usize::try_from(attempts).ok()?.checked_sub(1)?;
        self.waits.get(at).copied()
    }
}

impl Service {
    /// Works on the queue until the shutdown.
    pub async fn work_on_queue(self, shutdown: CancellationToken) {
        let mut shares = Shares::new(self.schedule.at_once);
        while !shutdown.is_cancelled() {
            let due = self.due().await.unwrap_or_else(|error| {
                tracing::warn!(error = chain(&error), "queued webhooks could not be looked for");
                Vec::new()
            });
            for row in due {
                let service = self.clone();
                shares.begin(row.id, row.tenant_id, async move { service.work_on(&row).await });
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = shares.one_ended() => {}
                () = self.queued.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        shares.all_ended().await;
    }

    /// What is due, of each tenant no more than its share.
    async fn due(&self) -> Result<Vec<Queued>, Error> {
        let (at_once, now) = (self.schedule.at_once, self.gate.now());
        let share = Shares::<QueuedWebhookId>::of_tenant(at_once);
        Ok(rows::due(&self.database.read(AcrossTenants), now, share, LOOKED_AT).await?)
    }

    /// Works on what is due now, some of it; gives how many webhooks there were.
    pub async fn process_due(&self) -> Result<usize, Error> {
        let due = self.due().await?;
        join_all(due.iter().map(|row| self.work_on(row))).await;
        Ok(due.len())
    }

    async fn work_on(&self, row: &Queued) {
        if let Err(error) = self.process(row).await {
            tracing::error!(error = chain(&error), "a queued webhook could not be worked on; it is tried again");
        }
    }

    async fn process(&self, seen: &Queued) -> Result<(), Error> {
        let now = self.gate.now();
        let mut row = Queued {
            status: Status::Processing,
            attempts: seen.attempts.saturating_add(1),
            due_at: Some(now.plus(self.schedule.lease)),
            updated_at: now,
            ..seen.clone()
        };
        if !rows::change(&self.database.write(seen.tenant_id), seen, &row).await? {
            // Somebody else was faster.
            return Ok(());
        }
        let taken = row.clone();
        let outcome = self.run(&row).await;
        (row.updated_at, row.due_at) = (self.gate.now(), None);
        match outcome {
            Ok(execution) => {
                (row.status, row.execution_id, row.error) = (Status::Completed, Some(execution), None);
            }
            Err(failure) => {
                row.execution_id = failure.execution.or(row.execution_id);
                row.error = Some(failure.reason.chars().take(MAX_ERROR).collect());
                let wait = self.schedule.next(row.attempts);
                row.status = if wait.is_some() { Status::Queued } else { Status::Failed };
                row.due_at = wait.map(|wait| row.updated_at.plus(wait));
            }
        }
        metrics::counter!("millrace_webhook_queue_total", "status" => row.status.as_str()).increment(1);
        rows::change(&self.database.write(row.tenant_id), &taken, &row).await.map(drop)?;
        Ok(())
    }

    /// Runs the workflow of a webhook; one that takes longer than callers wait runs on by itself.
    async fn run(&self, row: &Queued) -> Result<ExecutionId, Failure> {
        let reference = row.workflow_id.to_string();
        let active = self.workflows.active_version(row.tenant_id, &reference).await.map_err(Failure::of)?;
        let Some((workflow, version)) = active else {
            return Err(Failure { execution: None, reason: "the workflow is not active".to_owned() });
        };
        let programs = self.executor().programs();
        let program = programs.version(row.tenant_id, workflow, version).await.map_err(Failure::of)?;
        let program = program.runnable().map_err(Failure::of)?;
        let payload = Value::from_json(&row.payload).unwrap_or_default();
        let start = executions::start(&program, row.event.as_deref(), Some(payload)).map_err(Failure::of)?;
        let launch = Launch {
            program,
            mode: Mode::Webhook,
            node: start.node,
            items: std::sync::Arc::new(start.items),
            output: 0,
            honour_pins: false,
            parent: None,
            retry_of: None,
        };
        let (id, answer) = self.executor().call(launch, Interest::End).await.map_err(Failure::of)?;
        match self.executor().answer((row.tenant_id, id), answer, None).await.map_err(Failure::of)? {
            Some(Answer::Ended(ended)) if ended.status != executions::Status::Success => {
                let reason =
                    ended.error.as_ref().map_or_else(|| ended.status.to_string(), |error| error.message.to_string());
                Err(Failure { execution: Some(id), reason })
            }
            Some(Answer::Ended(_) | Answer::Responded(_)) | None => Ok(id),
        }
    }

    /// Deletes webhooks that succeeded long ago, old requests of the log, and listeners that gave up.
    pub async fn prune(&self) -> Result<u64, Error> {
        let now = self.gate.now();
        let connection = &self.database.write(AcrossTenants);
        let listeners = super::repository::listeners::prune(connection, now).await?;
        let requests = super::repository::requests::prune(connection, self.log_horizon()).await?;
        Ok(listeners + requests + rows::prune(connection, now.minus(self.schedule.kept)).await?)
    }

    /// How much is in the queue.
    pub async fn queue_status(&self, ctx: &Ctx) -> Result<QueueStatusResponse, Error> {
        let connection = &self.database.read(ctx);
        let counts = rows::counts(connection, ctx.tenant).await?;
        let count = |status| counts.iter().find(|(found, _)| *found == status).map_or(0, |(_, count)| *count);
        Ok(QueueStatusResponse {
            queued: count(Status::Queued),
            processing: count(Status::Processing),
            completed: count(Status::Completed),
            failed: count(Status::Failed),
            oldest_queued_at: rows::oldest(connection, ctx.tenant).await?,
        })
    }

    /// Newest first.
    pub async fn list_queued(
        &self,
        ctx: &Ctx,
        query: &ListQueuedWebhooksQuery,
    ) -> Result<Page<QueuedWebhookResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| QueuedWebhookId::from_uuid(cursor.id()));
        let found = rows::list(&self.database.read(ctx), ctx.tenant, query.status, before, limit).await?;
        Ok(Page::from_rows(found, limit, |row| row.id.as_uuid(), QueuedWebhookResponse::from))
    }

    /// Tries a webhook again now, with all its tries before it. One that is worked on is left alone.
    pub async fn retry_queued(&self, ctx: &Ctx, id: QueuedWebhookId) -> Result<QueuedWebhookResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let seen = rows::find(&transaction, ctx.tenant, id).await?.ok_or(Error::QueuedNotFound)?;
        let now = self.gate.now();
        if seen.status == Status::Processing && seen.due_at.is_some_and(|until| until > now) {
            return Err(Error::BeingProcessed);
        }
        let row = Queued { status: Status::Queued, attempts: 0, due_at: Some(now), updated_at: now, ..seen.clone() };
        if !rows::change(&transaction, &seen, &row).await? {
            return Err(Error::BeingProcessed);
        }
        let (before, after) = (QueuedWebhookResponse::from(seen), QueuedWebhookResponse::from(row));
        let change = Change::new("queuedWebhook.retry", id).before(&before).after(&after);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        self.queued.notify_one();
        Ok(after)
    }

    /// Deletes webhooks in a state that is over.
    pub async fn purge_queue(&self, ctx: &Ctx, status: Status) -> Result<PurgedResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let deleted = rows::delete(&transaction, ctx.tenant, status).await?;
        let purged = PurgedResponse { deleted };
        self.audit.record(&transaction, ctx, Change::new("queuedWebhook.purge", status).after(&purged)).await?;
        transaction.commit().await?;
        Ok(purged)
    }
}

/// Why a try came to nothing.
struct Failure {
    execution: Option<ExecutionId>,
    reason: String,
}

impl Failure {
    fn of(error: impl std::error::Error + 'static) -> Failure {
        Failure { execution: None, reason: chain(&error) }
    }
}

/// A new webhook in the queue, due at once.
pub(super) fn queued(
    tenant: crate::common::TenantId,
    workflow: crate::common::WorkflowId,
    event: Option<&str>,
    payload: String,
    delivery: Option<&str>,
    now: Timestamp,
) -> Queued {
    Queued {
        id: QueuedWebhookId::new(),
        tenant_id: tenant,
        workflow_id: workflow,
        event: event.map(str::to_owned),
        payload,
        delivery: delivery.map(str::to_owned),
        status: Status::Queued,
        attempts: 0,
        due_at: Some(now),
        execution_id: None,
        error: None,
        created_at: now,
        updated_at: now,
    }
}
