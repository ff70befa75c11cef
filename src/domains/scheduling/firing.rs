//! Fires what is due. The row of a schedule owns its due time: whoever fires it moves the row on, stores the execution and
//! the record of it in one transaction, so a due time fires once however many replicas look, and never without an
//! execution. Rows in other replicas' hands are passed over, so that replicas share the work.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use millrace_model::{Item, Object, Value};
use millrace_nodes::schedule::moment;

use super::error::Error;
use super::model::{Admission, Cause, Missed, Outcome, Overlap};
use super::repository::{self as rows, Firing, Row};
use crate::common::{Ctx, ExecutionId, FiringId, ScheduleId, Timestamp};
use crate::domains::executions::{self, Executor, Launch, Mode, Prepared};
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};

const SCHEDULE_TRIGGER: &str = "n8n-nodes-base.scheduleTrigger";
/// A row that cannot be fired is looked at again after this time, so that it keeps no other back.
const POSTPONED: Duration = Duration::from_secs(60);
/// What is said of due times at which no scheduler ran.
const NOT_RUNNING: &str = "no scheduler ran when it was due";

/// Fires schedules. Cheap to clone.
#[derive(Clone)]
pub(super) struct Firer {
    pub database: Database,
    pub executions: executions::Service,
    /// How late a firing may be without anything having been missed.
    pub grace: Duration,
}

/// What one transaction is to write, and what follows its commit.
#[derive(Default)]
struct Batch {
    moved: Vec<Row>,
    firings: Vec<Firing>,
    prepared: Vec<Prepared>,
    stopped: Vec<(Ctx, ExecutionId)>,
}

impl Firer {
    fn executor(&self) -> &Executor {
        self.executions.executor()
    }

    /// Fires up to so many schedules that are due. Gives how many it had in hand.
    pub(super) async fn fire_due(&self, now: Timestamp, limit: u64) -> Result<usize, Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let due = rows::lock_due(&transaction, now, limit).await?;
        let count = due.len();
        if count == 0 {
            return Ok(0);
        }
        let only = due.first().filter(|_| count == 1).cloned();
        let fired = match self.fire_batch(&transaction, due, now).await {
            Ok(batch) => transaction.commit().await.map(|()| batch).map_err(Error::from),
            Err(error) => {
                // Now, not some time after it is dropped: the rows are to be free for another try.
                transaction.rollback().await?;
                Err(error)
            }
        };
        match fired {
            Ok(batch) => {
                self.executor().announce(batch.prepared);
                self.stop(batch.stopped);
                Ok(count)
            }
            Err(Error::Database(error)) if database::is_connection_error(&error) => Err(error.into()),
            // One by one: what cannot be fired must not keep the others back.
            Err(error) if limit > 1 => {
                tracing::warn!(%error, count, "due schedules could not be fired together; firing them one by one");
                let mut fired = 0;
                while fired < count && Box::pin(self.fire_due(now, 1)).await? == 1 {
                    fired += 1;
                }
                Ok(fired)
            }
            Err(error) => {
                let Some(row) = only else { return Err(error) };
                tracing::error!(schedule = %row.id, %error, "a schedule could not be fired; trying again in a minute");
                let fire_at = Some(now.plus(POSTPONED));
                rows::advance(
                    &self.database.write(row.tenant_id),
                    vec![Row { fire_at, revision: row.revision + 1, ..row }],
                )
                .await?;
                Ok(count)
            }
        }
    }

    /// Writes what becomes of these schedules; what is left to do follows the commit.
    async fn fire_batch(&self, transaction: &Transaction, due: Vec<Row>, now: Timestamp) -> Result<Batch, Error> {
        let busy = self.busy(transaction, &due).await?;
        let count = u64::try_from(due.len()).unwrap_or(u64::MAX);
        let mut batch = Batch::default();
        for row in due {
            let open = busy.get(&row.id).map_or(&[][..], Vec::as_slice);
            self.fire(row, open, now, &mut batch).await?;
        }
        if rows::advance(transaction, std::mem::take(&mut batch.moved)).await? != count {
            return Err(Error::Outdated);
        }
        self.executor().store_within(transaction, &batch.prepared).await?;
        rows::insert_firings(transaction, std::mem::take(&mut batch.firings)).await?;
        Ok(batch)
    }

    /// Decides about one schedule whose time has come.
    async fn fire(&self, mut row: Row, open: &[Firing], now: Timestamp, batch: &mut Batch) -> Result<(), Error> {
        let timetable = row.timetable()?;
        let timing = row.timing(&timetable);
        let Some(due) = row.due_at else { return Err(Error::Outdated) };
        let plan = timing.plan(due, now, self.grace);
        if let Some(missed) = plan.missed {
            tracing::warn!(schedule = %row.id, count = missed.count, "due times were missed");
            batch.firings.push(given_up(&row, missed, Outcome::Missed, NOT_RUNNING, now));
        }
        if let Some((due, cause)) = plan.fire {
            let planned = timing.fires_at(due);
            let waiting = open.iter().filter(|firing| firing.outcome == Outcome::Queued).count();
            let mut firing = new_firing(&row, due, planned, cause, now);
            match row.overlap.admit(open.len() - waiting, waiting) {
                Admission::Skip(reason) => {
                    (firing.outcome, firing.reason) = (Outcome::Skipped, Some(reason.to_owned()))
                }
                Admission::Queue => (firing.outcome, firing.open) = (Outcome::Queued, true),
                admission => {
                    self.start(&row, &mut firing, batch).await?;
                    if admission == Admission::Replace {
                        let running = open.iter().filter_map(|firing| firing.execution_id);
                        batch.stopped.extend(running.map(|id| (Ctx::system(row.tenant_id), id)));
                    }
                }
            }
            record(&firing);
            batch.firings.push(firing);
        }
        row.last_due_at = Some(plan.last);
        row.set_due(&timing, plan.next);
        row.revision += 1;
        batch.moved.push(row);
        Ok(())
    }

    /// Makes the execution of a firing; where none can be made, the firing says why.
    async fn start(&self, row: &Row, firing: &mut Firing, batch: &mut Batch) -> Result<(), Error> {
        match self.prepare(row, firing.due_at).await {
            Ok(prepared) => {
                firing.execution_id = Some(prepared.id());
                firing.open = is_watched(row);
                batch.prepared.push(prepared);
            }
            Err(Error::Execution(executions::Error::Database(error))) => return Err(error.into()),
            Err(error) => (firing.outcome, firing.reason) = (Outcome::Failed, Some(error.to_string())),
        }
        Ok(())
    }

    /// The execution that a due time begins.
    pub(super) async fn prepare(&self, row: &Row, due: Timestamp) -> Result<Prepared, Error> {
        let version = row.version_id.ok_or(Error::Dormant)?;
        let program = self.executor().programs().version(row.tenant_id, row.workflow_id, version).await?.runnable()?;
        let launch = match &row.node {
            Some(name) => {
                let node = program.workflow().find(name).ok_or_else(|| Error::NodeGone(name.clone()))?;
                let items = Arc::new(vec![Item::new(Object::new())]);
                let (mode, output, honour_pins) = (Mode::Trigger, 0, false);
                Launch { program, mode, node, items, output, honour_pins, parent: None, retry_of: None }
            }
            None => {
                let input = row.input.as_deref().and_then(|text| Value::from_json(text).ok());
                Launch::of_input(program, row.trigger_event.as_deref(), input)?
            }
        };
        Ok(self.executor().prepare(with_moment(launch, row, due)?).await?)
    }

    /// Open firings of the schedules for which they matter.
    async fn busy(&self, transaction: &Transaction, due: &[Row]) -> Result<HashMap<ScheduleId, Vec<Firing>>, Error> {
        let asking = due.iter().filter(|row| row.overlap != Overlap::Allow);
        let ids: Vec<ScheduleId> = asking.map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let open = rows::open_firings(transaction, ids).await?;
        let over = self.over(&open).await?;
        let mut busy: HashMap<ScheduleId, Vec<Firing>> = HashMap::new();
        for firing in open.into_iter().filter(|firing| !over.contains_key(&firing.id)) {
            busy.entry(firing.schedule_id).or_default().push(firing);
        }
        Ok(busy)
    }

    /// Which of these firings' executions are over, and whether they failed.
    pub(super) async fn over(&self, firings: &[Firing]) -> Result<HashMap<FiringId, bool>, Error> {
        let tenants: HashSet<_> = firings.iter().map(|firing| firing.tenant_id).collect();
        let mut over = HashMap::new();
        for tenant in tenants {
            let own = || firings.iter().filter(|firing| firing.tenant_id == tenant);
            let ids = own().filter_map(|firing| firing.execution_id);
            let statuses = self.executor().statuses(tenant, ids).await?;
            for firing in own() {
                let Some(id) = firing.execution_id else { continue };
                // One that is not there any more ended well, and was not to be kept.
                let status = statuses.get(&id).copied().unwrap_or(executions::Status::Success);
                if status.is_terminal() {
                    let failed = matches!(status, executions::Status::Error | executions::Status::Crashed);
                    over.insert(firing.id, failed);
                }
            }
        }
        Ok(over)
    }

    /// Stops executions beside everything else: a run gets a moment to end.
    fn stop(&self, executions: Vec<(Ctx, ExecutionId)>) {
        for (ctx, id) in executions {
            let service = self.executions.clone();
            tokio::spawn(async move {
                if let Err(error) = service.stop(&ctx, id).await {
                    tracing::debug!(execution = %id, %error, "an execution was over before it could be stopped");
                }
            });
        }
    }
}

/// Whether anything follows from the end of the schedule's executions.
pub(super) fn is_watched(row: &Row) -> bool {
    row.overlap != Overlap::Allow || row.pause_after > 0
}

/// A schedule trigger tells the time at which it was due, also where that is long past.
fn with_moment(launch: Launch, row: &Row, due: Timestamp) -> Result<Launch, Error> {
    let is_trigger = launch.program.workflow().node(launch.node).kind == SCHEDULE_TRIGGER;
    if !is_trigger || row.input.is_some() {
        return Ok(launch);
    }
    let items = Arc::new(vec![Item::new(moment(due.as_millis(), &row.time_zone()?))]);
    Ok(Launch { items, ..launch })
}

/// The record of a firing that starts an execution.
pub(super) fn new_firing(row: &Row, due: Timestamp, planned: Timestamp, cause: Cause, now: Timestamp) -> Firing {
    Firing {
        id: FiringId::new(),
        tenant_id: row.tenant_id,
        schedule_id: row.id,
        due_at: due,
        last_due_at: None,
        count: 1,
        planned_at: planned,
        fired_at: now,
        cause,
        outcome: Outcome::Started,
        reason: None,
        execution_id: None,
        open: false,
    }
}

/// The record of due times that were given up together.
pub(super) fn given_up(row: &Row, missed: Missed, outcome: Outcome, reason: &str, now: Timestamp) -> Firing {
    Firing {
        outcome,
        last_due_at: (missed.count > 1).then_some(missed.last),
        count: i32::try_from(missed.count).unwrap_or(i32::MAX),
        reason: Some(reason.to_owned()),
        ..new_firing(row, missed.first, missed.first, Cause::Due, now)
    }
}

fn record(firing: &Firing) {
    metrics::counter!("millrace_schedule_firings_total", "outcome" => firing.outcome.as_str()).increment(1);
    if firing.cause == Cause::Due {
        metrics::histogram!("millrace_schedule_lateness_seconds")
            .record(firing.fired_at.since(firing.planned_at).as_secs_f64());
    }
}
