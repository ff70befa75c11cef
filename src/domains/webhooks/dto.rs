//! What the API takes and shows of webhooks. Secrets go in, and come out once, when they are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::settings::Settings;
use crate::common::page::Limit;
use crate::common::{Cursor, Secret, Timestamp, WebhookId, WorkflowId};

/// Filters of the list of webhooks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListWebhooksQuery {
    /// Only webhooks of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

/// A webhook node of a workflow that is or was active.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "node": "Webhook", "active": true, "methods": ["POST"], "path": "orders/:id",
    "url": "https://flows.example/t/acme/webhook/orders/:id",
    "testUrl": "https://flows.example/t/acme/webhook-test/orders/:id",
    "settings": {
        "authentication": null, "signature": { "scheme": "github", "toleranceSeconds": 300, "replays": "refuse" },
        "allowedAddresses": [], "clientCertificate": null, "rateLimit": null, "rateLimitPerAddress": null,
        "maxConcurrent": null, "bodyLimitBytes": null, "deduplication": null, "log": { "bodies": true, "redact": [] },
        "answerTimeoutSeconds": null
    },
    "signingSecrets": [{ "until": null }], "hasAuthenticationSecret": false,
    "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct WebhookResponse {
    pub id: WebhookId,
    pub workflow_id: WorkflowId,
    /// The node's name.
    pub node: String,
    /// It answers at the moment.
    pub active: bool,
    /// While it is active.
    pub methods: Vec<String>,
    pub path: String,
    pub url: String,
    /// For one call, while somebody listens; forms have none.
    pub test_url: Option<String>,
    pub settings: Settings,
    /// The secrets that sign, oldest first, without themselves.
    pub signing_secrets: Vec<SigningSecretResponse>,
    pub has_authentication_secret: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecretResponse {
    /// It counts until then; null: until it is replaced.
    pub until: Option<Timestamp>,
}

/// Replaces what is set for a webhook. What is left out is off.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "settings": {
        "signature": { "scheme": "standardWebhooks" },
        "rateLimit": { "requests": 600, "seconds": 60, "burst": 100 },
        "deduplication": { "windowSeconds": 3600 }
    },
    "secrets": { "signature": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
}))]
pub struct SetWebhook {
    #[validate(nested)]
    pub settings: Settings,
    #[serde(default)]
    pub secrets: GivenSecrets,
}

/// Left out: the secret stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GivenSecrets {
    /// The key of the signature, as the sender shows it.
    #[schema(value_type = Option<String>, format = Password)]
    pub signature: Option<Secret<String>>,
    /// Password, header value, or key of tokens.
    #[schema(value_type = Option<String>, format = Password)]
    pub authentication: Option<Secret<String>>,
}

/// A new secret for the signature.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "overlapSeconds": 86400 }))]
pub struct RotateSecret {
    /// How long the secrets before still count.
    #[serde(default = "one_day")]
    #[validate(range(max = 2_592_000))]
    pub overlap_seconds: u64,
    /// Made when left out.
    #[schema(value_type = Option<String>, format = Password)]
    pub secret: Option<Secret<String>>,
}

fn one_day() -> u64 {
    86_400
}

/// The new secret; it is not shown again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "previousUntil": "2025-02-01T08:00:00.000Z"
}))]
pub struct RotatedSecretResponse {
    pub secret: String,
    /// The secrets before count until then.
    pub previous_until: Timestamp,
}

/// A call of a webhook to try it out.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "body": { "name": "Ann" } }))]
pub struct TestWebhook {
    /// The JSON body; an empty object when left out.
    #[schema(value_type = Option<Object>)]
    pub body: Option<serde_json::Value>,
    /// One of the webhook's methods; its first when left out.
    #[validate(length(max = 16))]
    pub method: Option<String>,
    /// Values for the parameters of the path; `sample` for those that are left out.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// How a call that tried a webhook out was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "method": "POST", "url": "https://flows.example/t/acme/webhook/orders/sample",
    "headers": { "content-type": "application/json", "x-hub-signature-256": "sha256=757107ea…" },
    "status": 200, "body": "{\"message\":\"Workflow was started\"}"
}))]
pub struct TestWebhookResponse {
    pub method: String,
    pub url: String,
    /// As they were sent: what a sender has to send, too. Credentials are left out.
    pub headers: BTreeMap<String, String>,
    /// Status of the answer: 401 says that the signature did not count.
    pub status: u16,
    /// The answer, as text.
    pub body: String,
}
