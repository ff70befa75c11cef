//! What is to come: the next runs of a schedule, what a rule would mean, which schedules collide, how many fire in which
//! hour. Looks only at schedules that fire; within bounds, and says where a bound was hit.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use jiff::tz::TimeZone;
use millrace_model::Value;

use super::conflicts::{self, Uses, Watched};
use super::definition::{Definition, first_search};
use super::describe::describe;
use super::dto::{
    Conflict, ConflictsResponse, HorizonQuery, LoadResponse, NextRun, NextRunsResponse, PreviewQuery, PreviewResponse,
    ScheduleBody,
};
use super::error::Error;
use super::model::{Misfire, Timing};
use super::repository::{self as rows, Row};
use super::service::{Service, unknown_workflow};
use crate::common::{Ctx, FieldError, ScheduleId, Timestamp, WorkflowId};
use crate::domains::workflows;

const DEFAULT_RUNS: u8 = 10;
const MAX_RUNS: u8 = 100;
const DEFAULT_HOURS: u16 = 168;
const MAX_HOURS: u16 = 744;
/// Schedules looked at, due times of one of them, and of all.
const MAX_SCHEDULES: usize = 2_000;
const MAX_DUE: usize = 50_000;
const MAX_DUE_OF_ALL: usize = 500_000;

/// Schedules and their due times within a range.
struct Horizon {
    watched: Vec<Watched>,
    complete: bool,
}

impl Service {
    /// Coming firings of a schedule.
    pub async fn next_runs(&self, ctx: &Ctx, id: ScheduleId, count: Option<u8>) -> Result<NextRunsResponse, Error> {
        let count = run_count(count)?;
        let row = self.row(ctx, id).await?;
        let (timetable, zone) = (row.timetable()?, row.time_zone()?);
        let timing = row.timing(&timetable);
        let due = std::iter::successors(row.due_at, |due| timing.after(*due)).take(count);
        let runs = due.map(|due| next_run(due, timing.fires_at(due), &zone)).collect();
        Ok(NextRunsResponse { summary: describe(&row.read_rule()?), timezone: row.zone.clone(), runs })
    }

    /// What a rule means, before it is saved.
    pub async fn preview(&self, ctx: &Ctx, query: &PreviewQuery) -> Result<PreviewResponse, Error> {
        let count = run_count(query.count)?;
        let now = self.clock.now();
        let body = ScheduleBody::of_query(query)?;
        let definition = self.check(&body, now).map_err(as_query)?;
        let (id, timetable) = (ScheduleId::new(), definition.timetable(now)?);
        let timing = definition.timing(id, &timetable);
        let due = std::iter::successors(timing.first_after(now, None), |due| timing.after(*due));
        let runs = due.take(count).map(|due| next_run(due, timing.fires_at(due), &definition.zone)).collect();
        let workflow = match &query.workflow_id {
            None => None,
            Some(reference) => Some(self.resolve(ctx, reference).await.map_err(as_query)?),
        };
        let conflicts = self.conflicts_with(ctx, id, workflow, &definition, now).await?;
        let (summary, timezone) = (describe(&definition.rule), definition.zone_name);
        Ok(PreviewResponse { summary, timezone, runs, conflicts })
    }

    /// Schedules of the tenant that are due together.
    pub async fn conflicts(&self, ctx: &Ctx, query: &HorizonQuery) -> Result<ConflictsResponse, Error> {
        let (from, to) = self.range(query)?;
        let Horizon { watched, complete } = self.look_ahead(ctx, from, to).await?;
        let schedules = watched.len();
        let conflicts = beside_requests(move || conflicts::find_conflicts(&watched, None)).await;
        Ok(ConflictsResponse { from, to, schedules, complete, conflicts })
    }

    /// Firings of the tenant by the hour.
    pub async fn load(&self, ctx: &Ctx, query: &HorizonQuery) -> Result<LoadResponse, Error> {
        let (from, to) = self.range(query)?;
        let Horizon { watched, complete } = self.look_ahead(ctx, from, to).await?;
        let schedules = watched.len();
        let hours = beside_requests(move || conflicts::load(&watched)).await;
        Ok(LoadResponse { from, to, schedules, complete, hours })
    }

    /// Refuses a definition that would fire together with other schedules within a week.
    pub(super) async fn refuse_conflicts(
        &self,
        ctx: &Ctx,
        id: ScheduleId,
        workflow: &str,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<(), Error> {
        let workflow = self.resolve(ctx, workflow).await?;
        match self.conflicts_with(ctx, id, Some(workflow), definition, now).await?.len() {
            0 => Ok(()),
            count => Err(Error::Collides { count }),
        }
    }

    async fn resolve(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowId, Error> {
        match self.workflows.resolve(ctx, reference).await {
            Err(workflows::Error::NotFound) => Err(unknown_workflow(reference)),
            found => Ok(found?),
        }
    }

    async fn conflicts_with(
        &self,
        ctx: &Ctx,
        id: ScheduleId,
        workflow: Option<WorkflowId>,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<Vec<Conflict>, Error> {
        let to = now.plus(Duration::from_secs(u64::from(DEFAULT_HOURS) * 3600));
        let mut horizon = self.look_ahead(ctx, now, to).await?;
        // What is to be saved stands for itself as it was before.
        horizon.watched.retain(|watched| watched.id != id);
        let timetable = definition.timetable(now)?;
        let timing = definition.timing(id, &timetable);
        let first = timing.first_after(first_search(definition.starts_at, now), None);
        let due = std::iter::successors(first, |due| timing.after(*due));
        let uses = match workflow {
            Some(workflow) => self.uses(ctx, workflow).await?,
            None => Uses::default(),
        };
        horizon.watched.push(Watched {
            id,
            name: definition.name.clone(),
            // One that is its own: it shares no workflow with others.
            workflow: workflow.unwrap_or_else(WorkflowId::new),
            uses,
            fires: fires(&timing, due.take_while(|due| *due <= to).take(MAX_DUE)),
        });
        Ok(beside_requests(move || conflicts::find_conflicts(&horizon.watched, Some(id))).await)
    }

    fn range(&self, query: &HorizonQuery) -> Result<(Timestamp, Timestamp), Error> {
        let hours = query.hours.unwrap_or(DEFAULT_HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            let message = format!("must be between 1 and {MAX_HOURS}");
            return Err(Error::Invalid(vec![FieldError::new("?hours", "range", message)]));
        }
        let from = query.from.unwrap_or_else(|| self.clock.now());
        Ok((from, from.plus(Duration::from_secs(u64::from(hours) * 3600))))
    }

    /// The tenant's schedules that fire, with their due times in a range.
    async fn look_ahead(&self, ctx: &Ctx, from: Timestamp, to: Timestamp) -> Result<Horizon, Error> {
        let limit = u64::try_from(MAX_SCHEDULES + 1).unwrap_or(u64::MAX);
        let mut found = rows::firing(&self.database.read(ctx), ctx.tenant, limit).await?;
        let mut complete = found.len() <= MAX_SCHEDULES;
        found.truncate(MAX_SCHEDULES);
        let (mut watched, mut left) = (Vec::with_capacity(found.len()), MAX_DUE_OF_ALL);
        let mut uses: HashMap<WorkflowId, Uses> = HashMap::new();
        for row in found {
            if let Entry::Vacant(unknown) = uses.entry(row.workflow_id) {
                unknown.insert(self.uses(ctx, row.workflow_id).await?);
            }
            let fires = firings_within(&row, from, to, left.min(MAX_DUE))?;
            complete &= fires.len() < left.min(MAX_DUE);
            left = left.saturating_sub(fires.len());
            watched.push(Watched {
                id: row.id,
                name: row.name,
                workflow: row.workflow_id,
                uses: uses.get(&row.workflow_id).cloned().unwrap_or_default(),
                fires,
            });
        }
        Ok(Horizon { watched, complete })
    }

    /// What a workflow in production needs. Credentials by id, or by name where there is none.
    async fn uses(&self, ctx: &Ctx, workflow: WorkflowId) -> Result<Uses, Error> {
        let programs = self.firer.executions.executor().programs();
        let program = programs.production(ctx.tenant, &workflow.to_string()).await?;
        let nodes = program.workflow().nodes.iter().filter(|node| !node.disabled);
        let named = nodes.flat_map(|node| node.credentials.iter()).filter_map(|(_, credential)| {
            let field = |name: &str| credential.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            field("id").or_else(|| field("name")).map(str::to_owned)
        });
        let mut all: Vec<String> = named.collect();
        all.sort_unstable();
        all.dedup();
        Ok(Uses { credentials: all, pool: program.pool.clone() })
    }
}

impl ScheduleBody {
    /// A body that says no more than when.
    fn of_query(query: &PreviewQuery) -> Result<ScheduleBody, Error> {
        let calendar = query.calendar.as_deref().map(serde_json::from_str).transpose().map_err(|error| {
            Error::Invalid(vec![FieldError::new("?calendar", "invalid_value", format!("is no calendar: {error}"))])
        })?;
        Ok(ScheduleBody {
            workflow_id: String::new(),
            name: "This schedule".to_owned(),
            description: None,
            cron: query.cron.clone(),
            every_seconds: query.every_seconds,
            calendar,
            timezone: query.timezone.clone(),
            starts_at: None,
            ends_at: None,
            jitter_seconds: query.jitter_seconds.unwrap_or_default(),
            trigger_event: None,
            input_data: None,
            overlap: super::model::Overlap::Skip,
            misfire: Misfire::RunOnce,
            catch_up_seconds: 3600,
            pause_after_failures: 0,
            refuse_conflicts: false,
        })
    }
}

/// When due times fire, in order.
fn fires(timing: &Timing<'_>, due: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut fires: Vec<Timestamp> = due.map(|due| timing.fires_at(due)).collect();
    // Jitters may overtake one another.
    fires.sort_unstable();
    fires
}

/// The firings of what is due in a range.
fn firings_within(row: &Row, from: Timestamp, to: Timestamp, most: usize) -> Result<Vec<Timestamp>, Error> {
    let timetable = row.timetable()?;
    let timing = row.timing(&timetable);
    // What lies before the range is passed over by a search, not one by one.
    let first = match row.due_at {
        Some(due) if due < from => timing.first_after(from.minus(Duration::from_millis(1)), Some(due)),
        due => due,
    };
    let due = std::iter::successors(first, |due| timing.after(*due));
    Ok(fires(&timing, due.take_while(|due| *due <= to).take(most)))
}

fn next_run(due: Timestamp, fires_at: Timestamp, zone: &TimeZone) -> NextRun {
    let local = jiff::Timestamp::from_millisecond(due.as_millis()).unwrap_or_default().to_zoned(zone.clone());
    NextRun { due_at: due, fires_at, local: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string() }
}

fn run_count(count: Option<u8>) -> Result<usize, Error> {
    let count = count.unwrap_or(DEFAULT_RUNS);
    if (1..=MAX_RUNS).contains(&count) {
        return Ok(usize::from(count));
    }
    let message = format!("must be between 1 and {MAX_RUNS}");
    Err(Error::Invalid(vec![FieldError::new("?count", "range", message)]))
}

/// The mistakes of a body, told of the query that it was made from.
fn as_query(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let moved = faults.into_iter().map(|fault| FieldError { pointer: fault.pointer.replacen('/', "?", 1), ..fault });
    Error::Invalid(moved.collect())
}

/// Does what takes long apart from the threads that answer requests.
async fn beside_requests<T: Send + Default + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "schedules could not be looked ahead");
            T::default()
        }
    }
}
