//! What the API takes and shows of a person's own account: password, address, second factor, logins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::entities::session;
use super::super::model::Method;
use crate::common::{Secret, SessionId, Timestamp};

/// Another password for one's own account.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "currentPassword": "correct horse battery", "newPassword": "staple correct horse" }))]
pub struct ChangePassword {
    #[schema(value_type = String, format = Password)]
    pub current_password: Secret<String>,
    /// 10–1024 characters, unless the server is configured otherwise.
    #[schema(value_type = String, format = Password)]
    pub new_password: Secret<String>,
}

/// The address of an account, to be mailed a link.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "email": "ann@acme.example" }))]
pub(in super::super) struct AccountAddress {
    #[validate(email, length(max = 254))]
    pub email: String,
}

/// A new password, with the token that was mailed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "token": "mro_3q2-7wXrV0…", "password": "staple correct horse" }))]
pub struct ResetPassword {
    #[schema(value_type = String)]
    pub token: Secret<String>,
    /// 10–1024 characters, unless the server is configured otherwise.
    #[schema(value_type = String, format = Password)]
    pub password: Secret<String>,
}

/// The token that was mailed to an address.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "token": "mro_3q2-7wXrV0…" }))]
pub(in super::super) struct VerifyEmail {
    #[schema(value_type = String)]
    pub token: Secret<String>,
}

/// The password of one's own account.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "password": "correct horse battery" }))]
pub struct EnrolSecondFactor {
    #[schema(value_type = String, format = Password)]
    pub password: Secret<String>,
}

/// What an authenticator needs. Shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "url": "otpauth://totp/Millrace:ann%40acme.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Millrace"
}))]
pub struct Authenticator {
    /// Base 32 (RFC 4648), to be typed.
    pub secret: String,
    /// The same as an `otpauth:` address, to be shown as a QR code.
    pub url: String,
}

/// A code of the authenticator.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "code": "123456" }))]
pub struct ConfirmSecondFactor {
    #[schema(value_type = String)]
    pub code: Secret<String>,
}

/// Password and code of one's own account.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "password": "correct horse battery", "code": "123456" }))]
pub struct SecondFactorProof {
    #[schema(value_type = String, format = Password)]
    pub password: Secret<String>,
    /// Of the authenticator, or a recovery code.
    #[schema(value_type = String)]
    pub code: Secret<String>,
}

/// Codes that stand in for the authenticator, each once. Shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "codes": ["k2m4n-8pqrs-3tuvw-x5yz7"] }))]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

/// One of the caller's logins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "current": true, "method": "password",
    "createdAt": "2025-01-31T08:00:00.000Z", "refreshedAt": null, "expiresAt": "2025-03-02T08:00:00.000Z",
    "address": "203.0.113.7", "userAgent": "curl/8.5.0"
}))]
pub struct LoginResponse {
    pub id: SessionId,
    /// Whether this request belongs to it.
    pub current: bool,
    pub method: Method,
    pub created_at: Timestamp,
    /// When its tokens were last refreshed.
    pub refreshed_at: Option<Timestamp>,
    /// Without a refresh until then it ends.
    pub expires_at: Timestamp,
    /// Where the person signed in from.
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

impl LoginResponse {
    pub(in super::super) fn new(row: session::Model, current: Option<SessionId>) -> LoginResponse {
        LoginResponse {
            current: current == Some(row.id),
            id: row.id,
            method: row.method,
            created_at: row.created_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}

/// Public keys that verify access tokens (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "keys": [{
    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "9f86d081884c7d65",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
}] }))]
pub struct JwksResponse {
    pub keys: Vec<JwkResponse>,
}

/// One public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "9f86d081884c7d65",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
}))]
pub struct JwkResponse {
    pub kty: &'static str,
    pub crv: &'static str,
    pub alg: &'static str,
    #[serde(rename = "use")]
    pub purpose: &'static str,
    /// Named in the header of the tokens it signed.
    pub kid: String,
    /// The key, in base64url.
    pub x: String,
}
