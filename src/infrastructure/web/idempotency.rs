//! `Idempotency-Key` on POST (draft-ietf-httpapi-idempotency-key-header): the same key and request give the first answer
//! again, without doing it again. Only what succeeded is remembered.

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use sha2::{Digest, Sha256};

use super::authentication::refuse;
use super::guard::Authentication;
use super::json::read_limited;
use crate::common::error::chain;
use crate::common::{Actor, Code, Ctx, Kind, Problem};
use crate::infrastructure::database::idempotency::{Answer, Attempt, Begun, IdempotencyKeys};
use crate::infrastructure::database::{self, code_of};

/// Put into an answer's extensions by handlers whose answer holds a secret: it is never stored.
#[derive(Clone, Copy, Debug)]
pub struct AnswerNotKept;

const KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_LENGTH: usize = 255;

/// Middleware of the API scope, inside authentication.
pub async fn idempotency<B: MessageBody + 'static>(
    keys: web::Data<IdempotencyKeys>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let (ctx, key) = match applies(&request) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => return Ok(refuse(request, problem)),
    };
    let payload = request.take_payload();
    let body = match read_limited(request.request(), payload).await {
        Ok(body) => body,
        Err(problem) => return Ok(refuse(request, problem)),
    };
    let attempt = Attempt { tenant: ctx.tenant, key: key_hash(&ctx, &key), fingerprint: fingerprint(&request, &body) };
    request.set_payload(Payload::from(body));
    let begun = match keys.begin(&attempt).await {
        Ok(begun) => begun,
        Err(error) => return Ok(refuse(request, unavailable(error))),
    };
    match begun {
        Begun::First => {}
        Begun::InProgress => return Ok(refuse(request, Problem::of(IN_PROGRESS))),
        Begun::OtherRequest => return Ok(refuse(request, Problem::of(OTHER_REQUEST))),
        Begun::Answered(None) => return Ok(refuse(request, Problem::of(NOT_KEPT))),
        Begun::Answered(Some(answer)) => return Ok(request.into_response(replay(answer)).map_into_right_body()),
    }
    let response = match next.call(request).await {
        Ok(response) => response,
        Err(error) => {
            keys.abandon(&attempt).await.map_err(unavailable)?;
            return Err(error);
        }
    };
    remember(&keys, &attempt, response).await
}

/// The caller and the key, where the header is given on a POST by a caller who is known.
fn applies(request: &ServiceRequest) -> Result<Option<(Ctx, String)>, Problem> {
    let Some(header) = request.headers().get(KEY).filter(|_| request.method() == Method::POST) else {
        return Ok(None);
    };
    let Some(Authentication(Some(Ok(ctx)))) = request.extensions().get::<Authentication>().cloned() else {
        return Ok(None);
    };
    let key = header.to_str().ok().filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()));
    let key = key.ok_or_else(|| {
        Problem::of(INVALID_KEY).with_detail(format!("1–{MAX_KEY_LENGTH} visible ASCII characters are taken"))
    })?;
    Ok(Some((ctx, key.to_owned())))
}

async fn remember<B: MessageBody + 'static>(
    keys: &IdempotencyKeys,
    attempt: &Attempt,
    response: ServiceResponse<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let status = response.status();
    if !status.is_success() {
        keys.abandon(attempt).await.map_err(unavailable)?;
        return Ok(response.map_into_left_body());
    }
    if response.response().extensions().get::<AnswerNotKept>().is_some() {
        keys.finish(attempt, status.as_u16(), None).await.map_err(unavailable)?;
        return Ok(response.map_into_left_body());
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| {
        let error: Box<dyn std::error::Error> = error.into();
        Problem::internal(&*error)
    })?;
    let answer = Answer { status: status.as_u16(), content_type, body: body.to_vec() };
    keys.finish(attempt, status.as_u16(), Some(answer)).await.map_err(unavailable)?;
    let response = head.set_body(EitherBody::right(BoxBody::new(body)));
    Ok(ServiceResponse::new(request, response))
}

fn replay(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    if let Some(content_type) = answer.content_type {
        response.insert_header((CONTENT_TYPE, content_type));
    }
    response.body(answer.body)
}

/// The same key of two callers is two keys.
fn key_hash(ctx: &Ctx, key: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    match ctx.actor {
        Actor::User(user) => hash.update(user.as_uuid().as_bytes()),
        Actor::ApiKey { key, .. } => hash.update(key.as_uuid().as_bytes()),
        Actor::System => hash.update([0; 16]),
    }
    hash.update(key.as_bytes());
    hash.finalize().into()
}

fn fingerprint(request: &ServiceRequest, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [request.path(), "?", request.query_string(), "\n"] {
        hash.update(part.as_bytes());
    }
    hash.update(body);
    hash.finalize().into()
}

fn unavailable(error: database::Error) -> Problem {
    Problem { cause: Some(chain(&error)), ..Problem::of(code_of(&error)) }
}

const INVALID_KEY: Code = Code::new(Kind::BadRequest, "invalid_idempotency_key", "The Idempotency-Key is not valid");
const IN_PROGRESS: Code = Code::new(Kind::Conflict, "idempotency_key_in_progress", "The same request is in progress");
const OTHER_REQUEST: Code =
    Code::new(Kind::Invalid, "idempotency_key_reused", "The Idempotency-Key was used for another request");
const NOT_KEPT: Code = Code::new(
    Kind::Conflict,
    "idempotent_answer_not_kept",
    "It was done, and its answer held a secret that is not kept",
);
