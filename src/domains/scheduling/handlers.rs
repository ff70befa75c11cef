//! HTTP of schedules: route, permission and OpenAPI of each operation in one declaration.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post, put};

use super::dto::{
    BackfillResponse, BackfillSchedule, ConflictsResponse, FiringResponse, HistoryQuery, HorizonQuery,
    ListSchedulesQuery, ListTriggersQuery, LoadResponse, NextRunsQuery, NextRunsResponse, PauseSchedule, PreviewQuery,
    PreviewResponse, ScheduleBody, ScheduleResponse, TriggerResponse, UpdateSchedule,
};
use super::service::Service;
use super::triggers::Triggers;
use crate::common::permission::grants::{SchedulesRead, SchedulesWrite, WorkflowsExecute};
use crate::common::{Page, Problem, ScheduleId};
use crate::infrastructure::web::{BadBody, Can, Conflict, Created, Guarded, Json, NoContent, NotFound, Unavailable};

type Answer<T> = Result<T, Problem>;

/// List triggers
///
/// Nodes of workflows that listen: to a Redis server, to a mailbox, to the ends of other workflows' runs. Newest first.
#[utoipa::path(
    tag = "schedules",
    params(ListTriggersQuery),
    responses((status = 200, description = "A page of triggers.", body = Page<TriggerResponse>), Guarded<SchedulesRead>)
)]
#[get("/triggers")]
pub(super) async fn list_triggers(
    ctx: Can<SchedulesRead>,
    query: Query<ListTriggersQuery>,
    triggers: Data<Triggers>,
) -> Answer<Json<Page<TriggerResponse>>> {
    Ok(Json(triggers.list(&ctx, &query).await?))
}

/// List schedules
///
/// Newest first: those made over the API, and those of active workflows' trigger nodes. All filters must hold.
#[utoipa::path(
    tag = "schedules",
    params(ListSchedulesQuery),
    responses((status = 200, description = "A page of schedules.", body = Page<ScheduleResponse>), Guarded<SchedulesRead>)
)]
#[get("/schedules")]
pub(super) async fn list_schedules(
    ctx: Can<SchedulesRead>,
    query: Query<ListSchedulesQuery>,
    schedules: Data<Service>,
) -> Answer<Json<Page<ScheduleResponse>>> {
    Ok(Json(schedules.list(&ctx, &query).await?))
}

/// Create a schedule
///
/// It fires while its workflow is active. Mistakes are named by field, with what is allowed.
#[utoipa::path(
    tag = "schedules",
    request_body = ScheduleBody,
    responses(
        (status = 201, description = "The new schedule.", body = ScheduleResponse),
        Guarded<SchedulesWrite>, BadBody, Conflict
    )
)]
#[post("/schedules")]
pub(super) async fn create_schedule(
    ctx: Can<SchedulesWrite>,
    body: Json<ScheduleBody>,
    schedules: Data<Service>,
) -> Answer<Created<ScheduleResponse>> {
    Ok(Created(schedules.create(&ctx, &body.0).await?))
}

/// Get a schedule
///
/// With its state and the time at which it is due next.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    responses(
        (status = 200, description = "The schedule.", body = ScheduleResponse),
        Guarded<SchedulesRead>, NotFound
    )
)]
#[get("/schedules/{id}")]
pub(super) async fn get_schedule(
    ctx: Can<SchedulesRead>,
    id: Path<ScheduleId>,
    schedules: Data<Service>,
) -> Answer<Json<ScheduleResponse>> {
    Ok(Json(schedules.get(&ctx, *id).await?))
}

/// Replace a schedule
///
/// Takes the whole definition. The clock begins anew where the rule, the zone or the start is another one. Schedules of
/// trigger nodes are changed with their workflow.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    request_body = ScheduleBody,
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleResponse),
        Guarded<SchedulesWrite>, BadBody, NotFound, Conflict
    )
)]
#[put("/schedules/{id}")]
pub(super) async fn replace_schedule(
    ctx: Can<SchedulesWrite>,
    id: Path<ScheduleId>,
    body: Json<ScheduleBody>,
    schedules: Data<Service>,
) -> Answer<Json<ScheduleResponse>> {
    Ok(Json(schedules.replace(&ctx, *id, &body.0).await?))
}

/// Update a schedule
///
/// Changes the fields given. Of a trigger node's schedule jitter, overlap, misfire and failures may be changed.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    request_body = UpdateSchedule,
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleResponse),
        Guarded<SchedulesWrite>, BadBody, NotFound, Conflict
    )
)]
#[patch("/schedules/{id}")]
pub(super) async fn update_schedule(
    ctx: Can<SchedulesWrite>,
    id: Path<ScheduleId>,
    body: Json<UpdateSchedule>,
    schedules: Data<Service>,
) -> Answer<Json<ScheduleResponse>> {
    Ok(Json(schedules.update(&ctx, *id, body.into_inner()).await?))
}

/// Delete a schedule
///
/// With its history. Executions in progress go on.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    responses((status = 204, description = "It is gone."), Guarded<SchedulesWrite>, NotFound, Conflict)
)]
#[delete("/schedules/{id}")]
pub(super) async fn delete_schedule(
    ctx: Can<SchedulesWrite>,
    id: Path<ScheduleId>,
    schedules: Data<Service>,
) -> Answer<NoContent> {
    schedules.delete(&ctx, *id).await?;
    Ok(NoContent)
}

/// Pause a schedule
///
/// Nothing fires until it is resumed. The reason is shown with the schedule.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    request_body = PauseSchedule,
    responses(
        (status = 200, description = "The schedule, now paused.", body = ScheduleResponse),
        Guarded<SchedulesWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/schedules/{id}/pause")]
pub(super) async fn pause_schedule(
    ctx: Can<SchedulesWrite>,
    id: Path<ScheduleId>,
    body: Json<PauseSchedule>,
    schedules: Data<Service>,
) -> Answer<Json<ScheduleResponse>> {
    Ok(Json(schedules.pause(&ctx, *id, &body.0.reason).await?))
}

/// Resume a schedule
///
/// Goes on with the next due time; those since the pause are recorded as skipped. To make up for them: backfill.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    responses(
        (status = 200, description = "The schedule, no longer paused.", body = ScheduleResponse),
        Guarded<SchedulesWrite>, NotFound, Conflict
    )
)]
#[post("/schedules/{id}/resume")]
pub(super) async fn resume_schedule(
    ctx: Can<SchedulesWrite>,
    id: Path<ScheduleId>,
    schedules: Data<Service>,
) -> Answer<Json<ScheduleResponse>> {
    Ok(Json(schedules.resume(&ctx, *id).await?))
}

/// Preview the next runs
///
/// When it is due next, with its jitter and as its zone reads it, through changes of the clock.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule."), NextRunsQuery),
    responses(
        (status = 200, description = "Coming firings.", body = NextRunsResponse),
        Guarded<SchedulesRead>, NotFound
    )
)]
#[get("/schedules/{id}/next")]
pub(super) async fn list_next_runs(
    ctx: Can<SchedulesRead>,
    id: Path<ScheduleId>,
    query: Query<NextRunsQuery>,
    schedules: Data<Service>,
) -> Answer<Json<NextRunsResponse>> {
    Ok(Json(schedules.next_runs(&ctx, *id, query.count).await?))
}

/// List what became of due times
///
/// Newest first: executions that began, how late, and what was skipped or missed and why.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule."), HistoryQuery),
    responses(
        (status = 200, description = "A page of firings.", body = Page<FiringResponse>),
        Guarded<SchedulesRead>, NotFound
    )
)]
#[get("/schedules/{id}/history")]
pub(super) async fn list_firings(
    ctx: Can<SchedulesRead>,
    id: Path<ScheduleId>,
    query: Query<HistoryQuery>,
    schedules: Data<Service>,
) -> Answer<Json<Page<FiringResponse>>> {
    Ok(Json(schedules.history(&ctx, *id, &query).await?))
}

/// Run a schedule now
///
/// Begins an execution at once, whatever runs already, also while it is paused. Its due times stay as they are.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    responses(
        (status = 202, description = "What began.", body = FiringResponse),
        Guarded<WorkflowsExecute>, NotFound, Conflict, Unavailable
    )
)]
#[post("/schedules/{id}/trigger")]
pub(super) async fn trigger_schedule(
    ctx: Can<WorkflowsExecute>,
    id: Path<ScheduleId>,
    schedules: Data<Service>,
) -> Answer<HttpResponse> {
    Ok(HttpResponse::Accepted().json(schedules.trigger(&ctx, *id).await?))
}

/// Backfill a schedule
///
/// Makes up for a range of time past: one execution for each due time in it, one after the other or all at once. A
/// schedule trigger tells each execution the time at which it would have been due. At most 1,000 due times.
#[utoipa::path(
    tag = "schedules",
    params(("id" = ScheduleId, Path, description = "Id of the schedule.")),
    request_body = BackfillSchedule,
    responses(
        (status = 202, description = "How many executions begin.", body = BackfillResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[post("/schedules/{id}/backfill")]
pub(super) async fn backfill_schedule(
    ctx: Can<WorkflowsExecute>,
    id: Path<ScheduleId>,
    body: Json<BackfillSchedule>,
    schedules: Data<Service>,
) -> Answer<HttpResponse> {
    Ok(HttpResponse::Accepted().json(schedules.backfill(&ctx, *id, &body.0).await?))
}

/// Preview a schedule
///
/// What a rule means before it is saved: in words, its next due times, and with which schedules it would collide within a
/// week.
#[utoipa::path(
    tag = "schedules",
    params(PreviewQuery),
    responses(
        (status = 200, description = "What the rule means.", body = PreviewResponse),
        Guarded<SchedulesRead>
    )
)]
#[get("/schedules/preview")]
pub(super) async fn preview_schedule(
    ctx: Can<SchedulesRead>,
    query: Query<PreviewQuery>,
    schedules: Data<Service>,
) -> Answer<Json<PreviewResponse>> {
    Ok(Json(schedules.preview(&ctx, &query).await?))
}

/// List colliding schedules
///
/// Schedules that are due in the same minute: any, those of one workflow, those whose workflows use one credential or are
/// pinned to one pool of workers. The most frequent first, with a suggestion that keeps them apart. At most 100 of them.
#[utoipa::path(
    tag = "schedules",
    params(HorizonQuery),
    responses(
        (status = 200, description = "What collides within the horizon.", body = ConflictsResponse),
        Guarded<SchedulesRead>
    )
)]
#[get("/schedules/conflicts")]
pub(super) async fn list_schedule_conflicts(
    ctx: Can<SchedulesRead>,
    query: Query<HorizonQuery>,
    schedules: Data<Service>,
) -> Answer<Json<ConflictsResponse>> {
    Ok(Json(schedules.conflicts(&ctx, &query).await?))
}

/// Get the load calendar
///
/// How many firings are due in each hour, and in its busiest minute.
#[utoipa::path(
    tag = "schedules",
    params(HorizonQuery),
    responses(
        (status = 200, description = "Hours with firings, in order.", body = LoadResponse),
        Guarded<SchedulesRead>
    )
)]
#[get("/schedules/calendar")]
pub(super) async fn get_schedule_calendar(
    ctx: Can<SchedulesRead>,
    query: Query<HorizonQuery>,
    schedules: Data<Service>,
) -> Answer<Json<LoadResponse>> {
    Ok(Json(schedules.load(&ctx, &query).await?))
}
