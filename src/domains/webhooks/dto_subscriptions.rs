//! What the API takes and shows of webhooks that this server sends.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::deliveries::DeliveryStatus;
use super::repository::outbound::{Attempt, Delivery, Subscription};
use super::subscriptions::events_of;
use crate::common::page::Limit;
use crate::common::validate::visible_text;
use crate::common::{Cursor, DeliveryId, SubscriptionId, Timestamp};

/// What to tell whom. An update replaces all of it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Status page", "url": "https://status.example/hooks", "events": ["execution.failed", "workflow.*"]
}))]
pub struct SetSubscription {
    #[validate(length(min = 1, max = 120), custom(function = visible_text))]
    pub name: String,
    /// http or https; addresses within the server's network are refused when it is called.
    #[validate(length(min = 1, max = 2048))]
    pub url: String,
    /// Names of events, `kind.*`, or `*`. Every action of the audit log is an event, and `execution.started`,
    /// `.waiting`, `.resumed`, `.succeeded`, `.failed`, `.canceled` and `.crashed`. A name that no event has is refused.
    #[validate(length(min = 1, max = 100))]
    pub events: Vec<String>,
    /// One event after the other, and none before the one that failed is told or given up; else side by side.
    #[serde(default)]
    pub ordered: bool,
    /// `false` stops telling; what happens meanwhile is not told later.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "Status page", "url": "https://status.example/hooks",
    "events": ["execution.failed", "workflow.*"], "ordered": false, "enabled": true, "failingSince": null,
    "disabledAt": null, "disabledReason": null,
    "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct SubscriptionResponse {
    pub id: SubscriptionId,
    pub name: String,
    pub url: String,
    pub events: Vec<String>,
    pub ordered: bool,
    pub enabled: bool,
    /// Every attempt has failed since then; after five days it is disabled.
    pub failing_since: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<&Subscription> for SubscriptionResponse {
    fn from(row: &Subscription) -> SubscriptionResponse {
        SubscriptionResponse {
            id: row.id,
            name: row.name.clone(),
            url: row.url.clone(),
            events: events_of(row),
            ordered: row.ordered,
            enabled: row.disabled_at.is_none(),
            failing_since: row.failing_since,
            disabled_at: row.disabled_at,
            disabled_reason: row.disabled_reason.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A new subscription with the secret that signs; it is not shown again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "Status page", "url": "https://status.example/hooks",
    "events": ["execution.failed"], "ordered": false, "enabled": true, "failingSince": null, "disabledAt": null,
    "disabledReason": null, "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
}))]
pub struct CreatedSubscriptionResponse {
    #[serde(flatten)]
    pub subscription: SubscriptionResponse,
    pub secret: String,
}

/// Filters of what a subscriber is told.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListDeliveriesQuery {
    /// Only deliveries in this state.
    pub status: Option<DeliveryStatus>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// One event that one subscriber is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "subscriptionId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "event": "execution.failed", "status": "pending", "attempts": 1, "nextAttemptAt": "2025-01-31T08:00:05.000Z",
    "payload": { "type": "execution.failed", "timestamp": "2025-01-31T08:00:00.000Z", "data": {} },
    "createdAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct DeliveryResponse {
    pub id: DeliveryId,
    pub subscription_id: SubscriptionId,
    pub event: String,
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: i32,
    pub next_attempt_at: Option<Timestamp>,
    /// The body as it is sent.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    pub created_at: Timestamp,
    /// Of one delivery only; newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<AttemptResponse>>,
}

impl DeliveryResponse {
    pub(super) fn new(row: Delivery, log: Option<Vec<AttemptResponse>>) -> DeliveryResponse {
        DeliveryResponse {
            id: row.id,
            subscription_id: row.subscription_id,
            event: row.event,
            status: row.status,
            attempts: row.attempts,
            next_attempt_at: row.due_at,
            payload: serde_json::from_str(&row.payload).unwrap_or_default(),
            created_at: row.created_at,
            log,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptResponse {
    pub attempted_at: Timestamp,
    /// Of the answer, where there was one.
    pub status: Option<i16>,
    /// Why there was none.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    /// Microseconds.
    pub micros: i64,
}

impl From<Attempt> for AttemptResponse {
    fn from(row: Attempt) -> AttemptResponse {
        AttemptResponse {
            attempted_at: row.attempted_at,
            status: row.status,
            error: row.error,
            answer: row.answer,
            micros: row.micros,
        }
    }
}

/// From when on to tell again what was given up.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "since": "2025-01-31T08:00:00Z" }))]
pub(super) struct RecoverDeliveries {
    pub since: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "recovered": 12 }))]
pub struct RecoveredResponse {
    pub recovered: u64,
}

/// What a subscriber is told to try it out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "deliveryId": "01890a5d-ac96-774b-bcce-b302099a8057" }))]
pub(super) struct PingedResponse {
    pub delivery_id: DeliveryId,
}
