//! Schedules as callers see them: make, read, change, pause, try out, make up for. What fires them is in `jobs`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use super::clockwork::Unreadable;
use super::definition::{Definition, first_search};
use super::dto::{
    BackfillResponse, BackfillSchedule, FiringResponse, HistoryQuery, ListSchedulesQuery, ScheduleBody,
    ScheduleResponse, UpdateSchedule,
};
use super::error::Error;
use super::firing::{Firer, given_up, new_firing};
use super::model::{Cause, Origin, Outcome, State};
use super::repository::{self as rows, Firing, Row};
use crate::common::{Clock, Ctx, FieldError, FiringId, Page, ScheduleId, Timestamp};
use crate::domains::audit::{self, Change};
use crate::domains::{executions, workflows};
use crate::infrastructure::config;
use crate::infrastructure::database::{Database, Transaction};

/// Why due times that have come are missed when a schedule changes.
const CHANGED: &str = "the schedule was changed before it fired";
/// Executions that one backfill may begin.
const MAX_BACKFILL: usize = 1_000;

/// The schedules of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
    pub(super) workflows: workflows::Service,
    pub(super) firer: Firer,
    pub(super) config: Arc<config::Scheduling>,
    /// Milliseconds from this machine's clock to that of all schedulers.
    pub(super) offset: Arc<AtomicI64>,
    /// Where a schedule names no zone.
    pub(super) default_zone: Arc<str>,
}

impl Service {
    /// `default_zone`: the zone of schedules that name none.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        audit: audit::Service,
        workflows: workflows::Service,
        executions: executions::Service,
        config: config::Scheduling,
        default_zone: &str,
    ) -> Service {
        let grace = Duration::from_secs(config.misfire_after_seconds);
        let firer = Firer { database: database.clone(), executions, grace };
        let (config, default_zone) = (Arc::new(config), default_zone.into());
        let offset = Arc::default();
        Service { offset, database, clock, audit, workflows, firer, config, default_zone }
    }

    /// Newest first.
    pub async fn list(&self, ctx: &Ctx, query: &ListSchedulesQuery) -> Result<Page<ScheduleResponse>, Error> {
        let workflow = match &query.workflow_id {
            None => None,
            Some(reference) => match self.workflows.resolve(ctx, reference).await {
                Ok(workflow) => Some(workflow),
                Err(workflows::Error::NotFound) => return Ok(Page { data: Vec::new(), next_cursor: None }),
                Err(error) => return Err(error.into()),
            },
        };
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| ScheduleId::from_uuid(cursor.id()));
        let filter = rows::Filter { workflow, state: query.state, before, limit };
        let found = rows::list(&self.database.read(ctx), ctx.tenant, &filter).await?;
        let page = Page::from_rows(found, limit, |row| row.id.as_uuid(), ScheduleResponse::from_row);
        let data = page.data.into_iter().collect::<Result<Vec<_>, Unreadable>>()?;
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    pub async fn get(&self, ctx: &Ctx, id: ScheduleId) -> Result<ScheduleResponse, Error> {
        Ok(ScheduleResponse::from_row(self.row(ctx, id).await?)?)
    }

    pub async fn create(&self, ctx: &Ctx, body: &ScheduleBody) -> Result<ScheduleResponse, Error> {
        let now = self.clock.now();
        let definition = self.check(body, now)?;
        let id = ScheduleId::new();
        if body.refuse_conflicts {
            self.refuse_conflicts(ctx, id, &body.workflow_id, &definition, now).await?;
        }
        let transaction = self.database.begin(ctx).await?;
        let (workflow_id, version_id) =
            match self.workflows.hold_production(&transaction, ctx.tenant, &body.workflow_id).await {
                Err(workflows::Error::NotFound) => return Err(unknown_workflow(&body.workflow_id)),
                found => found?,
            };
        let mut row = Row {
            id,
            tenant_id: ctx.tenant,
            workflow_id,
            version_id,
            anchor: definition.starts_at.unwrap_or(now),
            created_at: now,
            updated_at: now,
            ..blank(Origin::Api)
        };
        definition.apply(&mut row);
        row.arm(now)?;
        rows::insert(&transaction, vec![row.clone()]).await?;
        let response = ScheduleResponse::from_row(row)?;
        self.audit.record(&transaction, ctx, Change::new("schedule.create", response.id).after(&response)).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Replaces the definition. Its clock begins anew where it is due at other times than before.
    pub async fn replace(&self, ctx: &Ctx, id: ScheduleId, body: &ScheduleBody) -> Result<ScheduleResponse, Error> {
        self.change(ctx, id, "schedule.update", async |row| {
            if row.origin == Origin::Workflow {
                return Err(Error::OfWorkflow("the trigger node"));
            }
            if self.workflows.resolve(ctx, &body.workflow_id).await.ok() != Some(row.workflow_id) {
                let message = "a schedule keeps its workflow; make another schedule";
                return Err(Error::Invalid(vec![FieldError::new("/workflowId", "immutable", message)]));
            }
            self.redefine(ctx, row, body).await
        })
        .await
    }

    /// Changes what is given. Of a workflow's own schedule only how its firings are dealt with.
    pub async fn update(&self, ctx: &Ctx, id: ScheduleId, changes: UpdateSchedule) -> Result<ScheduleResponse, Error> {
        self.change(ctx, id, "schedule.update", async |row| {
            if row.origin == Origin::Workflow && changes.changes_definition() {
                return Err(Error::OfWorkflow("the trigger node"));
            }
            if row.origin == Origin::Workflow {
                return self.set_policies(ctx, row, &changes).await;
            }
            let body = changes.apply(ScheduleBody::of_row(row)?);
            self.redefine(ctx, row, &body).await
        })
        .await
    }

    pub async fn delete(&self, ctx: &Ctx, id: ScheduleId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        let row = rows::lock(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        if row.origin == Origin::Workflow {
            return Err(Error::OfWorkflow("the trigger node"));
        }
        rows::delete(&transaction, ctx.tenant, &[id]).await?;
        let before = ScheduleResponse::from_row(row)?;
        self.audit.record(&transaction, ctx, Change::new("schedule.delete", id).before(&before)).await?;
        Ok(transaction.commit().await?)
    }

    /// Nothing fires until it is resumed. Due times that have come are recorded as skipped.
    pub async fn pause(&self, ctx: &Ctx, id: ScheduleId, reason: &str) -> Result<ScheduleResponse, Error> {
        let now = self.clock.now();
        self.change(ctx, id, "schedule.pause", async |row| {
            let skipped = give_up_overdue(row, Outcome::Skipped, &format!("paused: {reason}"), now)?;
            row.paused_at.get_or_insert(now);
            row.pause_reason = Some(reason.to_owned());
            row.disarm(State::Paused);
            Ok(skipped)
        })
        .await
    }

    /// Goes on with the next due time; those since the pause are recorded as skipped.
    pub async fn resume(&self, ctx: &Ctx, id: ScheduleId) -> Result<ScheduleResponse, Error> {
        let now = self.clock.now();
        let transaction = self.database.begin(ctx).await?;
        let mut row = rows::lock(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        let before = ScheduleResponse::from_row(row.clone())?;
        if row.state == State::Paused {
            if let Some(skipped) = row.paused_over(now)? {
                let reason = format!("paused: {}", row.pause_reason.as_deref().unwrap_or_default());
                let firing = given_up(&row, skipped, Outcome::Skipped, &reason, now);
                rows::insert_firings(&transaction, vec![firing]).await?;
                row.last_due_at = Some(skipped.last);
            }
            (row.pause_reason, row.paused_at, row.failures) = (None, None, 0);
            row.arm(now)?;
        }
        self.write(ctx, transaction, row, "schedule.resume", before).await
    }

    /// What became of its due times, newest first.
    pub async fn history(
        &self,
        ctx: &Ctx,
        id: ScheduleId,
        query: &HistoryQuery,
    ) -> Result<Page<FiringResponse>, Error> {
        self.row(ctx, id).await?;
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| FiringId::from_uuid(cursor.id()));
        let found = rows::history(&self.database.read(ctx), ctx.tenant, id, query.outcome, before, limit).await?;
        let executions: Vec<_> = found.iter().filter_map(|firing| firing.execution_id).collect();
        let statuses = match executions.is_empty() {
            true => HashMap::new(),
            false => self.firer.executions.executor().statuses(ctx.tenant, executions).await?,
        };
        Ok(Page::from_rows(
            found,
            limit,
            |firing| firing.id.as_uuid(),
            |firing| {
                let status = firing.execution_id.and_then(|id| statuses.get(&id).copied());
                FiringResponse::new(firing, status)
            },
        ))
    }

    /// Begins an execution at once, whatever runs already.
    pub async fn trigger(&self, ctx: &Ctx, id: ScheduleId) -> Result<FiringResponse, Error> {
        let now = self.clock.now();
        let transaction = self.database.begin(ctx).await?;
        let row = rows::lock(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        let (mut firings, prepared) = self.begin_all(&transaction, &row, &[now], Cause::Manual, now).await?;
        let executions: Vec<_> = firings.iter().map(|firing| firing.execution_id).collect();
        self.audit
            .record(
                &transaction,
                ctx,
                Change::new("schedule.trigger", id).after(&serde_json::json!({ "executionIds": executions })),
            )
            .await?;
        transaction.commit().await?;
        self.firer.executions.executor().announce(prepared);
        let firing = firings.pop().ok_or(Error::NotFound)?;
        Ok(FiringResponse::new(firing, Some(executions::Status::New)))
    }

    /// Makes up for a range of time past: one execution for each due time in it.
    pub async fn backfill(
        &self,
        ctx: &Ctx,
        id: ScheduleId,
        range: &BackfillSchedule,
    ) -> Result<BackfillResponse, Error> {
        let now = self.clock.now();
        check_range(range, now)?;
        let transaction = self.database.begin(ctx).await?;
        let row = rows::lock(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        row.version_id.ok_or(Error::Dormant)?;
        let due = due_within(&row, range)?;
        let prepared = if range.concurrently {
            self.begin_all(&transaction, &row, &due, Cause::Backfill, now).await?.1
        } else {
            let waiting = due.iter().map(|due| Firing {
                outcome: Outcome::Queued,
                open: true,
                ..new_firing(&row, *due, now, Cause::Backfill, now)
            });
            rows::insert_firings(&transaction, waiting.collect()).await?;
            Vec::new()
        };
        let response =
            BackfillResponse { count: due.len(), first_due_at: due.first().copied(), last_due_at: due.last().copied() };
        self.audit.record(&transaction, ctx, Change::new("schedule.backfill", id).after(&response)).await?;
        transaction.commit().await?;
        self.firer.executions.executor().announce(prepared);
        Ok(response)
    }

    /// Begins executions for these due times, in the caller's transaction.
    async fn begin_all(
        &self,
        transaction: &Transaction,
        row: &Row,
        due: &[Timestamp],
        cause: Cause,
        now: Timestamp,
    ) -> Result<(Vec<Firing>, Vec<executions::Prepared>), Error> {
        let (mut firings, mut prepared) = (Vec::with_capacity(due.len()), Vec::with_capacity(due.len()));
        for due in due {
            let execution = self.firer.prepare(row, *due).await?;
            firings.push(Firing {
                execution_id: Some(execution.id()),
                open: super::firing::is_watched(row),
                ..new_firing(row, *due, now, cause, now)
            });
            prepared.push(execution);
        }
        self.firer.executions.executor().store_within(transaction, &prepared).await?;
        rows::insert_firings(transaction, firings.clone()).await?;
        Ok((firings, prepared))
    }

    pub(super) fn check(&self, body: &ScheduleBody, now: Timestamp) -> Result<Definition, Error> {
        Definition::check(body, &self.default_zone, now).map_err(Error::Invalid)
    }

    /// What is due stays due, unless it is due at other times now: then what has come and did not fire is missed.
    async fn redefine(&self, ctx: &Ctx, row: &mut Row, body: &ScheduleBody) -> Result<Option<Firing>, Error> {
        let now = self.clock.now();
        let definition = self.check(body, now)?;
        if body.refuse_conflicts {
            self.refuse_conflicts(ctx, row.id, &body.workflow_id, &definition, now).await?;
        }
        let times = |row: &Row| (row.rule.clone(), row.zone.clone(), row.starts_at, row.ends_at);
        let mut redefined = row.clone();
        definition.apply(&mut redefined);
        if times(row) == times(&redefined) && row.state != State::Ended {
            *row = redefined;
            row.put_off()?;
            return Ok(None);
        }
        let missed = give_up_overdue(row, Outcome::Missed, CHANGED, now)?;
        let is_new_clock =
            (&row.rule, &row.zone, row.starts_at) != (&redefined.rule, &redefined.zone, redefined.starts_at);
        *row = Row { last_due_at: row.last_due_at, ..redefined };
        if is_new_clock {
            row.anchor = row.starts_at.unwrap_or(now);
            row.last_due_at = None;
        }
        if row.state != State::Paused {
            row.arm(now)?;
        }
        Ok(missed)
    }

    /// Overlap, misfire and the like, of a schedule that is part of a workflow.
    async fn set_policies(&self, ctx: &Ctx, row: &mut Row, changes: &UpdateSchedule) -> Result<Option<Firing>, Error> {
        let (body, now) = (changes.clone().apply(ScheduleBody::of_row(row)?), self.clock.now());
        let own = Ok(row.read_rule()?);
        let policies = Definition::with_rule(&body, own, &self.default_zone, now).map_err(Error::Invalid)?;
        if body.refuse_conflicts {
            self.refuse_conflicts(ctx, row.id, &body.workflow_id, &policies, now).await?;
        }
        let kept = (row.rule.clone(), row.zone.clone(), row.name.clone());
        policies.apply(row);
        (row.rule, row.zone, row.name) = kept;
        row.put_off()?;
        Ok(None)
    }

    /// Changes a row and records it, unless somebody else has changed it meanwhile. `change` gives the record of due times
    /// that are given up by it.
    async fn change(
        &self,
        ctx: &Ctx,
        id: ScheduleId,
        action: &'static str,
        change: impl AsyncFnOnce(&mut Row) -> Result<Option<Firing>, Error>,
    ) -> Result<ScheduleResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut row = rows::lock(&transaction, ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        let before = ScheduleResponse::from_row(row.clone())?;
        let given_up = change(&mut row).await?;
        rows::insert_firings(&transaction, given_up.into_iter().collect()).await?;
        self.write(ctx, transaction, row, action, before).await
    }

    async fn write(
        &self,
        ctx: &Ctx,
        transaction: Transaction,
        mut row: Row,
        action: &'static str,
        before: ScheduleResponse,
    ) -> Result<ScheduleResponse, Error> {
        row.updated_at = self.clock.now();
        if !rows::update(&transaction, row.clone()).await? {
            return Err(Error::Outdated);
        }
        let after = ScheduleResponse::from_row(row)?;
        let change = Change::new(action, after.id).before(&before).after(&after);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(after)
    }

    pub(super) async fn row(&self, ctx: &Ctx, id: ScheduleId) -> Result<Row, Error> {
        rows::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::NotFound)
    }
}

/// A row before its definition is written into it.
pub(super) fn blank(origin: Origin) -> Row {
    use super::model::{Misfire, Overlap};
    let (id, unset) = (uuid::Uuid::nil(), Timestamp::default());
    Row {
        id: ScheduleId::from_uuid(id),
        tenant_id: crate::common::TenantId::from_uuid(id),
        workflow_id: crate::common::WorkflowId::from_uuid(id),
        version_id: None,
        origin,
        node: None,
        position: 0,
        name: String::new(),
        description: None,
        rule: String::new(),
        zone: String::new(),
        starts_at: None,
        ends_at: None,
        jitter_ms: 0,
        trigger_event: None,
        input: None,
        overlap: Overlap::Allow,
        misfire: Misfire::Skip,
        catch_up_ms: 3_600_000,
        pause_after: 0,
        state: State::Dormant,
        pause_reason: None,
        paused_at: None,
        anchor: unset,
        last_due_at: None,
        due_at: None,
        fire_at: None,
        failures: 0,
        revision: 0,
        created_at: unset,
        updated_at: unset,
    }
}

/// Gives up the due times that have come and did not fire yet, and makes the record of that.
fn give_up_overdue(
    row: &mut Row,
    outcome: Outcome,
    reason: &str,
    now: Timestamp,
) -> Result<Option<Firing>, Unreadable> {
    let Some(overdue) = row.overdue(now)? else { return Ok(None) };
    let record = given_up(row, overdue, outcome, reason, now);
    row.last_due_at = Some(overdue.last);
    Ok(Some(record))
}

pub(super) fn unknown_workflow(reference: &str) -> Error {
    let message = format!("there is no workflow \"{reference}\"");
    Error::Invalid(vec![FieldError::new("/workflowId", "unknown", message)])
}

fn check_range(range: &BackfillSchedule, now: Timestamp) -> Result<(), Error> {
    let fault = if range.from >= range.to {
        FieldError::new("/to", "end_before_start", "must be later than `from`")
    } else if range.to > now {
        FieldError::new("/to", "in_the_future", "must not be in the future: what is to come fires by itself")
    } else {
        return Ok(());
    };
    Err(Error::Invalid(vec![fault]))
}

/// The due times of a range.
fn due_within(row: &Row, range: &BackfillSchedule) -> Result<Vec<Timestamp>, Error> {
    let timetable = row.timetable()?;
    let timing = row.timing(&timetable);
    let first = timing.first_after(first_search(Some(range.from), Timestamp::from_millis(i64::MIN)), None);
    let due = std::iter::successors(first, |due| timing.after(*due)).take_while(|due| *due <= range.to);
    let due: Vec<Timestamp> = due.take(MAX_BACKFILL + 1).collect();
    if due.len() > MAX_BACKFILL {
        let message = format!("more than {MAX_BACKFILL} due times lie in the range; take a shorter one");
        return Err(Error::Invalid(vec![FieldError::new("/to", "too_many", message)]));
    }
    Ok(due)
}
