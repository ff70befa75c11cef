//! What the API takes and shows of logins and API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::common::legible::legible;
use crate::common::validate::visible_text;
use crate::common::{ApiKeyId, Permission, Secret, Timestamp, UserId};
use crate::domains::tenants::TenantResponse;
use crate::domains::users::{Role, UserResponse};

/// A new account with a tenant of its own.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "email": "ann@acme.example", "password": "correct horse battery", "name": "Ann", "tenantName": "Acme, Inc."
}))]
pub struct Register {
    #[validate(email, length(max = 254))]
    pub email: String,
    /// 10–1024 characters, unless the server is configured otherwise.
    #[schema(value_type = String, format = Password)]
    pub password: Secret<String>,
    #[validate(length(min = 1, max = 120), custom(function = visible_text))]
    pub name: Option<String>,
    #[validate(length(min = 1, max = 120), custom(function = legible))]
    pub tenant_name: String,
    /// Part of the tenant's webhook addresses; made of the name when left out.
    pub tenant_slug: Option<String>,
}

/// Credentials of a person.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "email": "ann@acme.example", "password": "correct horse battery" }))]
pub struct Login {
    #[validate(length(min = 1, max = 254))]
    pub email: String,
    #[schema(value_type = String, format = Password)]
    pub password: Secret<String>,
    /// Slug of the tenant to sign in to, for members of several; the oldest membership when left out.
    #[validate(length(max = 64))]
    pub tenant: Option<String>,
}

/// A refresh token.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "refreshToken": "mrr_3q2-7wXrV0…" }))]
pub(super) struct Refresh {
    #[schema(value_type = String)]
    pub refresh_token: Secret<String>,
}

/// Tokens of a login.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "accessToken": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9…", "tokenType": "Bearer", "expiresIn": 900,
    "refreshToken": "mrr_3q2-7wXrV0…"
}))]
pub struct SessionResponse {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// Works once; each refresh gives a new one.
    pub refresh_token: String,
}

/// Who is asking, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "user": { "id": "01890a5d-ac96-774b-bcce-b302099a8058", "email": "ann@acme.example", "name": "Ann",
        "role": "viewer", "memberSince": "2025-01-31T08:00:00.000Z" },
    "tenant": { "id": "01890a5d-ac96-774b-bcce-b302099a8057", "slug": "acme", "name": "Acme, Inc.", "hosts": [],
        "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z" },
    "role": "viewer", "apiKeyId": null, "permissions": ["workflows:read", "executions:read"]
}))]
pub struct MeResponse {
    /// The person, or the owner of the API key.
    pub user: UserResponse,
    pub tenant: TenantResponse,
    pub role: Role,
    /// Set when the request came with an API key.
    pub api_key_id: Option<ApiKeyId>,
    /// What these credentials allow; for an API key at most what its owner may do.
    pub permissions: Vec<Permission>,
}

/// A new API key.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "deploy", "permissions": ["workflows:read", "workflows:write"] }))]
pub struct CreateApiKey {
    #[validate(length(min = 1, max = 120), custom(function = visible_text))]
    pub name: String,
    /// What the key allows; everything its maker may do when left out.
    #[validate(length(min = 1, max = 63))]
    pub permissions: Option<Vec<Permission>>,
    /// The key works until then; for ever when left out.
    pub expires_at: Option<Timestamp>,
}

/// An API key, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "deploy", "prefix": "mrk_3q2-7wXr",
    "userId": "01890a5d-ac96-774b-bcce-b302099a8058", "permissions": ["workflows:read"],
    "createdAt": "2025-01-31T08:00:00.000Z", "expiresAt": null, "lastUsedAt": null
}))]
pub struct ApiKeyResponse {
    pub id: ApiKeyId,
    pub name: String,
    /// The key's first characters, to recognise it by.
    pub prefix: String,
    /// Who made it.
    pub user_id: UserId,
    pub permissions: Vec<Permission>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A new API key with its secret, which is never shown again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "deploy", "prefix": "mrk_3q2-7wXr",
    "userId": "01890a5d-ac96-774b-bcce-b302099a8058", "permissions": ["workflows:read"],
    "createdAt": "2025-01-31T08:00:00.000Z", "expiresAt": null, "lastUsedAt": null,
    "key": "mrk_3q2-7wXrV0NqHqv1n2kG3mS8b5cD9eF0aB4tYzU6hJk"
}))]
pub struct CreatedApiKeyResponse {
    #[serde(flatten)]
    pub api_key: ApiKeyResponse,
    /// For `X-API-Key`, `X-N8N-API-KEY` or `Authorization: Bearer`.
    pub key: String,
}

/// A tenant that the caller is a member of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyTenantResponse {
    pub tenant: TenantResponse,
    pub role: Role,
    /// The one that the credentials are for.
    pub is_current: bool,
}

/// Where to go.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "tenant": "acme" }))]
pub struct SwitchTenant {
    /// The tenant's slug.
    #[validate(length(min = 1, max = 64))]
    pub tenant: String,
}
