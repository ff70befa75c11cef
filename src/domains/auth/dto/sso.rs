//! What the API takes and shows of single sign-on.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::common::{Secret, Timestamp};
use crate::domains::users::Role;

/// The tenant's OpenID provider.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "issuer": "https://id.acme.example", "clientId": "millrace", "clientSecret": "s3cret",
    "emailDomains": ["acme.example"], "createMembers": true, "defaultRole": "viewer"
}))]
pub struct PutIdentityProvider {
    /// HTTPS; below it the provider serves `/.well-known/openid-configuration`.
    #[validate(length(min = 1, max = 500))]
    pub issuer: String,
    #[validate(length(min = 1, max = 255))]
    pub client_id: String,
    /// None: the present one stays, or there is none.
    #[schema(value_type = Option<String>, format = Password)]
    pub client_secret: Option<Secret<String>>,
    /// What is asked for.
    #[serde(default = "usual_scopes")]
    #[validate(length(max = 20), custom(function = words))]
    pub scopes: Vec<String>,
    /// Domains of addresses that the provider may speak for; every one when empty.
    #[serde(default)]
    #[validate(length(max = 50), custom(function = words))]
    pub email_domains: Vec<String>,
    /// Whether people without an account become members when they first sign in.
    #[serde(default)]
    pub create_members: bool,
    /// What they become.
    #[serde(default = "viewer")]
    pub default_role: Role,
}

/// The tenant's OpenID provider, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "issuer": "https://id.acme.example", "clientId": "millrace", "hasClientSecret": true,
    "scopes": ["openid", "email", "profile"], "emailDomains": ["acme.example"], "createMembers": true,
    "defaultRole": "viewer", "redirectUrl": "https://flows.acme.example/api/v1/auth/sso/callback",
    "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct IdentityProviderResponse {
    pub issuer: String,
    pub client_id: String,
    pub has_client_secret: bool,
    pub scopes: Vec<String>,
    pub email_domains: Vec<String>,
    pub create_members: bool,
    pub default_role: String,
    /// To be registered at the provider.
    pub redirect_url: String,
    pub updated_at: Timestamp,
}

/// What a provider sends back. It may add parameters of its own.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct SsoCallbackQuery {
    /// As it was sent to the provider.
    #[serde(default)]
    pub state: String,
    /// To be exchanged for the provider's tokens; absent when it refused.
    pub code: Option<String>,
}

fn usual_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

fn viewer() -> Role {
    Role::Viewer
}

fn words(list: &[String]) -> Result<(), ValidationError> {
    let is_word = |word: &String| {
        (1..=253).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if list.iter().all(is_word) {
        return Ok(());
    }
    Err(ValidationError::new("words").with_message("must be words of visible ASCII characters".into()))
}
