//! HTTP of managing webhooks.

use actix_web::web::{Data, Path, Query};
use actix_web::{get, post, put};

use super::super::dto::{
    ListWebhooksQuery, RotateSecret, RotatedSecretResponse, SetWebhook, TestWebhook, TestWebhookResponse,
    WebhookResponse,
};
use super::super::service::Service;
use crate::common::permission::grants::{WebhooksRead, WebhooksWrite, WorkflowsExecute};
use crate::common::{Page, Problem, WebhookId};
use crate::infrastructure::web::{BadBody, Can, Conflict, CreatedSecret, Guarded, Json, NotFound};

type Answer<T> = Result<T, Problem>;

/// List webhooks
///
/// Webhook nodes of workflows that are or were active, newest first.
#[utoipa::path(
    tag = "webhooks",
    params(ListWebhooksQuery),
    responses((status = 200, description = "A page of webhooks.", body = Page<WebhookResponse>), Guarded<WebhooksRead>)
)]
#[get("/webhooks")]
pub(in super::super) async fn list_webhooks(
    ctx: Can<WebhooksRead>,
    query: Query<ListWebhooksQuery>,
    webhooks: Data<Service>,
) -> Answer<Json<Page<WebhookResponse>>> {
    Ok(Json(webhooks.list(&ctx, &query).await?))
}

/// Get a webhook
///
/// Its addresses, and what is set for it, without secrets.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook.")),
    responses((status = 200, description = "The webhook.", body = WebhookResponse), Guarded<WebhooksRead>, NotFound)
)]
#[get("/webhooks/{id}")]
pub(in super::super) async fn get_webhook(
    ctx: Can<WebhooksRead>,
    id: Path<WebhookId>,
    webhooks: Data<Service>,
) -> Answer<Json<WebhookResponse>> {
    Ok(Json(webhooks.get(&ctx, *id).await?))
}

/// Set up a webhook
///
/// Replaces who may call it, how often and how large, and what is remembered of its calls. What is left out is off.
/// Secrets that are left out stay. It holds from the next call on, on every replica within seconds.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook.")),
    request_body = SetWebhook,
    responses(
        (status = 200, description = "The webhook as it is now.", body = WebhookResponse),
        Guarded<WebhooksWrite>, BadBody, NotFound, Conflict
    )
)]
#[put("/webhooks/{id}")]
pub(in super::super) async fn set_webhook(
    ctx: Can<WebhooksWrite>,
    id: Path<WebhookId>,
    body: Json<SetWebhook>,
    webhooks: Data<Service>,
) -> Answer<Json<WebhookResponse>> {
    Ok(Json(webhooks.set(&ctx, *id, body.into_inner()).await?))
}

/// Rotate a webhook's secret
///
/// Makes a new secret for its signature, or takes over a given one. The secrets before count until the overlap is over.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook.")),
    request_body = RotateSecret,
    responses(
        (status = 201, description = "The new secret; it is not shown again.", body = RotatedSecretResponse),
        Guarded<WebhooksWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/webhooks/{id}/secret")]
pub(in super::super) async fn rotate_webhook_secret(
    ctx: Can<WebhooksWrite>,
    id: Path<WebhookId>,
    body: Json<RotateSecret>,
    webhooks: Data<Service>,
) -> Answer<CreatedSecret<RotatedSecretResponse>> {
    Ok(CreatedSecret(webhooks.rotate(&ctx, *id, body.into_inner()).await?))
}

/// Try a webhook out
///
/// Calls an active webhook as a sender would, signed with its newest secret, and answers how it was answered. The workflow
/// runs as in production. Addresses and certificates are not checked.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook.")),
    request_body = TestWebhook,
    responses(
        (status = 200, description = "What was sent, and the answer to it.", body = TestWebhookResponse),
        Guarded<WorkflowsExecute>, BadBody, NotFound, Conflict
    )
)]
#[post("/webhooks/{id}/test")]
pub(in super::super) async fn test_webhook(
    ctx: Can<WorkflowsExecute>,
    id: Path<WebhookId>,
    body: Json<TestWebhook>,
    webhooks: Data<Service>,
) -> Answer<Json<TestWebhookResponse>> {
    Ok(Json(webhooks.test(&ctx, *id, body.into_inner()).await?))
}
