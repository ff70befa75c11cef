//! HTTP of repeating executions, of going on with them, and of running a part of a workflow.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};

use super::super::dto::{ExecutionResponse, RepeatExecution, ResumeExecution, RunWorkflow};
use super::super::service::{Service, Triggered};
use crate::common::permission::grants::{ExecutionsWrite, WorkflowsExecute};
use crate::common::{ExecutionId, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json, NotFound, OptionalJson, Unavailable};

type Answer<T> = Result<T, Problem>;

/// Retry an execution
///
/// Repeats an execution that failed, was stopped or crashed, as a new one, from the node that failed: what was done before
/// is not done again. With the version that ran, or with `loadWorkflow` with the workflow as it is now.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    request_body = RepeatExecution,
    responses(
        (status = 200, description = "The new execution.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[post("/executions/{id}/retry")]
pub(in super::super) async fn retry_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    body: OptionalJson<RepeatExecution>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    let load_workflow = body.0.is_some_and(|body| body.load_workflow);
    Ok(Json(executions.retry(&ctx, *id, load_workflow).await?))
}

/// Replay an execution
///
/// Runs an execution that is over once more from its beginning, as a new one, with the items that it began with.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    request_body = RepeatExecution,
    responses(
        (status = 200, description = "The new execution.", body = ExecutionResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[post("/executions/{id}/replay")]
pub(in super::super) async fn replay_execution(
    ctx: Can<WorkflowsExecute>,
    id: Path<ExecutionId>,
    body: OptionalJson<RepeatExecution>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    let load_workflow = body.0.is_some_and(|body| body.load_workflow);
    Ok(Json(executions.replay(&ctx, *id, load_workflow).await?))
}

/// Resume an execution
///
/// Lets a waiting execution go on at once, whatever it waits for.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    request_body = ResumeExecution,
    responses(
        (status = 200, description = "The execution as it is now.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[post("/executions/{id}/resume")]
pub(in super::super) async fn resume_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    body: OptionalJson<ResumeExecution>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.resume_now(&ctx, *id, body.0.unwrap_or_default()).await?))
}

/// Run a part of a workflow
///
/// Runs the newest version by hand: no more than leads to `destinationNode`, with pinned data, and with data of an earlier
/// execution in place of running nodes again. Not taken is the data of the destination, of nodes that were changed
/// (`dirtyNodeNames`) or failed, and of everything behind them.
#[utoipa::path(
    tag = "executions",
    params(("id" = String, Path, description = "Id or alias of the workflow.")),
    request_body = RunWorkflow,
    responses(
        (status = 200, description = "The execution with its data; it is over.", body = ExecutionResponse),
        (status = 202, description = "The execution; it runs, or soon will.", body = ExecutionResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Unavailable
    )
)]
#[post("/workflows/{id}/run")]
pub(in super::super) async fn run_workflow(
    ctx: Can<WorkflowsExecute>,
    id: Path<String>,
    body: Json<RunWorkflow>,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    Ok(match executions.run(&ctx, &id, body.into_inner()).await? {
        Triggered::Ended(execution) => HttpResponse::Ok().json(execution),
        Triggered::Accepted(execution) => HttpResponse::Accepted().json(execution),
    })
}
