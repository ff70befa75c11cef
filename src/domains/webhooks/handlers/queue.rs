//! HTTP of the queue of webhooks, of those who put webhooks into it, and of listening to test calls.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use futures_util::stream;

use super::super::dto::{RotateSecret, RotatedSecretResponse};
use super::super::dto_queue::{
    GenericWebhook, ListQueuedWebhooksQuery, ListenQuery, PurgeQueueQuery, Purged, PurgedResponse, QueueStatusResponse,
    QueuedResponse, QueuedWebhookResponse, ReceiverTestResponse,
};
use super::super::error::Error;
use super::super::intake::Incoming;
use super::super::queue::Status;
use super::super::service::Service;
use super::request;
use crate::common::permission::grants::{ExecutionsWrite, WebhooksRead, WebhooksWrite, WorkflowsExecute};
use crate::common::{Page, Problem, QueuedWebhookId};
use crate::infrastructure::web::{
    BadBody, Can, Conflict, CreatedSecret, Frame, Guarded, Json, NotFound, Public, RawBody, Unauthorized, Unavailable,
    event_stream,
};

type Answer<T> = Result<T, Problem>;

/// Try the receivers of webhooks
///
/// Answers that they are there.
#[utoipa::path(
    tag = "webhooks",
    security(()),
    responses((status = 200, description = "They are.", body = ReceiverTestResponse), Public)
)]
#[get("/test")]
pub(in super::super) async fn try_receivers(webhooks: Data<Service>) -> Json<ReceiverTestResponse> {
    Json(ReceiverTestResponse { status: "ok", time: webhooks.now() })
}

/// Queue an event
///
/// Queues it for every active workflow whose document has the event in `triggerEvents`. The tenant follows from the host
/// name; `/t/{tenant}/api/v1/webhooks/n8n/generic` names it. `X-N8N-Signature` is an HMAC-SHA256 of the body with the
/// tenant's secret in hexadecimal, or the secret itself. The same `Idempotency-Key` is queued once.
#[utoipa::path(
    tag = "webhooks",
    security(()),
    request_body = GenericWebhook,
    responses(
        (status = 200, description = "It is queued.", body = QueuedResponse),
        Public, Unauthorized, BadBody, NotFound, Unavailable
    )
)]
#[post("/generic")]
pub(in super::super) async fn receive_generic_webhook(
    request: HttpRequest,
    body: RawBody,
    webhooks: Data<Service>,
) -> Answer<Json<QueuedResponse>> {
    webhooks.fan_out(&incoming(&request, body)).await.map(Json).map_err(refused)
}

/// Queue a webhook for a workflow
///
/// Answers at once; the workflow runs after it, again after a while where it fails. `X-N8N-Signature` is an HMAC-SHA256
/// of the body with the tenant's secret in hexadecimal, or the secret itself. The same `Idempotency-Key` is queued once.
#[utoipa::path(
    tag = "webhooks",
    security(()),
    params(("workflowId" = String, Path, description = "Id or alias of the workflow.")),
    request_body(
        content = serde_json::Value, description = "The item that the workflow begins with.",
        example = json!({ "leadId": 123 })
    ),
    responses(
        (status = 200, description = "It is queued.", body = QueuedResponse),
        Public, Unauthorized, BadBody, NotFound, Conflict, Unavailable
    )
)]
#[post("/{workflowId}")]
pub(in super::super) async fn receive_n8n_webhook(
    request: HttpRequest,
    workflow: Path<String>,
    body: RawBody,
    webhooks: Data<Service>,
) -> Answer<Json<QueuedResponse>> {
    webhooks.take_in(&incoming(&request, body), &workflow).await.map(Json).map_err(refused)
}

/// The same two under `/t/{tenant}`.
pub(in super::super) async fn receive_for_tenant(
    request: HttpRequest,
    body: RawBody,
    webhooks: Data<Service>,
) -> Answer<Json<QueuedResponse>> {
    let incoming = incoming(&request, body);
    let queued = match request.match_info().get("workflowId").unwrap_or_default() {
        "generic" => webhooks.fan_out(&incoming).await,
        workflow => webhooks.take_in(&incoming, workflow).await,
    };
    queued.map(Json).map_err(refused)
}

fn refused(error: Error) -> Problem {
    let problem = Problem::from(error);
    super::count_refused(problem.code.kind.status().as_u16());
    problem
}

fn incoming(request: &HttpRequest, body: RawBody) -> Incoming {
    let addressed = request::Addressed::of(request);
    Incoming {
        tenant: addressed.tenant.map(str::to_owned),
        host: addressed.host.to_owned(),
        address: crate::infrastructure::web::client_address(request),
        headers: request::headers(request),
        body: body.0,
    }
}

/// Rotate the secret of the receivers
///
/// Makes a new secret for senders of queued webhooks, or takes over a given one. Those before count until the overlap is
/// over.
#[utoipa::path(
    tag = "webhooks",
    request_body = RotateSecret,
    responses(
        (status = 201, description = "The new secret; it is not shown again.", body = RotatedSecretResponse),
        Guarded<WebhooksWrite>, BadBody, Conflict
    )
)]
#[post("/webhooks/queue/secret")]
pub(in super::super) async fn rotate_receiver_secret(
    ctx: Can<WebhooksWrite>,
    body: Json<RotateSecret>,
    webhooks: Data<Service>,
) -> Answer<CreatedSecret<RotatedSecretResponse>> {
    Ok(CreatedSecret(webhooks.rotate_receiver_secret(&ctx, body.into_inner()).await?))
}

/// Count queued webhooks
///
/// How many there are in each state.
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "The counts.", body = QueueStatusResponse), Guarded<WebhooksRead>)
)]
#[get("/webhooks/queue/status")]
pub(in super::super) async fn get_webhook_queue_status(
    ctx: Can<WebhooksRead>,
    webhooks: Data<Service>,
) -> Answer<Json<QueueStatusResponse>> {
    Ok(Json(webhooks.queue_status(&ctx).await?))
}

/// List queued webhooks
///
/// Newest first; `status=failed` lists the dead letters.
#[utoipa::path(
    tag = "webhooks",
    params(ListQueuedWebhooksQuery),
    responses(
        (status = 200, description = "A page of webhooks.", body = Page<QueuedWebhookResponse>),
        Guarded<WebhooksRead>
    )
)]
#[get("/webhooks/queue")]
pub(in super::super) async fn list_queued_webhooks(
    ctx: Can<WebhooksRead>,
    query: Query<ListQueuedWebhooksQuery>,
    webhooks: Data<Service>,
) -> Answer<Json<Page<QueuedWebhookResponse>>> {
    Ok(Json(webhooks.list_queued(&ctx, &query).await?))
}

/// Retry a queued webhook
///
/// Tries it again at once, and as often as a new one. One whose workflow runs is left alone.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = QueuedWebhookId, Path, description = "The queued webhook.")),
    responses(
        (status = 200, description = "The webhook, queued again.", body = QueuedWebhookResponse),
        Guarded<ExecutionsWrite>, NotFound, Conflict
    )
)]
#[post("/webhooks/queue/{id}/retry")]
pub(in super::super) async fn retry_queued_webhook(
    ctx: Can<ExecutionsWrite>,
    id: Path<QueuedWebhookId>,
    webhooks: Data<Service>,
) -> Answer<Json<QueuedWebhookResponse>> {
    Ok(Json(webhooks.retry_queued(&ctx, *id).await?))
}

/// Purge the queue
///
/// Deletes webhooks that succeeded, or the dead letters. What is still to be tried stays.
#[utoipa::path(
    tag = "webhooks",
    params(PurgeQueueQuery),
    responses(
        (status = 200, description = "How many were deleted.", body = PurgedResponse),
        Guarded<ExecutionsWrite>
    )
)]
#[delete("/webhooks/queue")]
pub(in super::super) async fn purge_webhook_queue(
    ctx: Can<ExecutionsWrite>,
    query: Query<PurgeQueueQuery>,
    webhooks: Data<Service>,
) -> Answer<Json<PurgedResponse>> {
    let status = match query.status {
        Purged::Completed => Status::Completed,
        Purged::Failed => Status::Failed,
    };
    Ok(Json(webhooks.purge_queue(&ctx, status).await?))
}

/// Listen to a test call
///
/// Opens the `/webhook-test/…` addresses of the newest version for one call, and tells as server-sent events what happens:
/// `listening` with the addresses; `received`, `answered` and `finished` with the execution and its data; or `timeout`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = String, Path, description = "Id or alias of the workflow."), ListenQuery),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream",
         example = json!("event: listening\ndata: {\"endpoints\":[]}\n\n")),
        Guarded<WorkflowsExecute>, NotFound, Conflict
    )
)]
#[get("/workflows/{id}/listen")]
pub(in super::super) async fn listen_to_workflow(
    ctx: Can<WorkflowsExecute>,
    id: Path<String>,
    query: Query<ListenQuery>,
    webhooks: Data<Service>,
) -> Answer<HttpResponse> {
    let told = webhooks.listen(&ctx, &id, query.seconds.0).await?;
    Ok(event_stream(stream::unfold(told, |mut told| async {
        let next = told.recv().await?;
        Some((Frame { id: None, event: next.name, data: next.data.to_string() }, told))
    })))
}
