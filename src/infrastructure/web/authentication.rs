//! Finds out who asks, and whether they may ask now, before any handler runs. The checks come in the order size,
//! credentials, limits. Who it is waits in the request for the guard in the handler's signature.

use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use async_trait::async_trait;
use tracing::{Instrument, Span};

use super::guard::{Authentication, Visitor};
use super::json::check_announced_size;
use super::served::note_tenant;
use crate::common::{Code, Ctx, Kind, Problem, RequestId, Secret};

/// What a caller showed.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// `Authorization: Bearer …` (or `bearer.…` among the protocols of a WebSocket): an access token, or an API key (told
    /// apart by the key's prefix).
    Bearer(Secret<String>),
    /// `X-N8N-API-KEY` or `X-API-Key`.
    ApiKey(Secret<String>),
}

/// Somebody whose credentials are good.
#[derive(Clone, Debug)]
pub struct Caller {
    pub ctx: Ctx,
    /// Requests per minute that these credentials allow, where they say so themselves.
    pub requests_per_minute: Option<u64>,
}

/// What is left of the limit that is nearest to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in a window.
    pub limit: u64,
    /// Requests in this window so far, this one included.
    pub used: u64,
    /// Until the next window.
    pub reset: Duration,
}

impl Allowance {
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    pub fn is_exceeded(&self) -> bool {
        self.used > self.limit
    }
}

/// Turns credentials into a caller, or a 401. The `auth` domain does it; `app.rs` plugs it in.
#[async_trait]
pub trait Authenticator: Send + Sync {
    async fn authenticate(&self, credentials: Credentials, visitor: &Visitor) -> Result<Caller, Problem>;

    /// Counts the request against every limit on this caller, and gives the tightest; None where there is no limit.
    async fn admit(&self, caller: Option<&Caller>, visitor: &Visitor) -> Result<Option<Allowance>, Problem>;

    /// Records that a known caller was refused `operation`, such as `DELETE /api/v1/users/{id}`.
    async fn refused(&self, caller: &Ctx, operation: &str, problem: &Problem);
}

/// Middleware of the API scope. Wrong credentials do not fail here but in the guard, so that public operations stay public.
pub async fn authenticate<B: MessageBody + 'static>(
    authenticator: web::Data<dyn Authenticator>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if let Err(problem) = check_announced_size(request.request()) {
        return Ok(refuse(request, problem));
    }
    let visitor = visitor(&request);
    let result = match credentials(request.headers()) {
        Some(credentials) => Some(authenticator.authenticate(credentials, &visitor).await),
        None => None,
    };
    let caller = result.as_ref().and_then(|result| result.as_ref().ok());
    let allowance = match authenticator.admit(caller, &visitor).await {
        Ok(allowance) => allowance,
        Err(problem) => return Ok(refuse(request, problem)),
    };
    let mut response = match allowance.filter(Allowance::is_exceeded) {
        Some(exceeded) => {
            let problem = Problem { retry_after: Some(exceeded.reset), ..Problem::of(TOO_MANY_REQUESTS) };
            refuse(request, problem.with_detail(format!("{} requests a minute are taken", exceeded.limit)))
        }
        None => {
            request.extensions_mut().insert(visitor);
            let known = caller.map(|caller| caller.ctx.clone());
            let span = span(&request, known.as_ref());
            request.extensions_mut().insert(Authentication(result.map(|result| result.map(|caller| caller.ctx))));
            let response = next.call(request).instrument(span).await?;
            if let Some(known) = known {
                note_refusal(&**authenticator, &known, &response).await;
            }
            response.map_into_left_body()
        }
    };
    add_headers(response.headers_mut(), allowance);
    Ok(response)
}

/// Whatever is logged on the way says whose request it was.
fn span(request: &ServiceRequest, known: Option<&Ctx>) -> Span {
    let Some(ctx) = known else { return Span::none() };
    note_tenant(request, ctx.tenant);
    tracing::info_span!("request", request_id = ctx.request_id.as_str(), tenant = %ctx.tenant)
}

/// What a known caller was forbidden is worth knowing.
async fn note_refusal<B>(authenticator: &dyn Authenticator, caller: &Ctx, response: &ServiceResponse<B>) {
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>())
        && problem.code.kind == Kind::Forbidden
    {
        let request = response.request();
        let route = request.match_pattern().unwrap_or_default();
        authenticator.refused(caller, &format!("{} {route}", request.method()), problem).await;
    }
}

/// An answer instead of the handler's. Not an `Err`, which would pass by the headers that outer middleware adds.
pub(super) fn refuse<B>(request: ServiceRequest, problem: Problem) -> ServiceResponse<EitherBody<B, BoxBody>> {
    request.error_response(problem).map_into_right_body()
}

/// `RateLimit-*` (draft-ietf-httpapi-ratelimit-headers-06), and no caching of what is meant for one caller.
fn add_headers(headers: &mut HeaderMap, allowance: Option<Allowance>) {
    if let Some(allowance) = allowance {
        for (name, value) in [
            ("ratelimit-limit", allowance.limit),
            ("ratelimit-remaining", allowance.remaining()),
            ("ratelimit-reset", allowance.reset.as_secs()),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The caller as far as it is known without credentials.
fn visitor(request: &ServiceRequest) -> Visitor {
    let request_id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::generate);
    Visitor { request_id, ..Visitor::of(request.request()) }
}

fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(key) = text("x-n8n-api-key").or_else(|| text("x-api-key")) {
        return Some(Credentials::ApiKey(Secret::new(key.to_owned())));
    }
    let bearer = |token: &str| Credentials::Bearer(Secret::new(token.trim().to_owned()));
    if let Some(authorization) = text(header::AUTHORIZATION.as_str()) {
        let (scheme, token) = authorization.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| bearer(token));
    }
    // A page that opens a WebSocket has no other header to put it.
    let protocols = text(header::SEC_WEBSOCKET_PROTOCOL.as_str())?;
    protocols.split(',').find_map(|protocol| protocol.trim().strip_prefix("bearer.")).map(bearer)
}

const TOO_MANY_REQUESTS: Code = Code::new(Kind::TooManyRequests, "too_many_requests", "Too many requests");

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn credentials_are_found_in_their_places() {
        for (pairs, expected) in [
            (headers(&[("x-n8n-api-key", "k1")]), Some("key k1")),
            (headers(&[("x-api-key", " k2 ")]), Some("key k2")),
            (headers(&[("authorization", "Bearer t1")]), Some("bearer t1")),
            (headers(&[("authorization", "bearer  t2")]), Some("bearer t2")),
            (headers(&[("sec-websocket-protocol", "millrace, bearer.t3")]), Some("bearer t3")),
            (headers(&[("sec-websocket-protocol", "millrace")]), None),
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
