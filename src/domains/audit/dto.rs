//! What the audit log shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::entities::audit_event::Model;
use crate::common::page::Limit;
use crate::common::{ApiKeyId, AuditEventId, Cursor, Timestamp, UserId};

/// One thing that was done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "sequence": 12, "occurredAt": "2025-01-31T08:00:00.000Z",
    "actorKind": "user", "userId": "01890a5d-ac96-774b-bcce-b302099a8058", "apiKeyId": null,
    "action": "apiKey.create", "resourceKind": "apiKey", "resourceId": "01890a5d-ac96-774b-bcce-b302099a8059",
    "before": null, "after": { "name": "deploy" }, "address": "203.0.113.7", "requestId": "req-1"
}))]
pub struct AuditEventResponse {
    pub id: AuditEventId,
    /// Counts the tenant's events from 1, without gaps.
    pub sequence: i64,
    pub occurred_at: Timestamp,
    /// `user`, `apiKey` or `system`.
    pub actor_kind: String,
    /// The person, or the owner of the API key.
    pub user_id: Option<UserId>,
    pub api_key_id: Option<ApiKeyId>,
    pub action: String,
    pub resource_kind: String,
    pub resource_id: String,
    /// The resource before, where it existed; secrets redacted.
    pub before: Option<Value>,
    /// The resource after, where it still exists; secrets redacted.
    pub after: Option<Value>,
    pub address: Option<String>,
    pub request_id: String,
}

/// Filters of the audit log.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAuditEventsQuery {
    /// Only this action, such as `workflow.create`.
    #[param(example = "workflow.create")]
    pub action: Option<String>,
    /// Only events about this resource.
    pub resource_id: Option<String>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

impl From<Model> for AuditEventResponse {
    fn from(event: Model) -> AuditEventResponse {
        let parse = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        AuditEventResponse {
            id: event.id,
            sequence: event.sequence,
            occurred_at: event.occurred_at,
            actor_kind: event.actor_kind,
            user_id: event.user_id,
            api_key_id: event.api_key_id,
            action: event.action,
            resource_kind: event.resource_kind,
            resource_id: event.resource_id,
            before: parse(event.before),
            after: parse(event.after),
            address: event.address,
            request_id: event.request_id,
        }
    }
}
