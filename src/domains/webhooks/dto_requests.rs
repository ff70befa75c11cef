//! What the API takes and shows of the log of webhooks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::log::{Message, Outcome};
use super::repository::requests::Logged;
use crate::common::page::Limit;
use crate::common::{Cursor, ExecutionId, Timestamp, WebhookRequestId};

/// Filters of the log. All must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListWebhookRequestsQuery {
    /// Only requests answered with this status.
    #[param(example = 401)]
    pub status: Option<u16>,
    /// Only requests that this became of.
    pub outcome: Option<Outcome>,
    /// Only requests received then or later.
    pub since: Option<Timestamp>,
    /// Only requests received before then.
    pub until: Option<Timestamp>,
    /// Part of the path, of the query, or of the first 2,000 characters of the body.
    #[param(example = "order-7")]
    pub text: Option<String>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// A request of a webhook, and its answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "receivedAt": "2025-01-31T08:00:00.000Z", "method": "POST",
    "target": "/t/acme/webhook/orders?x=1", "address": "203.0.113.7", "status": 200, "outcome": "accepted",
    "milliseconds": 3.2, "executionId": "01890a5d-ac96-774b-bcce-b302099a8059"
}))]
pub struct WebhookRequestResponse {
    pub id: WebhookRequestId,
    pub received_at: Timestamp,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub address: Option<String>,
    /// Of the answer.
    pub status: i16,
    pub outcome: Outcome,
    /// From the whole request to its answer.
    pub milliseconds: f64,
    pub execution_id: Option<ExecutionId>,
    /// Of one request only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<MessageResponse>,
    /// Of one request only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<MessageResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageResponse {
    /// Without what proves or is secret.
    pub headers: BTreeMap<String, String>,
    /// As text; null where bodies are not kept.
    pub body: Option<String>,
}

impl WebhookRequestResponse {
    pub(super) fn new(row: &Logged, whole: bool) -> WebhookRequestResponse {
        let message = |packed: &[u8]| {
            let message = Message::unpack(packed);
            MessageResponse {
                body: message.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                headers: message.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            }
        };
        // Far below 2^53 microseconds.
        let micros: f64 = i32::try_from(row.micros).map_or_else(|_| f64::from(i32::MAX), f64::from);
        WebhookRequestResponse {
            id: row.id,
            received_at: row.received_at,
            method: row.method.clone(),
            target: row.target.clone(),
            address: row.address.clone(),
            status: row.status,
            outcome: row.outcome,
            milliseconds: micros / 1000.0,
            execution_id: row.execution_id,
            request: whole.then(|| message(&row.request)),
            response: row.response.as_deref().filter(|_| whole).map(message),
        }
    }
}

/// Which requests to replay: these, or all that the filters leave, up to 1,000.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "outcome": "failed", "since": "2025-01-31T08:00:00Z" }))]
pub struct ReplayRequests {
    /// Ids of requests; the filters then do not count.
    #[validate(length(min = 1, max = 1000))]
    pub requests: Option<Vec<WebhookRequestId>>,
    /// Only requests that this became of.
    pub outcome: Option<Outcome>,
    /// Only requests received then or later.
    pub since: Option<Timestamp>,
    /// Only requests received before then.
    pub until: Option<Timestamp>,
}

/// What became of each, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{
    "requestId": "01890a5d-ac96-774b-bcce-b302099a8057", "status": 200,
    "executionId": "01890a5d-ac96-774b-bcce-b302099a8059", "error": null
}] }))]
pub struct ReplayResponse {
    pub data: Vec<ReplayedResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedResponse {
    pub request_id: WebhookRequestId,
    /// Of the answer that its caller would have got.
    pub status: Option<u16>,
    pub execution_id: Option<ExecutionId>,
    /// Why nothing was replayed.
    pub error: Option<String>,
}
