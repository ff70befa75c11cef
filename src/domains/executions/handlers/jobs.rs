//! HTTP of work on many executions.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get, post};

use super::super::dto::{ExecutionJobResponse, StartExecutionJob};
use super::super::service::Service;
use crate::common::page::PageQuery;
use crate::common::permission::grants::{ExecutionsRead, ExecutionsWrite};
use crate::common::{ExecutionJobId, Page, Problem};
use crate::infrastructure::web::{BadBody, Can, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// Retry, cancel or delete many executions
///
/// Starts a job that does it with each execution that the filter leaves and that was there before. Ask the job how far it is.
#[utoipa::path(
    tag = "executions",
    request_body = StartExecutionJob,
    responses(
        (status = 202, description = "The job as it begins.", body = ExecutionJobResponse),
        Guarded<ExecutionsWrite>, BadBody, NotFound
    )
)]
#[post("/executions/jobs")]
pub(in super::super) async fn start_execution_job(
    ctx: Can<ExecutionsWrite>,
    body: Json<StartExecutionJob>,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    Ok(HttpResponse::Accepted().json(executions.start_job(&ctx, body.into_inner()).await?))
}

/// List jobs on executions
///
/// Newest first.
#[utoipa::path(
    tag = "executions",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of jobs.", body = Page<ExecutionJobResponse>),
        Guarded<ExecutionsRead>
    )
)]
#[get("/executions/jobs")]
pub(in super::super) async fn list_execution_jobs(
    ctx: Can<ExecutionsRead>,
    query: Query<PageQuery>,
    executions: Data<Service>,
) -> Answer<Json<Page<ExecutionJobResponse>>> {
    Ok(Json(executions.list_jobs(&ctx, query.into_inner()).await?))
}

/// Get a job on executions
///
/// How far it is.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionJobId, Path, description = "Id of the job.")),
    responses(
        (status = 200, description = "The job.", body = ExecutionJobResponse),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/jobs/{id}")]
pub(in super::super) async fn get_execution_job(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionJobId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionJobResponse>> {
    Ok(Json(executions.get_job(&ctx, *id).await?))
}

/// Cancel a job on executions
///
/// It stops behind the page it is at; what it has done stays done.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionJobId, Path, description = "Id of the job.")),
    responses(
        (status = 200, description = "The job as it is now.", body = ExecutionJobResponse),
        Guarded<ExecutionsWrite>, NotFound
    )
)]
#[post("/executions/jobs/{id}/cancel")]
pub(in super::super) async fn cancel_execution_job(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionJobId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionJobResponse>> {
    Ok(Json(executions.cancel_job(&ctx, *id).await?))
}
