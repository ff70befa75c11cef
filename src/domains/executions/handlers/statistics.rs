//! HTTP of how executions went.

use actix_web::get;
use actix_web::web::{Data, Path, Query};

use super::super::dto::{
    PoolsResponse, StatisticsQuery, StatisticsResponse, WorkflowStatisticsQuery, WorkflowStatisticsResponse,
};
use super::super::service::Service;
use crate::common::Problem;
use crate::common::permission::grants::ExecutionsRead;
use crate::infrastructure::web::{Can, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// Get statistics of executions
///
/// Counts, success rate and durations of the executions of a span of time: of all, by workflow, and by pieces of time. Only
/// those are counted that are stored: what the settings do not keep is in the tenant's usage alone.
#[utoipa::path(
    tag = "executions",
    params(StatisticsQuery),
    responses(
        (status = 200, description = "The statistics.", body = StatisticsResponse),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/statistics")]
pub(in super::super) async fn get_execution_statistics(
    ctx: Can<ExecutionsRead>,
    query: Query<StatisticsQuery>,
    executions: Data<Service>,
) -> Answer<Json<StatisticsResponse>> {
    Ok(Json(executions.statistics(&ctx, &query).await?))
}

/// Get statistics of a workflow's nodes
///
/// Runs, errors and durations of each node in the latest executions.
#[utoipa::path(
    tag = "executions",
    params(("id" = String, Path, description = "Id or alias of the workflow."), WorkflowStatisticsQuery),
    responses(
        (status = 200, description = "The statistics.", body = WorkflowStatisticsResponse),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/workflows/{id}/statistics")]
pub(in super::super) async fn get_workflow_statistics(
    ctx: Can<ExecutionsRead>,
    id: Path<String>,
    query: Query<WorkflowStatisticsQuery>,
    executions: Data<Service>,
) -> Answer<Json<WorkflowStatisticsResponse>> {
    Ok(Json(executions.workflow_statistics(&ctx, &id, &query).await?))
}

/// List pools of workers
///
/// The pools that the tenant's workflows can be pinned to, with who works for them now and what waits.
#[utoipa::path(
    tag = "executions",
    responses((status = 200, description = "The pools.", body = PoolsResponse), Guarded<ExecutionsRead>)
)]
#[get("/executions/pools")]
pub(in super::super) async fn list_worker_pools(
    ctx: Can<ExecutionsRead>,
    executions: Data<Service>,
) -> Answer<Json<PoolsResponse>> {
    Ok(Json(executions.pools(&ctx).await?))
}
