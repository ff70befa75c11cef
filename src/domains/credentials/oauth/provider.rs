//! An authorisation server as a credential describes it: where it asks people, and where it gives tokens (RFC 6749, with
//! PKCE, RFC 7636). All requests go through the one way out, under its policy.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use serde_json::{Map, Value};
use url::Url;

use super::super::model::Fields;
use super::super::registry::{Authenticate, CredentialType};
use super::service_account;
use crate::common::Secret;
use crate::infrastructure::http_client::{Body, Error as HttpError, ErrorKind, Request, Response, Way};

/// An authorisation server that takes longer counts as away.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest code of an error that is repeated.
const LONGEST_ERROR: usize = 60;

/// What a credential says about its authorisation server.
pub(in super::super) struct Provider {
    auth_url: String,
    token_url: String,
    revocation_url: String,
    client_id: String,
    client_secret: Secret<String>,
    pub scope: String,
    /// More fields of the request for consent.
    auth_parameters: Vec<(String, String)>,
    /// More fields of requests for tokens.
    body_parameters: Vec<(String, String)>,
    secret_in_body: bool,
    /// Whether a person has to consent, and if not, how tokens are got.
    pub grant: Grant,
    ignore_tls_errors: bool,
}

/// How tokens are got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Grant {
    /// A person consents; renewed with the refresh token.
    Code,
    /// For the client itself.
    Clients,
    /// For an assertion that a service account signs (RFC 7523).
    Assertion,
}

impl Grant {
    /// Of the credential's fields, complete.
    pub(in super::super) fn of(kind: &CredentialType, fields: &Fields) -> Grant {
        match kind.authenticate {
            Authenticate::ServiceAccount => Grant::Assertion,
            _ if fields.text("grantType") == "clientCredentials" => Grant::Clients,
            _ => Grant::Code,
        }
    }
}

/// What the authorisation server gave.
pub(in super::super) struct Tokens {
    /// As n8n keeps them: `access_token`, `token_type`, `refresh_token`, …
    pub data: Secret<Fields>,
    pub life: Option<Duration>,
    /// None: those that were asked for.
    pub scopes: Option<String>,
}

/// Why the authorisation server gave nothing. Holds no part of its answer but the code of its error.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the credential's {0} is not an http or https address")]
    Url(&'static str),
    /// It decided so: another try will not help.
    #[error("the authorisation server refuses: {0}")]
    Refused(String),
    #[error("the authorisation server does not answer: {0}")]
    Unreachable(String),
    #[error("the credential's private key is no RSA key in PEM")]
    Key,
    #[error("the authorisation server answers with something other than tokens")]
    Unreadable,
}

type TokenClient = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Provider {
    /// `fields`: complete, with what the type adds.
    pub(in super::super) fn of(kind: &CredentialType, fields: &Fields) -> Provider {
        let pairs = |text: String| url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let more: Map<String, Value> = match fields.0.get("additionalBodyProperties") {
            Some(Value::Object(more)) => more.clone(),
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => Map::new(),
        };
        let flag = |name: &str| fields.0.get(name) == Some(&Value::Bool(true));
        let more = if flag("sendAdditionalBodyProperties") { more } else { Map::new() };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Provider {
            auth_url: fields.text("authUrl"),
            token_url: fields.text("accessTokenUrl"),
            revocation_url: fields.text("revocationUrl"),
            client_id: fields.text("clientId"),
            client_secret: Secret::new(fields.text("clientSecret")),
            scope: match kind.authenticate {
                Authenticate::ServiceAccount => service_account::scopes(fields),
                _ => fields.text("scope"),
            },
            auth_parameters: pairs(fields.text("authQueryParameters")),
            body_parameters: more.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            secret_in_body: fields.text("authentication") == "body",
            grant: Grant::of(kind, fields),
            ignore_tls_errors: flag("ignoreSSLIssues"),
        }
    }

    /// Where a person is asked for consent.
    pub(in super::super) fn consent_url(
        &self,
        redirect: &str,
        state: &Secret<String>,
        verifier: &Secret<String>,
    ) -> Result<Url, ProviderError> {
        let auth_url = AuthUrl::from_url(http_url(&self.auth_url, "authUrl")?);
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| ProviderError::Url("redirect address"))?;
        let verifier = PkceCodeVerifier::new(verifier.expose().clone());
        let client = BasicClient::new(ClientId::new(self.client_id.clone())).set_auth_uri(auth_url);
        let client = client.set_redirect_uri(redirect);
        let mut request = client
            .authorize_url(|| CsrfToken::new(state.expose().clone()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if !self.scope.is_empty() {
            request = request.add_scope(Scope::new(self.scope.clone()));
        }
        for (name, value) in &self.auth_parameters {
            request = request.add_extra_param(name, value);
        }
        Ok(request.url().0)
    }

    /// Tokens for the code that a person brought back.
    pub(in super::super) async fn exchange(
        &self,
        way: &Way,
        code: &Secret<String>,
        verifier: &Secret<String>,
        redirect: &str,
    ) -> Result<Tokens, ProviderError> {
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| ProviderError::Url("redirect address"))?;
        let client = self.client()?.set_redirect_uri(redirect);
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.expose().clone()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
        for (name, value) in &self.body_parameters {
            request = request.add_extra_param(name, value);
        }
        given(request.request_async(&self.door(way)).await)
    }

    /// Fresh tokens for a refresh token.
    pub(in super::super) async fn refresh(
        &self,
        way: &Way,
        refresh_token: &Secret<String>,
    ) -> Result<Tokens, ProviderError> {
        let (client, token) = (self.client()?, RefreshToken::new(refresh_token.expose().clone()));
        let mut request = client.exchange_refresh_token(&token);
        for (name, value) in &self.body_parameters {
            request = request.add_extra_param(name, value);
        }
        given(request.request_async(&self.door(way)).await)
    }

    /// Tokens for the client itself.
    pub(in super::super) async fn client_credentials(&self, way: &Way) -> Result<Tokens, ProviderError> {
        let client = self.client()?;
        let mut request = client.exchange_client_credentials();
        if !self.scope.is_empty() {
            request = request.add_scope(Scope::new(self.scope.clone()));
        }
        for (name, value) in &self.body_parameters {
            request = request.add_extra_param(name, value);
        }
        given(request.request_async(&self.door(way)).await)
    }

    /// Tells the server that a token is not needed any more (RFC 7009). `false`: it offers no place to tell.
    pub(in super::super) async fn revoke(
        &self,
        way: &Way,
        token: &Secret<String>,
        hint: &str,
    ) -> Result<bool, ProviderError> {
        if self.revocation_url.is_empty() {
            return Ok(false);
        }
        let url = http_url(&self.revocation_url, "revocationUrl")?;
        let form = form_of(&[
            ("token", token.expose()),
            ("token_type_hint", hint),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
        ]);
        let answer = self.post(way, url, form).await?;
        if (200..300).contains(&answer.status) {
            Ok(true)
        } else {
            Err(ProviderError::Refused(answer.status.to_string()))
        }
    }

    /// A token for an assertion that a service account signed (RFC 7523).
    pub(in super::super) async fn assertion(
        &self,
        way: &Way,
        assertion: &Secret<String>,
    ) -> Result<Tokens, ProviderError> {
        let url = http_url(&self.token_url, "accessTokenUrl")?;
        let form = form_of(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose()),
        ]);
        let answer = self.post(way, url, form).await?;
        if (200..300).contains(&answer.status) {
            let tokens = serde_json::from_slice(&answer.body).map_err(|_| ProviderError::Unreadable)?;
            return read(&tokens);
        }
        match serde_json::from_slice::<BasicErrorResponse>(&answer.body) {
            Ok(error) => Err(ProviderError::Refused(plain(error.error().as_ref()))),
            Err(_) => Err(ProviderError::Unreadable),
        }
    }

    async fn post(&self, way: &Way, url: Url, form: String) -> Result<Response, ProviderError> {
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let request = Request {
            method: "POST".to_owned(),
            url: url.into(),
            headers,
            body: Body::Bytes(form.into()),
            timeout: Some(way.at_most(TIMEOUT)),
            ignore_tls_errors: self.ignore_tls_errors,
            ..Request::default()
        };
        way.send(request).await.map_err(|error| ProviderError::Unreachable(error.message))
    }

    fn client(&self) -> Result<TokenClient, ProviderError> {
        let token_url = TokenUrl::from_url(http_url(&self.token_url, "accessTokenUrl")?);
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone())).set_token_uri(token_url);
        if !self.client_secret.expose().is_empty() {
            client = client.set_client_secret(ClientSecret::new(self.client_secret.expose().clone()));
        }
        let place = if self.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Ok(client.set_auth_type(place))
    }

    fn door(&self, way: &Way) -> Door {
        Door { way: way.clone(), ignore_tls_errors: self.ignore_tls_errors }
    }
}

/// The one way out, as the library wants it.
struct Door {
    way: Way,
    ignore_tls_errors: bool,
}

impl<'c> AsyncHttpClient<'c> for Door {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

impl Door {
    /// A token is no page: redirects are not followed.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let text = |value: &oauth2::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let request = Request {
            method: head.method.to_string(),
            url: head.uri.to_string(),
            headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: Body::Bytes(body.into()),
            timeout: Some(self.way.at_most(TIMEOUT)),
            ignore_tls_errors: self.ignore_tls_errors,
            ..Request::default()
        };
        let answer = self.way.send(request).await?;
        let mut response = oauth2::http::Response::builder().status(answer.status);
        // The library reads the content type only.
        for (name, value) in answer.headers.iter().filter(|(name, _)| name == "content-type") {
            response = response.header(name, value);
        }
        let unreadable = |_| HttpError { kind: ErrorKind::Other, message: "its answer cannot be read".to_owned() };
        response.body(answer.body.to_vec()).map_err(unreadable)
    }
}

fn form_of(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(super) fn http_url(text: &str, field: &'static str) -> Result<Url, ProviderError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or(ProviderError::Url(field))
}

type Outcome = Result<BasicTokenResponse, RequestTokenError<HttpError, BasicErrorResponse>>;

fn given(outcome: Outcome) -> Result<Tokens, ProviderError> {
    let tokens = outcome.map_err(|error| match error {
        RequestTokenError::ServerResponse(answer) => ProviderError::Refused(plain(answer.error().as_ref())),
        RequestTokenError::Request(error) => ProviderError::Unreachable(error.message),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ProviderError::Unreadable,
    })?;
    read(&tokens)
}

fn read(tokens: &BasicTokenResponse) -> Result<Tokens, ProviderError> {
    let Ok(Value::Object(data)) = serde_json::to_value(tokens) else { return Err(ProviderError::Unreadable) };
    let scopes = tokens.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
    Ok(Tokens { data: Secret::new(Fields(data)), life: tokens.expires_in(), scopes })
}

/// An error code as the standard writes them; anything else might be anything.
pub(in super::super) fn plain(code: &str) -> String {
    let is_code = !code.is_empty()
        && code.len() <= LONGEST_ERROR
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if is_code { code.to_owned() } else { "an error without a code".to_owned() }
}
