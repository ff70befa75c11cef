//! What the audit log shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::entities::audit_checkpoint;
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

/// Filters of the audit log; all that are given have to hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAuditEventsQuery {
    /// Only this action, such as `workflow.create`.
    #[param(example = "workflow.create")]
    pub action: Option<String>,
    /// Only events about resources of this kind.
    #[param(example = "workflow")]
    pub resource_kind: Option<String>,
    /// Only events about this resource.
    pub resource_id: Option<String>,
    /// Only what this person did, also through API keys.
    pub user_id: Option<UserId>,
    /// Only what was done with this API key.
    pub api_key_id: Option<ApiKeyId>,
    /// Only events of this request.
    pub request_id: Option<String>,
    /// Only events from this address.
    pub address: Option<String>,
    /// Only events at this time or later.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
    /// Only events that hold this text in their action, their resource, or what it was before or after.
    pub search: Option<String>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// What to export, and how.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportAuditEventsQuery {
    /// `jsonl` (one event a line) or `csv`.
    #[serde(default)]
    #[param(inline, example = "jsonl")]
    pub format: ExportFormat,
    /// Only events at this time or later.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    #[default]
    Jsonl,
    Csv,
}

/// Whether the log is as it was written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "intact": false, "verifiedRows": 11, "lastSequence": 11,
    "broken": { "sequence": 12, "id": "01890a5d-ac96-774b-bcce-b302099a8057", "defect": "changed",
        "message": "the row is not as it was written" },
    "lastCheckpoint": { "sequence": 100, "createdAt": "2025-01-31T08:00:00.000Z", "keyId": "5f1a7c3e9d1b3f8f",
        "mac": "9f2c…", "signature": "41b7…" }
}))]
pub struct VerificationResponse {
    pub intact: bool,
    /// Rows found to be as they were written, from the first one kept.
    pub verified_rows: u64,
    /// The number of the last of them.
    pub last_sequence: i64,
    /// The first row that is not; null when the log is intact.
    pub broken: Option<BrokenRow>,
    /// Keep it elsewhere: it proves later that the log was not cut before it.
    pub last_checkpoint: Option<CheckpointResponse>,
}

/// Where the log is broken first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "sequence": 12, "id": null, "defect": "missing", "message": "the row is not there" }))]
pub struct BrokenRow {
    pub sequence: i64,
    /// Null where there is no such row.
    pub id: Option<AuditEventId>,
    pub defect: Defect,
    pub message: &'static str,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Defect {
    /// It was deleted, or moved.
    Missing,
    /// It is not what was written, or not at its place.
    Changed,
    /// It and all after it are gone.
    Truncated,
    /// It is consistent with its neighbours, but not with what was signed.
    CheckpointMismatch,
    /// The checkpoint's signature is not the server's.
    CheckpointForged,
    /// The rows up to this one are gone, and the server did not sign that they may.
    PruningForged,
}

/// A signed statement that the log had this MAC at this row.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "sequence": 100, "createdAt": "2025-01-31T08:00:00.000Z", "keyId": "5f1a7c3e9d1b3f8f", "mac": "9f2c…", "signature": "41b7…"
}))]
pub struct CheckpointResponse {
    pub sequence: i64,
    pub created_at: Timestamp,
    pub key_id: String,
    /// Hexadecimal.
    pub mac: String,
    /// Ed25519, hexadecimal.
    pub signature: String,
}

impl BrokenRow {
    pub(super) fn new(sequence: i64, id: Option<AuditEventId>, defect: Defect) -> BrokenRow {
        let message = match defect {
            Defect::Missing => "the row is not there",
            Defect::Changed => "the row is not as it was written",
            Defect::Truncated => "this row and those after it are not there",
            Defect::CheckpointMismatch => "the row is not the one that was signed",
            Defect::CheckpointForged => "the checkpoint of this row was not signed by this server",
            Defect::PruningForged => "this row and those before it were not deleted by this server",
        };
        BrokenRow { sequence, id, defect, message }
    }
}

impl From<&audit_checkpoint::Model> for CheckpointResponse {
    fn from(row: &audit_checkpoint::Model) -> CheckpointResponse {
        CheckpointResponse {
            sequence: row.sequence,
            created_at: row.created_at,
            key_id: row.key_id.clone(),
            mac: hexadecimal(&row.mac),
            signature: hexadecimal(&row.signature),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
