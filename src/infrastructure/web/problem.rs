//! Problems as HTTP: the one place that turns a kind of error into a status and a problem+json body (RFC 9457).

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Code, FieldError, Kind, Problem, RequestId};

/// The body of every error answer (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem, example = json!({
    "type": "urn:millrace:problem:workflow_not_found",
    "title": "No such workflow",
    "status": 404,
    "code": "workflow_not_found",
    "requestId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "errors": []
}))]
pub struct ProblemBody {
    /// A URN made of the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// Fixed for the code.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Stable; programs decide by it.
    pub code: &'static str,
    /// What is particular to this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Names the request in the server's logs.
    pub request_id: String,
    /// Where in the request the mistakes are.
    pub errors: Vec<FieldError>,
}

impl Kind {
    pub fn status(self) -> StatusCode {
        match self {
            Kind::BadRequest => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::PlanLimit => StatusCode::PAYMENT_REQUIRED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.kind.status()
    }

    /// The status alone: [`super::envelope`] writes the body, as only it knows the request's id.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}

/// The problem an answer made by the framework stands for.
pub(super) fn from_framework(error: &actix_web::Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(BODY_TOO_LARGE),
        StatusCode::NOT_FOUND => Problem::of(ROUTE_NOT_FOUND),
        StatusCode::REQUEST_TIMEOUT => Problem::of(BODY_TIMEOUT),
        status if status.is_client_error() => Problem::of(BAD_REQUEST).with_detail(error.to_string()),
        _ => Problem::internal(error),
    }
}

/// Writes the headers and the body of a problem.
pub(super) fn write(
    problem: Problem,
    request_id: &RequestId,
    headers: &mut header::HeaderMap,
) -> Result<Vec<u8>, serde_json::Error> {
    let Code { kind, code, title } = problem.code;
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
    headers.remove(header::CONTENT_LENGTH);
    if let Some(wait) = problem.retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    if kind == Kind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer realm=\"millrace\""));
    }
    serde_json::to_vec(&ProblemBody {
        problem_type: format!("urn:millrace:problem:{code}"),
        title,
        status: kind.status().as_u16(),
        code,
        detail: problem.detail,
        request_id: request_id.as_str().to_owned(),
        errors: problem.errors,
    })
}

pub(super) const BAD_REQUEST: Code = Code::new(Kind::BadRequest, "bad_request", "The request cannot be read");
pub(super) const BODY_TIMEOUT: Code =
    Code::new(Kind::BadRequest, "body_timeout", "The request body did not arrive in time");
pub(super) const BODY_TOO_LARGE: Code =
    Code::new(Kind::TooLarge, "body_too_large", "The request body is over the limit");
pub(super) const ROUTE_NOT_FOUND: Code = Code::new(Kind::NotFound, "route_not_found", "Nothing is served at this path");
pub(super) const METHOD_NOT_ALLOWED: Code =
    Code::new(Kind::MethodNotAllowed, "method_not_allowed", "This path does not support the method");
