//! Finds out who asks, before any handler runs. The answer waits in the request for the guard in the handler's signature.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use async_trait::async_trait;

use super::forwarded::client_address;
use super::guard::{Authentication, Visitor};
use crate::common::{Ctx, Kind, Problem, RequestId, Secret};

/// What a caller showed.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// `Authorization: Bearer …`: an access token, or an API key (told apart by the key's prefix).
    Bearer(Secret<String>),
    /// `X-N8N-API-KEY` or `X-API-Key`.
    ApiKey(Secret<String>),
}

/// Turns credentials into a context, or a 401. The `auth` domain does it; `app.rs` plugs it in.
#[async_trait]
pub trait Authenticator: Send + Sync {
    async fn authenticate(&self, credentials: Credentials, visitor: &Visitor) -> Result<Ctx, Problem>;

    /// Counts the request against the caller's allowance; a 429 when it is used up.
    async fn admit(&self, caller: Option<&Ctx>, visitor: &Visitor) -> Result<(), Problem>;

    /// Records that a known caller was refused `operation`, such as `DELETE /api/v1/users/{id}`.
    async fn refused(&self, caller: &Ctx, operation: &str, problem: &Problem);
}

/// Middleware of the API scope. Wrong credentials do not fail here but in the guard, so that public operations stay public.
pub async fn authenticate<B: MessageBody + 'static>(
    authenticator: web::Data<dyn Authenticator>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let visitor = visitor(&request);
    let result = match credentials(request.headers()) {
        Some(credentials) => Some(authenticator.authenticate(credentials, &visitor).await),
        None => None,
    };
    let caller = result.as_ref().and_then(|result| result.as_ref().ok());
    authenticator.admit(caller, &visitor).await?;
    request.extensions_mut().insert(visitor);
    let caller = caller.cloned();
    request.extensions_mut().insert(Authentication(result));
    let response = next.call(request).await?;
    if let Some(caller) = caller
        && let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>())
        && problem.code.kind == Kind::Forbidden
    {
        let request = response.request();
        let route = request.match_pattern().unwrap_or_default();
        authenticator.refused(&caller, &format!("{} {route}", request.method()), problem).await;
    }
    Ok(response)
}

/// The caller as far as it is known without credentials.
fn visitor(request: &ServiceRequest) -> Visitor {
    let request_id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::generate);
    Visitor { request_id, address: client_address(request.request()) }
}

fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(key) = text("x-n8n-api-key").or_else(|| text("x-api-key")) {
        return Some(Credentials::ApiKey(Secret::new(key.to_owned())));
    }
    let (scheme, token) = text(header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Credentials::Bearer(Secret::new(token.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn credentials_are_found_in_their_three_places() {
        for (pairs, expected) in [
            (headers(&[("x-n8n-api-key", "k1")]), Some("key k1")),
            (headers(&[("x-api-key", " k2 ")]), Some("key k2")),
            (headers(&[("authorization", "Bearer t1")]), Some("bearer t1")),
            (headers(&[("authorization", "bearer  t2")]), Some("bearer t2")),
            (headers(&[("authorization", "Basic dTpw")]), None),
            (headers(&[("authorization", "Bearer")]), None),
            (headers(&[]), None),
        ] {
            let found = credentials(&pairs).map(|credentials| match credentials {
                Credentials::Bearer(token) => format!("bearer {}", token.expose()),
                Credentials::ApiKey(key) => format!("key {}", key.expose()),
            });
            assert_eq!(found.as_deref(), expected);
        }
    }
}
