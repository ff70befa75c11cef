//! What the API takes and shows of schedules.

mod forecast;
mod triggers;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationErrors};

use super::clockwork::{Unreadable, duration};
use super::describe::describe;
use super::model::{Cause, Misfire, Origin, Outcome, Overlap, State};
use super::repository::{Firing, Row};
use super::rule::{Calendar, Pace, Rule};
use crate::common::page::Limit;
use crate::common::{Cursor, ExecutionId, FiringId, Patch, ScheduleId, Timestamp, WorkflowId};
use crate::domains::executions;

pub(super) use forecast::{
    Conflict, ConflictKind, ConflictsResponse, HorizonQuery, HourLoad, LoadResponse, NextRun, NextRunsQuery,
    NextRunsResponse, PreviewQuery, PreviewResponse, ScheduleName, Suggestion,
};
pub(super) use triggers::{ListTriggersQuery, TriggerResponse};

const fn skip() -> Overlap {
    Overlap::Skip
}

const fn run_once() -> Misfire {
    Misfire::RunOnce
}

const fn an_hour() -> u64 {
    3600
}

/// A schedule: which workflow begins when. One of `cron`, `everySeconds` and `calendar` says when.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "workflowId": "nightly-report", "name": "Every night", "cron": "30 2 * * *", "timezone": "Europe/Vienna",
    "jitterSeconds": 60, "inputData": { "kind": "full" }, "overlap": "skip", "misfire": "runOnce"
}))]
pub struct ScheduleBody {
    /// Id or alias of the workflow. It fires while the workflow is active.
    pub workflow_id: String,
    pub name: String,
    pub description: Option<String>,
    /// Five fields (minute, hour, day of month, month, day of week), six with the second in front, or a nickname such as
    /// `@daily`.
    pub cron: Option<String>,
    /// Every so many seconds, counted from `startsAt` or else from now; 1–31622400.
    pub every_seconds: Option<u64>,
    /// Times of day on certain days.
    pub calendar: Option<Calendar>,
    /// IANA name of the zone in which `cron` and `calendar` are read; the server's zone when left out.
    pub timezone: Option<String>,
    /// Nothing is due before.
    pub starts_at: Option<Timestamp>,
    /// Nothing is due after.
    pub ends_at: Option<Timestamp>,
    /// Each firing is put off by a span of up to so many seconds, so that not all fire at once.
    #[serde(default)]
    pub jitter_seconds: u64,
    /// Name of the trigger node it begins at, as for `POST /workflows/{id}/trigger`.
    pub trigger_event: Option<String>,
    /// One item, or a list of them, which the workflow begins with.
    #[schema(value_type = Option<Object>)]
    pub input_data: Option<millrace_model::Value>,
    /// When the execution before still runs.
    #[serde(default = "skip")]
    pub overlap: Overlap,
    /// After a time at which nothing ran to fire it.
    #[serde(default = "run_once")]
    pub misfire: Misfire,
    /// With `misfire: catchUp`: how old a due time may be.
    #[serde(default = "an_hour")]
    pub catch_up_seconds: u64,
    /// Failed executions in a row after which it is paused; 0: never.
    #[serde(default)]
    pub pause_after_failures: u16,
    /// Refuse it when it is due together with others; see `GET /schedules/conflicts`.
    #[serde(default)]
    pub refuse_conflicts: bool,
}

/// Changes of a schedule. What is left out stays; giving one of `cron`, `everySeconds` and `calendar` replaces the others.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "overlap": "queueOne", "pauseAfterFailures": 5 }))]
pub struct UpdateSchedule {
    pub name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    pub cron: Option<String>,
    pub every_seconds: Option<u64>,
    pub calendar: Option<Calendar>,
    pub timezone: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub starts_at: Patch<Timestamp>,
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Patch<Timestamp>,
    pub jitter_seconds: Option<u64>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub trigger_event: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub input_data: Patch<millrace_model::Value>,
    pub overlap: Option<Overlap>,
    pub misfire: Option<Misfire>,
    pub catch_up_seconds: Option<u64>,
    pub pause_after_failures: Option<u16>,
    /// Refuse the changes when it is then due together with others; see `GET /schedules/conflicts`.
    #[serde(default)]
    pub refuse_conflicts: bool,
}

/// Why a schedule is paused.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "reason": "The supplier's site is down" }))]
pub(super) struct PauseSchedule {
    #[validate(length(min = 1, max = 500), custom(function = crate::common::validate::visible_text))]
    pub reason: String,
}

/// A range of time past for which executions are made up.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "from": "2025-01-30T00:00:00Z", "to": "2025-01-30T23:59:59Z" }))]
pub struct BackfillSchedule {
    /// The first due time that counts.
    pub from: Timestamp,
    /// The last one; not in the future.
    pub to: Timestamp,
    /// All at once instead of one after the other.
    #[serde(default)]
    pub concurrently: bool,
}

/// What must hold of the bodies is said by `definition` and `service`, with more than one field in view.
macro_rules! checked_by_the_service {
    ($($body:ty),*) => {
        $(impl Validate for $body {
            fn validate(&self) -> Result<(), ValidationErrors> {
                Ok(())
            }
        })*
    };
}

checked_by_the_service!(ScheduleBody, UpdateSchedule, BackfillSchedule);

/// Filters of the list of schedules.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListSchedulesQuery {
    /// Only schedules of this workflow; its id or alias.
    pub workflow_id: Option<String>,
    /// Only schedules in this state.
    pub state: Option<State>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// Filters of the history of a schedule.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct HistoryQuery {
    /// Only due times of which this became.
    pub outcome: Option<Outcome>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// A schedule as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8058", "origin": "api",
    "node": null, "name": "Every night", "description": null, "cron": "30 2 * * *", "everySeconds": null,
    "calendar": null, "every": null, "timezone": "Europe/Vienna", "summary": "At 02:30", "startsAt": null, "endsAt": null,
    "jitterSeconds": 60, "triggerEvent": null, "inputData": { "kind": "full" }, "overlap": "skip", "misfire": "runOnce",
    "catchUpSeconds": 3600, "pauseAfterFailures": 0, "state": "active", "pauseReason": null, "pausedAt": null,
    "lastDueAt": null, "nextDueAt": "2025-02-01T01:30:00.000Z", "nextFiresAt": "2025-02-01T01:30:21.400Z",
    "failuresInARow": 0, "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct ScheduleResponse {
    pub id: ScheduleId,
    pub workflow_id: WorkflowId,
    pub origin: Origin,
    /// The trigger node it stands for, where it is part of a workflow.
    pub node: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub cron: Option<String>,
    pub every_seconds: Option<f64>,
    pub calendar: Option<Calendar>,
    /// Of the times that `cron` gives only every n-th of a unit, where it is part of a workflow.
    pub every: Option<Pace>,
    pub timezone: String,
    /// When it is due, in words.
    pub summary: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub jitter_seconds: u64,
    pub trigger_event: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub input_data: Option<Box<RawValue>>,
    pub overlap: Overlap,
    pub misfire: Misfire,
    pub catch_up_seconds: u64,
    pub pause_after_failures: i32,
    pub state: State,
    pub pause_reason: Option<String>,
    pub paused_at: Option<Timestamp>,
    /// The due time that was dealt with last.
    pub last_due_at: Option<Timestamp>,
    pub next_due_at: Option<Timestamp>,
    /// The same with its jitter.
    pub next_fires_at: Option<Timestamp>,
    pub failures_in_a_row: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What became of a due time, or of several that were given up together.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8059", "scheduleId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "dueAt": "2025-02-01T01:30:00.000Z", "lastDueAt": null, "count": 1, "plannedAt": "2025-02-01T01:30:21.400Z",
    "firedAt": "2025-02-01T01:30:21.412Z", "latenessMs": 12, "cause": "due", "outcome": "started", "reason": null,
    "executionId": "01890a5d-ac96-774b-bcce-b302099a8060", "executionStatus": "success"
}))]
pub struct FiringResponse {
    pub id: FiringId,
    pub schedule_id: ScheduleId,
    pub due_at: Timestamp,
    /// The last of the due times, where it tells of several.
    pub last_due_at: Option<Timestamp>,
    /// How many due times it tells of.
    pub count: i32,
    /// The due time with its jitter.
    pub planned_at: Timestamp,
    /// When it fired, or when it was given up.
    pub fired_at: Timestamp,
    /// From `plannedAt` to `firedAt`.
    pub lateness_ms: u64,
    pub cause: Cause,
    pub outcome: Outcome,
    /// Why it was left out, missed, or failed.
    pub reason: Option<String>,
    pub execution_id: Option<ExecutionId>,
    /// Null where the execution was deleted, or was not to be kept.
    pub execution_status: Option<executions::Status>,
}

/// Executions that are made up for a range of time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "count": 24, "firstDueAt": "2025-01-30T00:00:00.000Z", "lastDueAt": "2025-01-30T23:00:00.000Z"
}))]
pub struct BackfillResponse {
    /// How many executions begin, now or one after the other; the schedule's history has them.
    pub count: usize,
    pub first_due_at: Option<Timestamp>,
    pub last_due_at: Option<Timestamp>,
}

impl ScheduleBody {
    /// What a caller would have sent to get this row.
    pub(super) fn of_row(row: &Row) -> Result<ScheduleBody, Unreadable> {
        let rule = row.read_rule()?;
        let every_seconds = match &rule {
            Rule::Interval { milliseconds } => Some(milliseconds.div_ceil(1000)),
            _ => None,
        };
        let (cron, calendar) = match rule {
            Rule::Cron { expression, .. } => (Some(expression), None),
            Rule::Calendar(calendar) => (None, Some(calendar)),
            Rule::Interval { .. } => (None, None),
        };
        Ok(ScheduleBody {
            workflow_id: row.workflow_id.to_string(),
            name: row.name.clone(),
            description: row.description.clone(),
            cron,
            every_seconds,
            calendar,
            timezone: Some(row.zone.clone()),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            jitter_seconds: duration(row.jitter_ms).as_secs(),
            trigger_event: row.trigger_event.clone(),
            input_data: row.input.as_deref().and_then(|text| millrace_model::Value::from_json(text).ok()),
            overlap: row.overlap,
            misfire: row.misfire,
            catch_up_seconds: duration(row.catch_up_ms).as_secs(),
            pause_after_failures: u16::try_from(row.pause_after).unwrap_or(u16::MAX),
            refuse_conflicts: false,
        })
    }
}

impl UpdateSchedule {
    /// The definition with the changes made.
    pub(super) fn apply(self, mut body: ScheduleBody) -> ScheduleBody {
        if self.cron.is_some() || self.every_seconds.is_some() || self.calendar.is_some() {
            (body.cron, body.every_seconds, body.calendar) = (self.cron, self.every_seconds, self.calendar);
        }
        body.name = self.name.unwrap_or(body.name);
        body.description = self.description.apply(body.description);
        body.timezone = self.timezone.or(body.timezone);
        body.starts_at = self.starts_at.apply(body.starts_at);
        body.ends_at = self.ends_at.apply(body.ends_at);
        body.jitter_seconds = self.jitter_seconds.unwrap_or(body.jitter_seconds);
        body.trigger_event = self.trigger_event.apply(body.trigger_event);
        body.input_data = self.input_data.apply(body.input_data);
        body.overlap = self.overlap.unwrap_or(body.overlap);
        body.misfire = self.misfire.unwrap_or(body.misfire);
        body.catch_up_seconds = self.catch_up_seconds.unwrap_or(body.catch_up_seconds);
        body.pause_after_failures = self.pause_after_failures.unwrap_or(body.pause_after_failures);
        body.refuse_conflicts = self.refuse_conflicts;
        body
    }

    /// Whether it changes more than how firings are dealt with, which a workflow leaves open.
    pub(super) fn changes_definition(&self) -> bool {
        self.name.is_some()
            || !self.description.is_absent()
            || self.cron.is_some()
            || self.every_seconds.is_some()
            || self.calendar.is_some()
            || self.timezone.is_some()
            || !self.starts_at.is_absent()
            || !self.ends_at.is_absent()
            || !self.trigger_event.is_absent()
            || !self.input_data.is_absent()
    }
}

impl ScheduleResponse {
    pub(super) fn from_row(row: Row) -> Result<ScheduleResponse, Unreadable> {
        let rule = row.read_rule()?;
        let summary = describe(&rule);
        let (mut cron, mut every_seconds, mut calendar, mut every) = (None, None, None, None);
        match rule {
            Rule::Cron { expression, pace } => (cron, every) = (Some(expression), pace),
            Rule::Interval { milliseconds } => {
                every_seconds = Some(std::time::Duration::from_millis(milliseconds).as_secs_f64());
            }
            Rule::Calendar(of_days) => calendar = Some(of_days),
        }
        Ok(ScheduleResponse {
            id: row.id,
            workflow_id: row.workflow_id,
            origin: row.origin,
            node: row.node,
            name: row.name,
            description: row.description,
            cron,
            every_seconds,
            calendar,
            every,
            timezone: row.zone,
            summary,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            jitter_seconds: duration(row.jitter_ms).as_secs(),
            trigger_event: row.trigger_event,
            input_data: row.input.and_then(|text| RawValue::from_string(text).ok()),
            overlap: row.overlap,
            misfire: row.misfire,
            catch_up_seconds: duration(row.catch_up_ms).as_secs(),
            pause_after_failures: row.pause_after,
            state: row.state,
            pause_reason: row.pause_reason,
            paused_at: row.paused_at,
            last_due_at: row.last_due_at,
            next_due_at: row.due_at,
            next_fires_at: row.fire_at,
            failures_in_a_row: row.failures,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl FiringResponse {
    pub(super) fn new(firing: Firing, execution_status: Option<executions::Status>) -> FiringResponse {
        let lateness = firing.fired_at.since(firing.planned_at).as_millis();
        FiringResponse {
            id: firing.id,
            schedule_id: firing.schedule_id,
            due_at: firing.due_at,
            last_due_at: firing.last_due_at,
            count: firing.count,
            planned_at: firing.planned_at,
            fired_at: firing.fired_at,
            lateness_ms: u64::try_from(lateness).unwrap_or(u64::MAX),
            cause: firing.cause,
            outcome: firing.outcome,
            reason: firing.reason,
            execution_id: firing.execution_id,
            execution_status,
        }
    }
}
