//! OAuth 2.0 access tokens: using one, renewing it with a refresh token, getting one for client credentials.

use millrace_model::{Object, Str, Value};

use super::authentication::basic;
use super::{Draft, DraftBody, field};
use crate::{HttpRequest, HttpResponse};

/// What an OAuth 2.0 credential holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    data: Object,
    tokens: Object,
}

impl Grant {
    pub(super) fn of(data: &Object) -> Grant {
        let tokens = match data.get("oauthTokenData") {
            Some(Value::Object(tokens)) => tokens.clone(),
            Some(Value::String(text)) => {
                Value::from_json(text).ok().and_then(|tokens| tokens.as_object().cloned()).unwrap_or_default()
            }
            _ => Object::new(),
        };
        Grant { data: data.clone(), tokens }
    }

    pub(super) fn access_token(&self) -> Option<Str> {
        [field(&self.tokens, "access_token"), field(&self.data, "accessToken")]
            .into_iter()
            .find(|token| !token.is_empty())
    }

    /// The credential's id, where the host renews its tokens.
    pub(super) fn kept_by_host(&self) -> Option<Str> {
        Some(field(&self.data, "credentialId")).filter(|id| !id.is_empty())
    }

    pub(super) fn can_renew(&self) -> bool {
        !field(&self.data, "accessTokenUrl").is_empty()
            && (!field(&self.tokens, "refresh_token").is_empty() || self.is_client_credentials())
    }

    /// Puts the token where the service expects it.
    pub(super) fn apply(&self, draft: &mut Draft, token: &Str) {
        draft.set_header("Authorization", format!("Bearer {token}"));
    }

    /// The request for a new token; `None` where the credential has no way to get one.
    pub(super) fn token_request(&self) -> Option<Draft> {
        if !self.can_renew() {
            return None;
        }
        let mut form = Object::new();
        if self.is_client_credentials() {
            form.insert("grant_type", "client_credentials");
            let scope = field(&self.data, "scope");
            if !scope.is_empty() {
                form.insert("scope", scope);
            }
        } else {
            form.insert("refresh_token", field(&self.tokens, "refresh_token"));
            form.insert("grant_type", "refresh_token");
        }
        let (id, secret) = (field(&self.data, "clientId"), field(&self.data, "clientSecret"));
        let request = HttpRequest {
            method: "POST".into(),
            url: field(&self.data, "accessTokenUrl").to_string(),
            ..HttpRequest::default()
        };
        let mut draft = Draft { request, ..Draft::default() };
        draft.set_header("Accept", "application/json");
        if field(&self.data, "authentication") == "body" {
            form.insert("client_id", id);
            form.insert("client_secret", secret);
        } else {
            draft.set_header("Authorization", basic(&id, &secret));
        }
        draft.body = DraftBody::Form(form);
        Some(draft)
    }

    pub(super) fn read_token(&self, response: &HttpResponse) -> Option<Str> {
        let answer: Value = serde_json::from_slice(&response.body).ok()?;
        let token = answer.get("access_token")?.as_str()?;
        (response.status < 300 && !token.is_empty()).then(|| token.into())
    }

    fn is_client_credentials(&self) -> bool {
        field(&self.data, "grantType") == "clientCredentials"
    }
}
