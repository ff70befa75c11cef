//! HTTP of webhooks that this server sends.

use actix_web::web::{Data, Path, Query};
use actix_web::{delete, get, post, put};

use super::super::dto::{RotateSecret, RotatedSecretResponse};
use super::super::dto_subscriptions::{
    CreatedSubscriptionResponse, DeliveryResponse, ListDeliveriesQuery, PingedResponse, RecoverDeliveries,
    RecoveredResponse, SetSubscription, SubscriptionResponse,
};
use super::super::subscriptions::Subscriptions;
use crate::common::permission::grants::{WebhooksRead, WebhooksWrite};
use crate::common::{DeliveryId, Page, PageQuery, Problem, SubscriptionId};
use crate::infrastructure::web::{BadBody, Can, Conflict, CreatedSecret, Guarded, Json, NoContent, NotFound};

type Answer<T> = Result<T, Problem>;

/// List subscriptions
///
/// Addresses that are told of events, newest first, without their secrets.
#[utoipa::path(
    tag = "subscriptions",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of subscriptions.", body = Page<SubscriptionResponse>),
        Guarded<WebhooksRead>
    )
)]
#[get("/webhook-subscriptions")]
pub(in super::super) async fn list_subscriptions(
    ctx: Can<WebhooksRead>,
    query: Query<PageQuery>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<Page<SubscriptionResponse>>> {
    Ok(Json(subscriptions.list(&ctx, &query).await?))
}

/// Subscribe to events
///
/// The address is sent each event by `POST`, signed by the Standard Webhooks specification with the secret in the answer,
/// which is not shown again. Anything but a 2xx is tried again for more than a day; 410 ends the subscription, and so do
/// five days without success.
#[utoipa::path(
    tag = "subscriptions",
    request_body = SetSubscription,
    responses(
        (status = 201, description = "The subscription and its secret.", body = CreatedSubscriptionResponse),
        Guarded<WebhooksWrite>, BadBody
    )
)]
#[post("/webhook-subscriptions")]
pub(in super::super) async fn create_subscription(
    ctx: Can<WebhooksWrite>,
    body: Json<SetSubscription>,
    subscriptions: Data<Subscriptions>,
) -> Answer<CreatedSecret<CreatedSubscriptionResponse>> {
    Ok(CreatedSecret(subscriptions.create(&ctx, body.into_inner()).await?))
}

/// Get a subscription
///
/// How its attempts go, too.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    responses(
        (status = 200, description = "The subscription.", body = SubscriptionResponse),
        Guarded<WebhooksRead>, NotFound
    )
)]
#[get("/webhook-subscriptions/{id}")]
pub(in super::super) async fn get_subscription(
    ctx: Can<WebhooksRead>,
    id: Path<SubscriptionId>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<SubscriptionResponse>> {
    Ok(Json(subscriptions.get(&ctx, *id).await?))
}

/// Update a subscription
///
/// Replaces all of it but its secret. `enabled` is true unless it says otherwise, so an update revives one that was
/// disabled.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    request_body = SetSubscription,
    responses(
        (status = 200, description = "The subscription as it is now.", body = SubscriptionResponse),
        Guarded<WebhooksWrite>, BadBody, NotFound, Conflict
    )
)]
#[put("/webhook-subscriptions/{id}")]
pub(in super::super) async fn update_subscription(
    ctx: Can<WebhooksWrite>,
    id: Path<SubscriptionId>,
    body: Json<SetSubscription>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<SubscriptionResponse>> {
    Ok(Json(subscriptions.update(&ctx, *id, body.into_inner()).await?))
}

/// Delete a subscription
///
/// With everything it was told, or still is to be.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    responses((status = 204, description = "Deleted."), Guarded<WebhooksWrite>, NotFound)
)]
#[delete("/webhook-subscriptions/{id}")]
pub(in super::super) async fn delete_subscription(
    ctx: Can<WebhooksWrite>,
    id: Path<SubscriptionId>,
    subscriptions: Data<Subscriptions>,
) -> Answer<NoContent> {
    subscriptions.delete(&ctx, *id).await?;
    Ok(NoContent)
}

/// Rotate a subscription's secret
///
/// Signs with the new secret and, until the overlap is over, with those before it, too.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    request_body = RotateSecret,
    responses(
        (status = 201, description = "The new secret; it is not shown again.", body = RotatedSecretResponse),
        Guarded<WebhooksWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/webhook-subscriptions/{id}/secret")]
pub(in super::super) async fn rotate_subscription_secret(
    ctx: Can<WebhooksWrite>,
    id: Path<SubscriptionId>,
    body: Json<RotateSecret>,
    subscriptions: Data<Subscriptions>,
) -> Answer<CreatedSecret<RotatedSecretResponse>> {
    Ok(CreatedSecret(subscriptions.rotate(&ctx, *id, body.into_inner()).await?))
}

/// Try a subscription out
///
/// Sends the address a `test.ping`. Its delivery says how that went.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    responses(
        (status = 200, description = "What is sent.", body = PingedResponse),
        Guarded<WebhooksWrite>, NotFound
    )
)]
#[post("/webhook-subscriptions/{id}/test")]
pub(in super::super) async fn test_subscription(
    ctx: Can<WebhooksWrite>,
    id: Path<SubscriptionId>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<PingedResponse>> {
    Ok(Json(PingedResponse { delivery_id: subscriptions.ping(&ctx, *id).await? }))
}

/// List a subscription's deliveries
///
/// What the subscriber was told, or is to be, newest first.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription."), ListDeliveriesQuery),
    responses(
        (status = 200, description = "A page of deliveries.", body = Page<DeliveryResponse>),
        Guarded<WebhooksRead>, NotFound
    )
)]
#[get("/webhook-subscriptions/{id}/deliveries")]
pub(in super::super) async fn list_deliveries(
    ctx: Can<WebhooksRead>,
    id: Path<SubscriptionId>,
    query: Query<ListDeliveriesQuery>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<Page<DeliveryResponse>>> {
    Ok(Json(subscriptions.list_deliveries(&ctx, *id, &query).await?))
}

/// Recover a subscription's deliveries
///
/// Tells everything again that was given up since then.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = SubscriptionId, Path, description = "The subscription.")),
    request_body = RecoverDeliveries,
    responses(
        (status = 200, description = "How many there are.", body = RecoveredResponse),
        Guarded<WebhooksWrite>, BadBody, NotFound
    )
)]
#[post("/webhook-subscriptions/{id}/recover")]
pub(in super::super) async fn recover_deliveries(
    ctx: Can<WebhooksWrite>,
    id: Path<SubscriptionId>,
    body: Json<RecoverDeliveries>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<RecoveredResponse>> {
    Ok(Json(subscriptions.recover(&ctx, *id, body.0.since).await?))
}

/// Get a delivery
///
/// With its attempts: when, how it was answered, why it was not.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = DeliveryId, Path, description = "The delivery.")),
    responses(
        (status = 200, description = "The delivery.", body = DeliveryResponse),
        Guarded<WebhooksRead>, NotFound
    )
)]
#[get("/webhook-deliveries/{id}")]
pub(in super::super) async fn get_delivery(
    ctx: Can<WebhooksRead>,
    id: Path<DeliveryId>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<DeliveryResponse>> {
    Ok(Json(subscriptions.get_delivery(&ctx, *id).await?))
}

/// Resend a delivery
///
/// At once, with the same id, and as often as a new one.
#[utoipa::path(
    tag = "subscriptions",
    params(("id" = DeliveryId, Path, description = "The delivery.")),
    responses(
        (status = 200, description = "The delivery, pending again.", body = DeliveryResponse),
        Guarded<WebhooksWrite>, NotFound
    )
)]
#[post("/webhook-deliveries/{id}/resend")]
pub(in super::super) async fn resend_delivery(
    ctx: Can<WebhooksWrite>,
    id: Path<DeliveryId>,
    subscriptions: Data<Subscriptions>,
) -> Answer<Json<DeliveryResponse>> {
    Ok(Json(subscriptions.resend(&ctx, *id).await?))
}
