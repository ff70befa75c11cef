//! HTTP of executions. Paths and shapes are those of n8n's public API where it has them.

pub(super) mod jobs;
pub(super) mod live;
pub(super) mod reading;
pub(super) mod repeating;
pub(super) mod statistics;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, post};

use super::dto::{ExecutionResponse, GetExecutionQuery, ListExecutionsQuery, TimelineResponse, TriggerWorkflow};
use super::service::{Service, Triggered};
use crate::common::permission::grants::{ExecutionsRead, ExecutionsWrite, WorkflowsExecute};
use crate::common::{ExecutionId, Page, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json, NotFound, Unavailable};

type Answer<T> = Result<T, Problem>;

/// List executions
///
/// Newest first. All filters must hold.
#[utoipa::path(
    tag = "executions",
    params(ListExecutionsQuery),
    responses(
        (status = 200, description = "A page of executions.", body = Page<ExecutionResponse>),
        Guarded<ExecutionsRead>
    )
)]
#[get("/executions")]
pub(super) async fn list_executions(
    ctx: Can<ExecutionsRead>,
    query: Query<ListExecutionsQuery>,
    executions: Data<Service>,
) -> Answer<Json<Page<ExecutionResponse>>> {
    Ok(Json(executions.list(&ctx, &query).await?))
}

/// Get an execution
///
/// With `includeData` also what each node did and the workflow as it was.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution."), GetExecutionQuery),
    responses(
        (status = 200, description = "The execution.", body = ExecutionResponse),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/{id}")]
pub(super) async fn get_execution(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionId>,
    query: Query<GetExecutionQuery>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.get(&ctx, *id, query.include_data).await?))
}

/// Delete an execution
///
/// With its data. One that runs has to be stopped first. Answers what it was.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "The execution as it was.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, NotFound, Conflict
    )
)]
#[delete("/executions/{id}")]
pub(super) async fn delete_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.delete(&ctx, *id).await?))
}

/// Stop an execution
///
/// One that is queued or waits is canceled at once; one that runs is asked to stop, and its state a moment later is
/// answered.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "The execution as it is now.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, NotFound, Conflict
    )
)]
#[post("/executions/{id}/stop")]
pub(super) async fn stop_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.stop(&ctx, *id).await?))
}

/// Get the timeline of an execution
///
/// What happened to it so far, oldest first: its states, its nodes, and the processes that ran it and died.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "The events.", body = TimelineResponse),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/{id}/timeline")]
pub(super) async fn get_execution_timeline(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<TimelineResponse>> {
    Ok(Json(executions.timeline(&ctx, *id).await?))
}

/// Cancel an execution
///
/// The same as stopping it.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "The execution as it is now.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, NotFound, Conflict
    )
)]
#[post("/executions/{id}/cancel")]
pub(super) async fn cancel_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.stop(&ctx, *id).await?))
}

/// Trigger a workflow
///
/// Starts an execution, active or not. Answers as soon as it is stored, or with `wait` when it is over; where that takes
/// longer than the server waits, it answers 202 all the same.
#[utoipa::path(
    tag = "executions",
    params(("id" = String, Path, description = "Id or alias of the workflow.")),
    request_body = TriggerWorkflow,
    responses(
        (status = 200, description = "The execution with its data; it is over.", body = ExecutionResponse),
        (status = 202, description = "The execution; it runs, or soon will.", body = ExecutionResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Unavailable
    )
)]
#[post("/workflows/{id}/trigger")]
pub(super) async fn trigger_workflow(
    ctx: Can<WorkflowsExecute>,
    id: Path<String>,
    body: Json<TriggerWorkflow>,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    Ok(match executions.trigger(&ctx, &id, body.into_inner()).await? {
        Triggered::Ended(execution) => HttpResponse::Ok().json(execution),
        Triggered::Accepted(execution) => HttpResponse::Accepted().json(execution),
    })
}

/// List the executions of a workflow
///
/// Newest first. All filters must hold.
#[utoipa::path(
    tag = "executions",
    params(("id" = String, Path, description = "Id or alias of the workflow."), ListExecutionsQuery),
    responses(
        (status = 200, description = "A page of executions.", body = Page<ExecutionResponse>),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/workflows/{id}/executions")]
pub(super) async fn list_workflow_executions(
    ctx: Can<ExecutionsRead>,
    id: Path<String>,
    query: Query<ListExecutionsQuery>,
    executions: Data<Service>,
) -> Answer<Json<Page<ExecutionResponse>>> {
    Ok(Json(executions.list_of_workflow(&ctx, &id, &query).await?))
}
