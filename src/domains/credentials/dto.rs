//! What the API takes and gives. No answer has a place for a secret: what may be shown of a credential's fields is
//! decided in `model`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::model::{Fields, SessionStatus, Status};
use super::registry::{Authenticate, CredentialType, Field, Test};
use super::repository::Credential;
use crate::common::page::Limit;
use crate::common::validate::visible_text;
use crate::common::{ConnectSessionId, CredentialId, Cursor, Patch, Secret, Timestamp, UserId, WorkflowId};

/// A new credential.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Warehouse", "type": "httpBasicAuth", "data": { "user": "robot", "password": "s3cret" } }))]
pub struct CreateCredential {
    /// The id it has in the n8n it was exported from: workflows that name it by that id find it.
    #[validate(length(min = 1, max = 255), custom(function = visible_text))]
    pub id: Option<String>,
    #[validate(length(min = 1, max = 128), custom(function = visible_text))]
    pub name: String,
    /// Name of a credential type, such as `httpBasicAuth`; `GET /credential-types` lists them.
    #[serde(rename = "type")]
    #[validate(length(min = 1, max = 128))]
    pub kind: String,
    /// The fields of the type. A field that is `={{ $secrets.PROVIDER.NAME }}` is read from there when it is used.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Secret<Fields>,
    /// The only hosts requests with it may go to, such as `api.example.com` or `*.example.com`; null: any.
    pub allowed_hosts: Option<Vec<String>>,
}

/// A changed credential, whole.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Warehouse", "data": { "user": "robot", "password": "n3w" }, "allowedHosts": ["api.example.com"] }))]
pub struct ReplaceCredential {
    #[validate(length(min = 1, max = 128), custom(function = visible_text))]
    pub name: String,
    /// If given, the type it has: types do not change.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// All fields. One that holds the mark that answers show in place of a secret keeps the secret.
    #[schema(value_type = Object)]
    pub data: Secret<Fields>,
    pub allowed_hosts: Option<Vec<String>>,
}

/// A changed credential, in part.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Warehouse, new" }))]
pub struct UpdateCredential {
    #[validate(length(min = 1, max = 128), custom(function = visible_text))]
    pub name: Option<String>,
    /// If given, the type it has: types do not change.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Fields to change; null takes one away, others stay.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Secret<Fields>>,
    /// Null: any host.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_hosts: Patch<Vec<String>>,
}

/// What may use a credential.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "workflows": null, "nodeTypes": ["n8n-nodes-base.httpRequest"] }))]
pub struct ShareCredential {
    /// The workflows that may use it; null: every workflow of the tenant.
    #[validate(length(max = 1000))]
    pub workflows: Option<Vec<WorkflowId>>,
    /// The node types that may use it; null: every type that asks for it.
    #[validate(length(max = 1000))]
    pub node_types: Option<Vec<String>>,
}

/// Query of the list of credentials.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListCredentialsQuery {
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
    /// Only credentials of this type.
    #[serde(rename = "type")]
    #[param(example = "httpBasicAuth")]
    pub kind: Option<String>,
    /// Part of the name, in any case.
    #[param(example = "ware")]
    pub name: Option<String>,
}

/// A credential, without its secrets.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialResponse {
    pub id: CredentialId,
    /// The id it has in the n8n it was exported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "vHxFq1Rg2Kx0pYfE")]
    pub alias: Option<String>,
    #[schema(example = "Warehouse")]
    pub name: String,
    #[serde(rename = "type")]
    #[schema(example = "httpBasicAuth")]
    pub kind: String,
    pub status: Status,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_grant")]
    pub problem: Option<String>,
    /// The only hosts requests with it may go to; null: any.
    pub allowed_hosts: Option<Vec<String>>,
    /// The workflows that may use it; null: every workflow of the tenant.
    pub workflows: Option<Vec<WorkflowId>>,
    /// The node types that may use it; null: every type that asks for it.
    pub node_types: Option<Vec<String>>,
    /// Scopes of its access token, if it has one.
    #[schema(example = json!(["chat:write"]))]
    pub scopes: Vec<String>,
    /// When its access token ends; it is renewed before, where it can be.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Option<UserId>,
    /// Its fields; a mark stands for each secret that is set. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
}

impl CredentialResponse {
    pub(super) fn of(row: &Credential) -> CredentialResponse {
        CredentialResponse {
            id: row.id,
            alias: row.alias.clone(),
            name: row.name.clone(),
            kind: row.kind.clone(),
            status: row.status,
            problem: row.problem.clone(),
            allowed_hosts: list(row.allowed_hosts.as_deref()),
            workflows: list(row.workflows.as_deref()),
            node_types: list(row.node_types.as_deref()),
            scopes: row.scopes.as_deref().unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            created_by: row.created_by,
            data: None,
        }
    }

    #[must_use]
    pub(super) fn with_data(self, data: Map<String, Value>) -> CredentialResponse {
        CredentialResponse { data: Some(data), ..self }
    }
}

/// A list that a column holds as JSON. What cannot be read allows nothing.
pub(super) fn list<T: serde::de::DeserializeOwned>(column: Option<&str>) -> Option<Vec<T>> {
    column.map(|text| serde_json::from_str(text).unwrap_or_default())
}

/// How trying a credential out went.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestResponse {
    /// `OK`, `Error`, or `NotTestable` where the type has no test.
    #[schema(example = "OK")]
    pub status: &'static str,
    #[schema(example = "Connection successful!")]
    pub message: String,
}

/// The workflows that name a credential.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CredentialUsageResponse)]
pub struct UsageResponse {
    pub data: Vec<WorkflowUse>,
}

/// A workflow that names a credential.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkflowUse {
    pub id: WorkflowId,
    #[schema(example = "Hello")]
    pub name: String,
    pub active: bool,
    /// Names of the nodes that use it.
    #[schema(example = json!(["HTTP Request"]))]
    pub nodes: Vec<String>,
}

/// The types of credentials.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialTypesResponse {
    pub data: Vec<CredentialTypeResponse>,
}

/// A type of credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialTypeResponse {
    #[schema(example = "httpBasicAuth")]
    pub name: String,
    #[schema(example = "Basic Auth")]
    pub display_name: String,
    pub authenticate: Authenticate,
    /// The headers, query and body fields that a `generic` type adds; `{name}` is a field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub rule: Option<Value>,
    /// The address that a good credential opens; null where it cannot be tried out.
    #[schema(example = "https://api.example.com/me")]
    pub test: Option<String>,
    pub fields: Vec<Field>,
}

impl From<&CredentialType> for CredentialTypeResponse {
    fn from(kind: &CredentialType) -> CredentialTypeResponse {
        let rule = millrace_nodes::authentication_rules().get(&kind.name);
        let shown = |field: &Field| Field { display_name: field.label(), ..field.clone() };
        CredentialTypeResponse {
            name: kind.name.clone(),
            display_name: kind.display_name.clone(),
            authenticate: kind.authenticate,
            rule: rule.and_then(|rule| serde_json::from_str(&rule.to_json()).ok()),
            test: kind.test.as_ref().map(|test| match test {
                Test::Request { url, .. } => url.clone(),
                Test::Service { service, .. } => service.clone(),
            }),
            fields: kind.fields.iter().map(shown).collect(),
        }
    }
}

/// JSON Schema of a type's fields, as n8n's public API gives it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "additionalProperties": false, "type": "object",
    "properties": { "user": { "type": "string" }, "password": { "type": "string" } }, "required": []
}))]
pub(super) struct CredentialSchemaResponse {
    pub additional_properties: bool,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(value_type = Object)]
    pub properties: BTreeMap<String, Value>,
    pub required: Vec<String>,
    /// Fields that are required only while others have certain values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub all_of: Vec<Value>,
}

/// The keys that seal a tenant's credentials, and the progress of a rotation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionResponse {
    /// Id of the operator's key that wraps new versions.
    #[schema(example = "9f86d081884c7d65")]
    pub key_id: String,
    /// The newest first; it seals, the others only open.
    pub versions: Vec<KeyVersion>,
    /// Credentials of the tenant.
    #[schema(example = 12)]
    pub total: u64,
    /// Those that the newest version seals; a rotation is over when they are all.
    #[schema(example = 12)]
    pub resealed: u64,
}

/// A version of a tenant's key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyVersion {
    #[schema(example = 2)]
    pub version: i32,
    /// Id of the operator's key that wraps it.
    #[schema(example = "9f86d081884c7d65")]
    pub key_id: String,
    /// Credentials that it seals.
    #[schema(example = 12)]
    pub credentials: u64,
    pub created_at: Timestamp,
}

/// Where to go to connect an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartedOAuthResponse {
    /// To be opened in the browser that made the request.
    #[schema(example = "https://accounts.example.com/authorize?client_id=abc&state=Tm9uc2Vuc2U")]
    pub authorization_url: String,
    /// What the account's owner will be asked for.
    #[schema(example = json!(["chat:write"]))]
    pub scopes: Vec<String>,
    pub expires_at: Timestamp,
}

/// An invitation to connect an account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "type": "httpBasicAuth", "name": "Their warehouse", "endUser": "customer-17" }))]
pub struct CreateConnectSession {
    /// Name of the credential type.
    #[serde(rename = "type")]
    #[validate(length(min = 1, max = 128))]
    pub kind: String,
    /// Name of the credential to be made.
    #[validate(length(min = 1, max = 128), custom(function = visible_text))]
    pub name: Option<String>,
    /// Fields given by the inviting side, such as the id and secret of its own client; the page does not show them.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Secret<Fields>,
    pub allowed_hosts: Option<Vec<String>>,
    /// Whom the invitation is for, in the inviting side's words.
    #[validate(length(min = 1, max = 255), custom(function = visible_text))]
    pub end_user: Option<String>,
}

/// A connect session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectSessionResponse)]
pub struct SessionResponse {
    pub id: ConnectSessionId,
    #[serde(rename = "type")]
    #[schema(example = "httpBasicAuth")]
    pub kind: String,
    #[schema(example = "Their warehouse")]
    pub name: String,
    #[schema(example = "customer-17")]
    pub end_user: Option<String>,
    pub status: SessionStatus,
    /// Why it failed: a code.
    #[schema(example = "oauth_consent_denied")]
    pub problem: Option<String>,
    /// The credential that came of it.
    pub credential_id: Option<CredentialId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A new connect session. The token is shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "type": "httpBasicAuth", "name": "Their warehouse",
    "endUser": "customer-17", "status": "pending", "problem": null, "credentialId": null,
    "createdAt": "2025-01-31T08:00:00.000Z", "expiresAt": "2025-01-31T08:30:00.000Z",
    "token": "mrc_Tm9uc2Vuc2U", "url": "http://localhost:8080/connect/mrc_Tm9uc2Vuc2U"
}))]
pub struct CreatedSessionResponse {
    #[serde(flatten)]
    pub session: SessionResponse,
    #[schema(example = "mrc_Tm9uc2Vuc2U")]
    pub token: String,
    /// The page to send the end user to.
    #[schema(example = "http://localhost:8080/connect/mrc_Tm9uc2Vuc2U")]
    pub url: String,
}

/// What an authorisation server adds to the address it sends people back to.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({ "state": "Tm9uc2Vuc2U", "code": "SplxlOBeZQQYbYS6WxSbIA" }))]
pub(super) struct CallbackQuery {
    /// What the server was given on the way there.
    pub state: Option<String>,
    /// To be exchanged for tokens.
    pub code: Option<String>,
    /// Why there is no code, such as `access_denied`.
    pub error: Option<String>,
    /// What OAuth 1 calls the code.
    pub oauth_verifier: Option<String>,
    /// What OAuth 1 says where consent was denied.
    pub denied: Option<String>,
}

/// The operator's key, and the progress of its rotation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrappingResponse {
    /// Id of the key that wraps from now on.
    #[schema(example = "9f86d081884c7d65")]
    pub key_id: String,
    /// Data keys of all tenants.
    #[schema(example = 12)]
    pub data_keys: u64,
    /// Those that this key wraps; a rotation is over when they are all.
    #[schema(example = 12)]
    pub wrapped: u64,
}
