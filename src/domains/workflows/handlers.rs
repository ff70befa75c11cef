//! HTTP of workflows: route, permission and OpenAPI of each operation in one declaration. Paths and shapes are those of
//! n8n's public API where it has them.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, post, put};

use super::dto::{GetWorkflowQuery, ImportBody, ImportResponse, ListWorkflowsQuery, WorkflowBody, WorkflowResponse};
use super::import::Bundle;
use super::service::Service;
use crate::common::permission::grants::{WorkflowsActivate, WorkflowsRead, WorkflowsWrite};
use crate::common::{Page, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Created, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// List workflows
///
/// Newest first, with their documents. All filters must hold.
#[utoipa::path(
    tag = "workflows",
    params(ListWorkflowsQuery),
    responses((status = 200, description = "A page of workflows.", body = Page<WorkflowResponse>), Guarded<WorkflowsRead>)
)]
#[get("/workflows")]
pub(super) async fn list_workflows(
    ctx: Can<WorkflowsRead>,
    query: Query<ListWorkflowsQuery>,
    workflows: Data<Service>,
) -> Answer<Json<Page<WorkflowResponse>>> {
    let page = workflows.list(&ctx, &query).await?;
    Ok(Json(page.map(|view| WorkflowResponse::from_view(view, query.exclude_pinned_data))))
}

/// Create a workflow
///
/// Makes an inactive workflow from a document in n8n's format. A document that names nodes of unknown type is kept;
/// `problems` then says what keeps it from running.
#[utoipa::path(
    tag = "workflows",
    request_body = WorkflowBody,
    responses(
        (status = 201, description = "The new workflow.", body = WorkflowResponse),
        Guarded<WorkflowsWrite>, BadBody, Conflict
    )
)]
#[post("/workflows")]
pub(super) async fn create_workflow(
    ctx: Can<WorkflowsWrite>,
    body: Json<WorkflowBody>,
    workflows: Data<Service>,
) -> Answer<Created<WorkflowResponse>> {
    let view = workflows.create(&ctx, body.into_inner().into_document()).await?;
    Ok(Created(WorkflowResponse::from_view(view, false)))
}

/// Import workflows
///
/// Takes one n8n export, a list of them, or a page of n8n's public API. All are kept, or none. A document whose
/// `id` is known here becomes a new version of that workflow, any other a new workflow. Nothing is activated.
#[utoipa::path(
    tag = "workflows",
    request_body = ImportBody,
    responses(
        (status = 201, description = "The workflow, or `data` with the list of them.", body = ImportResponse),
        Guarded<WorkflowsWrite>, BadBody, Conflict
    )
)]
#[post("/workflows/import")]
pub(super) async fn import_workflows(
    ctx: Can<WorkflowsWrite>,
    body: Json<ImportBody>,
    workflows: Data<Service>,
) -> Answer<Created<ImportResponse>> {
    let bundle = Bundle::parse(body.into_inner().raw()).map_err(super::Error::from)?;
    Ok(Created(ImportResponse::from_imported(workflows.import(&ctx, bundle).await?)))
}

/// Get a workflow
///
/// By its id, or by the id it was exported under elsewhere.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias."), GetWorkflowQuery),
    responses(
        (status = 200, description = "The workflow.", body = WorkflowResponse),
        Guarded<WorkflowsRead>, NotFound
    )
)]
#[get("/workflows/{id}")]
pub(super) async fn get_workflow(
    ctx: Can<WorkflowsRead>,
    id: Path<String>,
    query: Query<GetWorkflowQuery>,
    workflows: Data<Service>,
) -> Answer<Json<WorkflowResponse>> {
    let view = workflows.get(&ctx, &id).await?;
    Ok(Json(WorkflowResponse::from_view(view, query.exclude_pinned_data)))
}

/// Update a workflow
///
/// Replaces the document by a new version; an active workflow goes on with it at once. Where the body's `versionId`
/// is an older version of the workflow, somebody else changed it meanwhile and the update is refused.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias.")),
    request_body = WorkflowBody,
    responses(
        (status = 200, description = "The workflow as it is now.", body = WorkflowResponse),
        Guarded<WorkflowsWrite>, BadBody, NotFound, Conflict
    )
)]
#[put("/workflows/{id}")]
pub(super) async fn update_workflow(
    ctx: Can<WorkflowsWrite>,
    id: Path<String>,
    body: Json<WorkflowBody>,
    workflows: Data<Service>,
) -> Answer<Json<WorkflowResponse>> {
    let (seen, document) = (body.0.version_seen(), body.into_inner().into_document());
    let view = workflows.update(&ctx, &id, document, seen).await?;
    Ok(Json(WorkflowResponse::from_view(view, false)))
}

/// Delete a workflow
///
/// Takes it out of production and deletes it with its versions and executions. Answers what it was.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The workflow as it was.", body = WorkflowResponse),
        Guarded<WorkflowsWrite>, NotFound
    )
)]
#[delete("/workflows/{id}")]
pub(super) async fn delete_workflow(
    ctx: Can<WorkflowsWrite>,
    id: Path<String>,
    workflows: Data<Service>,
) -> Answer<Json<WorkflowResponse>> {
    let view = workflows.delete(&ctx, &id).await?;
    Ok(Json(WorkflowResponse::from_view(view, false)))
}

/// Export a workflow
///
/// The document with the same JSON values as it came, unknown fields and large numbers included.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The document.", body = WorkflowBody),
        Guarded<WorkflowsRead>, NotFound
    )
)]
#[get("/workflows/{id}/export")]
pub(super) async fn export_workflow(
    ctx: Can<WorkflowsRead>,
    id: Path<String>,
    workflows: Data<Service>,
) -> Answer<HttpResponse> {
    let document = workflows.export(&ctx, &id).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document.as_str().to_owned()))
}

/// Activate a workflow
///
/// Puts the newest version into production: its webhooks answer, its schedules fire. Refused with the list of
/// problems where it cannot run, and where another workflow holds one of its webhook paths.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The workflow, now active.", body = WorkflowResponse),
        Guarded<WorkflowsActivate>, NotFound, Conflict,
        (status = 422, description = "It cannot run; `errors` says why.", content_type = "application/problem+json",
         body = crate::infrastructure::web::ProblemBody)
    )
)]
#[post("/workflows/{id}/activate")]
pub(super) async fn activate_workflow(
    ctx: Can<WorkflowsActivate>,
    id: Path<String>,
    workflows: Data<Service>,
) -> Answer<Json<WorkflowResponse>> {
    Ok(Json(WorkflowResponse::from_view(workflows.activate(&ctx, &id).await?, false)))
}

/// Deactivate a workflow
///
/// Takes it out of production. Executions in progress go on.
#[utoipa::path(
    tag = "workflows",
    params(("id" = String, Path, description = "Id or alias.")),
    responses(
        (status = 200, description = "The workflow, now inactive.", body = WorkflowResponse),
        Guarded<WorkflowsActivate>, NotFound
    )
)]
#[post("/workflows/{id}/deactivate")]
pub(super) async fn deactivate_workflow(
    ctx: Can<WorkflowsActivate>,
    id: Path<String>,
    workflows: Data<Service>,
) -> Answer<Json<WorkflowResponse>> {
    Ok(Json(WorkflowResponse::from_view(workflows.deactivate(&ctx, &id).await?, false)))
}
