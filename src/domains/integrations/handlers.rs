//! HTTP of other servers.

use actix_web::web::{Data, Path, Query};
use actix_web::{get, post};

use super::dto::{
    ImportN8nWorkflows, ListN8nExecutionsQuery, ListN8nWorkflowsQuery, N8nExecution, N8nExecutionsPage,
    N8nImportResponse, N8nWorkflowsPage, TriggerN8nWorkflow, TriggeredN8nWorkflow,
};
use super::service::Service;
use crate::common::Problem;
use crate::common::permission::grants::{ExecutionsRead, WorkflowsExecute, WorkflowsRead, WorkflowsWrite};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// List workflows of another n8n
///
/// By its public API, with the address and key of a credential of the type `n8nApi`.
#[utoipa::path(
    tag = "integrations",
    params(("id" = String, Path, description = "Id of the credential."), ListN8nWorkflowsQuery),
    responses(
        (status = 200, description = "A page of workflows.", body = N8nWorkflowsPage),
        Guarded<WorkflowsRead>, NotFound, Conflict
    )
)]
#[get("/integrations/n8n/{id}/workflows")]
pub(super) async fn list_n8n_workflows(
    ctx: Can<WorkflowsRead>,
    id: Path<String>,
    query: Query<ListN8nWorkflowsQuery>,
    integrations: Data<Service>,
) -> Answer<Json<N8nWorkflowsPage>> {
    Ok(Json(integrations.workflows(&ctx, &id, &query).await?))
}

/// Import workflows of another n8n
///
/// Takes over the workflows named, or all of them, as they are: they keep the ids they have there as aliases, and are not
/// active here. One that was taken over before becomes a new version. Each is kept or refused by itself.
#[utoipa::path(
    tag = "integrations",
    params(("id" = String, Path, description = "Id of the credential.")),
    request_body = ImportN8nWorkflows,
    responses(
        (status = 200, description = "What became of each.", body = N8nImportResponse),
        Guarded<WorkflowsWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/integrations/n8n/{id}/import")]
pub(super) async fn import_n8n_workflows(
    ctx: Can<WorkflowsWrite>,
    id: Path<String>,
    body: Json<ImportN8nWorkflows>,
    integrations: Data<Service>,
) -> Answer<Json<N8nImportResponse>> {
    Ok(Json(integrations.import(&ctx, &id, body.into_inner()).await?))
}

/// Trigger a workflow of another n8n
///
/// Calls its webhook, without the key, and gives the answer. With `wait` the execution that came of it is waited for, up to a
/// minute: the first one of the workflow that is newer than those there were before.
#[utoipa::path(
    tag = "integrations",
    params(
        ("id" = String, Path, description = "Id of the credential."),
        ("workflow" = String, Path, description = "Id of the workflow in the n8n.")
    ),
    request_body = TriggerN8nWorkflow,
    responses(
        (status = 200, description = "What the webhook answered.", body = TriggeredN8nWorkflow),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Conflict
    )
)]
#[post("/integrations/n8n/{id}/workflows/{workflow}/trigger")]
pub(super) async fn trigger_n8n_workflow(
    ctx: Can<WorkflowsExecute>,
    path: Path<(String, String)>,
    body: Json<TriggerN8nWorkflow>,
    integrations: Data<Service>,
) -> Answer<Json<TriggeredN8nWorkflow>> {
    let (id, workflow) = path.into_inner();
    Ok(Json(integrations.trigger(&ctx, &id, &workflow, body.into_inner()).await?))
}

/// List executions of another n8n
///
/// Newest first, without their data.
#[utoipa::path(
    tag = "integrations",
    params(("id" = String, Path, description = "Id of the credential."), ListN8nExecutionsQuery),
    responses(
        (status = 200, description = "A page of executions.", body = N8nExecutionsPage),
        Guarded<ExecutionsRead>, NotFound, Conflict
    )
)]
#[get("/integrations/n8n/{id}/executions")]
pub(super) async fn list_n8n_executions(
    ctx: Can<ExecutionsRead>,
    id: Path<String>,
    query: Query<ListN8nExecutionsQuery>,
    integrations: Data<Service>,
) -> Answer<Json<N8nExecutionsPage>> {
    Ok(Json(integrations.executions(&ctx, &id, &query).await?))
}

/// Get an execution of another n8n
///
/// With its data.
#[utoipa::path(
    tag = "integrations",
    params(
        ("id" = String, Path, description = "Id of the credential."),
        ("execution" = String, Path, description = "Id of the execution in the n8n.")
    ),
    responses(
        (
            status = 200, description = "The execution.", body = N8nExecution,
            example = json!({ "id": "1000", "finished": true, "mode": "webhook", "status": "success",
                "workflowId": "2tUt1wbLX592XDdX", "data": { "resultData": { "runData": {} } } })
        ),
        Guarded<ExecutionsRead>, NotFound, Conflict
    )
)]
#[get("/integrations/n8n/{id}/executions/{execution}")]
pub(super) async fn get_n8n_execution(
    ctx: Can<ExecutionsRead>,
    path: Path<(String, String)>,
    integrations: Data<Service>,
) -> Answer<Json<N8nExecution>> {
    let (id, execution) = path.into_inner();
    Ok(Json(integrations.execution(&ctx, &id, &execution).await?))
}
