//! HTTP of parts of an execution's data, and of what people write on it.

use actix_web::http::header::{CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get, put};
use uuid::Uuid;

use super::super::dto::{
    AnnotateExecution, ExecutionNodesResponse, ExecutionResponse, ExecutionUsageResponse, ItemsPage, ListItemsQuery,
};
use super::super::service::Service;
use crate::common::permission::grants::{ExecutionsRead, ExecutionsWrite};
use crate::common::{ExecutionId, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// List the node runs of an execution
///
/// Which nodes ran how often, with times and counts of items; without the items.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "The nodes in the order in which they ran.", body = ExecutionNodesResponse),
        Guarded<ExecutionsRead>, NotFound, Conflict
    )
)]
#[get("/executions/{id}/nodes")]
pub(in super::super) async fn list_execution_nodes(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionNodesResponse>> {
    Ok(Json(executions.nodes(&ctx, *id).await?))
}

/// Get a binary of an execution
///
/// The bytes of a large binary. Items name it by `id`, which is both ids of this path: of the execution that made it, and its own.
#[utoipa::path(
    tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "Id of the execution that made it."),
        ("binary" = Uuid, Path, description = "Id of the binary.")
    ),
    responses(
        (status = 200, description = "The bytes.", content_type = "application/octet-stream", body = String, example = "bytes"),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/{id}/binaries/{binary}")]
pub(in super::super) async fn get_execution_binary(
    ctx: Can<ExecutionsRead>,
    path: Path<(ExecutionId, Uuid)>,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    let (id, binary) = path.into_inner();
    let bytes = executions.binary(&ctx, id, binary).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, "attachment"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

/// List items of an execution
///
/// What one run of a node put out at one output, page by page.
#[utoipa::path(
    tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "Id of the execution."),
        ("node" = String, Path, description = "Name of the node."),
        ListItemsQuery
    ),
    responses(
        (status = 200, description = "A page of items.", body = ItemsPage),
        Guarded<ExecutionsRead>, NotFound, Conflict
    )
)]
#[get("/executions/{id}/nodes/{node}/items")]
pub(in super::super) async fn list_execution_items(
    ctx: Can<ExecutionsRead>,
    path: Path<(ExecutionId, String)>,
    query: Query<ListItemsQuery>,
    executions: Data<Service>,
) -> Answer<Json<ItemsPage>> {
    let (id, node) = path.into_inner();
    Ok(Json(executions.items(&ctx, id, &node, &query).await?))
}

/// Get what an execution used
///
/// Time, computing time of scripts, items and bytes; known once it has ended or was put aside.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    responses(
        (status = 200, description = "What it used.", body = ExecutionUsageResponse),
        Guarded<ExecutionsRead>, NotFound, Conflict
    )
)]
#[get("/executions/{id}/usage")]
pub(in super::super) async fn get_execution_usage(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionId>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionUsageResponse>> {
    Ok(Json(executions.usage(&ctx, *id).await?))
}

/// Annotate an execution
///
/// Replaces vote, note and tags. Lists can be narrowed by tag.
#[utoipa::path(
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "Id of the execution.")),
    request_body = AnnotateExecution,
    responses(
        (status = 200, description = "The execution with its annotation.", body = ExecutionResponse),
        Guarded<ExecutionsWrite>, BadBody, NotFound
    )
)]
#[put("/executions/{id}/annotation")]
pub(in super::super) async fn annotate_execution(
    ctx: Can<ExecutionsWrite>,
    id: Path<ExecutionId>,
    body: Json<AnnotateExecution>,
    executions: Data<Service>,
) -> Answer<Json<ExecutionResponse>> {
    Ok(Json(executions.annotate(&ctx, *id, body.into_inner()).await?))
}
