//! The conversation with an OpenID provider (OpenID Connect Core 1.0, authorization code with PKCE), through the one HTTP client
//! and its egress policy: a tenant names the provider, and must not reach more by it than its workflows do.

use bytes::Bytes;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse, http,
};

use crate::common::Secret;
use crate::common::error::chain;
use crate::infrastructure::http_client::{Body, Error as HttpError, ErrorKind, Request, Way};

/// A tenant's registration at its provider.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: Option<Secret<String>>,
    pub(super) scopes: Vec<String>,
    pub(super) redirect: String,
}

/// Where to send the browser, and what its return has to match.
pub(super) struct Departure {
    pub(super) url: String,
    pub(super) state: Secret<String>,
    pub(super) nonce: String,
    pub(super) verifier: Secret<String>,
}

/// Whom the provider says it has signed in.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) subject: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

/// What went wrong; for the log.
pub(super) type Failure = String;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Signatures of ID tokens that are taken; never `none`, and never an HMAC, whose key the client shares.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A request of the library's, sent our way.
async fn send(way: &Way, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let (head, body) = request.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: if body.is_empty() { Body::None } else { Body::Bytes(Bytes::from(body)) },
        ..Request::default()
    };
    let answer = way.send(request).await?;
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let invalid = |error: http::Error| HttpError { kind: ErrorKind::Invalid, message: error.to_string() };
    response.body(answer.body.to_vec()).map_err(invalid)
}

impl Provider {
    /// Begins a sign-in.
    pub(super) async fn depart(&self, way: &Way) -> Result<Departure, Failure> {
        let client = self.client(way).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request =
            client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        for scope in self.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        Ok(Departure {
            url: url.into(),
            state: Secret::new(state.into_secret()),
            nonce: nonce.secret().clone(),
            verifier: Secret::new(verifier.into_secret()),
        })
    }

    /// Ends it: exchanges the code, checks the ID token's signature, issuer, audience, time and nonce.
    pub(super) async fn arrive(
        &self,
        way: &Way,
        code: String,
        verifier: &Secret<String>,
        nonce: &str,
    ) -> Result<Claimed, Failure> {
        let client = self.client(way).await?;
        let send = |request| send(way, request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| chain(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()))
            .request_async(&send)
            .await
            .map_err(|error| chain(&error))?;
        let id_token = tokens.id_token().ok_or("the provider gave no ID token")?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = id_token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| chain(&error))?;
        let mut claimed = Claimed {
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified().unwrap_or(false),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
        };
        // Many providers say who somebody is there only.
        if claimed.email.is_none()
            && let Ok(request) = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        {
            let info: CoreUserInfoClaims = request.request_async(&send).await.map_err(|error| chain(&error))?;
            claimed.email = info.email().map(|email| email.to_string());
            claimed.email_verified = info.email_verified().unwrap_or(false);
            claimed.name = info.name().and_then(|name| name.get(None)).map(|name| name.to_string()).or(claimed.name);
        }
        Ok(claimed)
    }

    async fn client(&self, way: &Way) -> Result<Client, Failure> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| chain(&error))?;
        let send = |request| send(way, request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.map_err(|error| chain(&error))?;
        let secret = self.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().clone()));
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new(self.client_id.clone()), secret);
        Ok(client.set_redirect_uri(RedirectUrl::new(self.redirect.clone()).map_err(|error| chain(&error))?))
    }
}
