//! What is to come, as the API shows it: next runs, collisions, load.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::{ScheduleId, Timestamp};

/// How many coming firings to show.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct NextRunsQuery {
    /// 1–100.
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub count: Option<u8>,
}

/// A rule that is not saved yet: `cron`, `everySeconds` or `calendar`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct PreviewQuery {
    /// As in a schedule.
    #[param(example = "30 2 * * *")]
    pub cron: Option<String>,
    /// As in a schedule.
    pub every_seconds: Option<u64>,
    /// As in a schedule, as JSON.
    #[param(example = r#"{"times":["02:30"],"daysOfMonth":[-1]}"#)]
    pub calendar: Option<String>,
    /// As in a schedule.
    pub jitter_seconds: Option<u64>,
    /// IANA name; the server's zone when left out.
    #[param(example = "Europe/Vienna")]
    pub timezone: Option<String>,
    /// Id or alias of the workflow it would begin, for collisions.
    pub workflow_id: Option<String>,
    /// 1–100.
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub count: Option<u8>,
}

/// A range of time to come.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct HorizonQuery {
    /// Where it begins; now when left out.
    pub from: Option<Timestamp>,
    /// How long it is, 1–744.
    #[param(minimum = 1, maximum = 744, default = 168)]
    pub hours: Option<u16>,
}

/// Coming firings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "summary": "At 02:30", "timezone": "Europe/Vienna",
    "runs": [{ "dueAt": "2025-02-01T01:30:00.000Z", "firesAt": "2025-02-01T01:30:21.400Z",
               "local": "2025-02-01T02:30:00+01:00" }]
}))]
pub struct NextRunsResponse {
    /// When it is due, in words.
    pub summary: String,
    pub timezone: String,
    /// Empty when it is paused, ended, or its workflow is not active.
    pub runs: Vec<NextRun>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextRun {
    pub due_at: Timestamp,
    /// The due time with its jitter.
    pub fires_at: Timestamp,
    /// The due time as the schedule's zone reads it.
    pub local: String,
}

/// What a rule means.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "summary": "At 02:30", "timezone": "Europe/Vienna",
    "runs": [{ "dueAt": "2025-02-01T01:30:00.000Z", "firesAt": "2025-02-01T01:30:00.000Z",
               "local": "2025-02-01T02:30:00+01:00" }],
    "conflicts": []
}))]
pub struct PreviewResponse {
    /// When it is due, in words.
    pub summary: String,
    pub timezone: String,
    pub runs: Vec<NextRun>,
    /// With which schedules it would be due together within a week.
    pub conflicts: Vec<Conflict>,
}

/// Schedules that are due together.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "from": "2025-01-31T08:00:00.000Z", "to": "2025-02-07T08:00:00.000Z", "schedules": 2, "complete": true,
    "conflicts": [{
        "kind": "credential", "resource": "01890a5d-ac96-774b-bcce-b302099a8061", "size": 2, "count": 7,
        "schedules": [{ "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "Every night" },
                      { "id": "01890a5d-ac96-774b-bcce-b302099a8058", "name": "Backup" }],
        "firstAt": "2025-02-01T01:30:00.000Z",
        "suggestion": { "scheduleId": "01890a5d-ac96-774b-bcce-b302099a8058", "offsetMinutes": 1,
                        "text": "Put \"Backup\" off by 1 min: then it meets no other schedule." }
    }]
}))]
pub struct ConflictsResponse {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Schedules that were looked at.
    pub schedules: usize,
    /// Every schedule and every due time was looked at; there are bounds.
    pub complete: bool,
    pub conflicts: Vec<Conflict>,
}

/// The same schedules, due in the same minute, again and again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    pub kind: ConflictKind,
    /// The workflow, credential or pool they share.
    pub resource: Option<String>,
    /// The schedules, at most 20 of them: the first ones and the last.
    pub schedules: Vec<ScheduleName>,
    /// How many schedules they are.
    pub size: usize,
    /// In how many minutes of the horizon.
    pub count: u32,
    pub first_at: Timestamp,
    pub suggestion: Option<Suggestion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConflictKind {
    /// They share nothing but the minute.
    Minute,
    /// They begin the same workflow.
    Workflow,
    /// Their workflows use the same credential.
    Credential,
    /// Their workflows are pinned to the same pool of workers.
    Pool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScheduleName {
    pub id: ScheduleId,
    pub name: String,
}

/// What would keep schedules apart.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// The one that was asked about, or else the newest of them.
    pub schedule_id: ScheduleId,
    /// Minutes by which to put it off; 0 where that does not help.
    pub offset_minutes: i64,
    /// The same in a sentence.
    pub text: String,
}

/// Firings by the hour.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "from": "2025-01-31T08:00:00.000Z", "to": "2025-02-07T08:00:00.000Z", "schedules": 2, "complete": true,
    "hours": [{ "hour": "2025-02-01T01:00:00.000Z", "firings": 2, "schedules": 2,
                "busiestMinute": "2025-02-01T01:30:00.000Z", "firingsInBusiestMinute": 2 }]
}))]
pub struct LoadResponse {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Schedules that were looked at.
    pub schedules: usize,
    /// Every schedule and every due time was looked at; there are bounds.
    pub complete: bool,
    /// Hours with firings, in order.
    pub hours: Vec<HourLoad>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HourLoad {
    pub hour: Timestamp,
    pub firings: u32,
    /// Different schedules.
    pub schedules: usize,
    pub busiest_minute: Timestamp,
    pub firings_in_busiest_minute: u32,
}
