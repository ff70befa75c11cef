//! HTTP of the log of webhooks.

use actix_web::web::{Data, Path, Query};
use actix_web::{get, post};

use super::super::dto_requests::{ListWebhookRequestsQuery, ReplayRequests, ReplayResponse, WebhookRequestResponse};
use super::super::service::Service;
use crate::common::permission::grants::{WebhooksRead, WorkflowsExecute};
use crate::common::{Page, Problem, WebhookId, WebhookRequestId};
use crate::infrastructure::web::{BadBody, Can, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// List a webhook's requests
///
/// Newest first, of webhooks whose settings have `log`. They appear a moment after their answer.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook."), ListWebhookRequestsQuery),
    responses(
        (status = 200, description = "A page of requests.", body = Page<WebhookRequestResponse>),
        Guarded<WebhooksRead>, NotFound
    )
)]
#[get("/webhooks/{id}/requests")]
pub(in super::super) async fn list_webhook_requests(
    ctx: Can<WebhooksRead>,
    id: Path<WebhookId>,
    query: Query<ListWebhookRequestsQuery>,
    webhooks: Data<Service>,
) -> Answer<Json<Page<WebhookRequestResponse>>> {
    Ok(Json(webhooks.list_requests(&ctx, *id, &query).await?))
}

/// Get a webhook's request
///
/// With headers and bodies, as far as they are kept. What proves or is secret is redacted.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("id" = WebhookId, Path, description = "The webhook."),
        ("requestId" = WebhookRequestId, Path, description = "The request.")
    ),
    responses(
        (status = 200, description = "The request.", body = WebhookRequestResponse),
        Guarded<WebhooksRead>, NotFound
    )
)]
#[get("/webhooks/{id}/requests/{requestId}")]
pub(in super::super) async fn get_webhook_request(
    ctx: Can<WebhooksRead>,
    path: Path<(WebhookId, WebhookRequestId)>,
    webhooks: Data<Service>,
) -> Answer<Json<WebhookRequestResponse>> {
    let (id, request) = path.into_inner();
    Ok(Json(webhooks.get_request(&ctx, id, request).await?))
}

/// Replay a webhook's requests
///
/// Runs the workflow again, as it is now, for requests whose bodies are in the log; oldest first.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook.")),
    request_body = ReplayRequests,
    responses(
        (status = 200, description = "What became of each.", body = ReplayResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound
    )
)]
#[post("/webhooks/{id}/replay")]
pub(in super::super) async fn replay_webhook_requests(
    ctx: Can<WorkflowsExecute>,
    id: Path<WebhookId>,
    body: Json<ReplayRequests>,
    webhooks: Data<Service>,
) -> Answer<Json<ReplayResponse>> {
    Ok(Json(webhooks.replay(&ctx, *id, body.into_inner()).await?))
}
