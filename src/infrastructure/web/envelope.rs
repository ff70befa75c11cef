//! Wraps every request: gives it an id, survives a panic below, writes problem bodies, counts and logs. Outermost.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use futures_util::FutureExt;
use tracing::field;

use super::problem;
use super::served::tenant_of;
use crate::common::error::INTERNAL;
use crate::common::{Kind, Problem, RequestId, TenantId};
use crate::infrastructure::config::Server;
use crate::infrastructure::telemetry::tenant_label;

const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware.
pub async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let request_id = given.and_then(RequestId::parse).unwrap_or_else(RequestId::generate);
    request.extensions_mut().insert(request_id.clone());
    let method = request.method().clone();
    let by_https = request.app_data::<web::Data<Server>>().is_some_and(|server| server.is_known_by_https());

    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let mut response = match outcome {
        Ok(Ok(response)) => finish(response, &request_id),
        Ok(Err(error)) => return Err(stand_alone(problem::from_framework(&error), &request_id)),
        Err(panic) => {
            metrics::counter!("millrace_http_panics_total").increment(1);
            let cause = Some(format!("a handler panicked: {}", panic_text(&*panic)));
            return Err(stand_alone(Problem { cause, ..Problem::of(INTERNAL) }, &request_id));
        }
    };
    add_headers(response.headers_mut(), &request_id);
    if by_https {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    observe(&response, &method, &request_id, started);
    Ok(response)
}

/// Gives an error answer its problem body; leaves every other answer alone.
fn finish<B: MessageBody>(response: ServiceResponse<B>, request_id: &RequestId) -> ServiceResponse<EitherBody<B>> {
    let Some(error) = response.response().error() else {
        return response.map_into_left_body();
    };
    let problem = problem::from_framework(error);
    log(&problem, request_id, tenant_of(response.request()));
    let status = problem.code.kind.status();
    let mut response = response;
    // The framework's own text may have been compressed; the problem in its place is not.
    response.headers_mut().remove(header::CONTENT_ENCODING);
    let body = problem::write(problem, request_id, response.headers_mut()).unwrap_or_default();
    *response.response_mut().status_mut() = status;
    response.map_body(|_, _| EitherBody::right(actix_web::body::BoxBody::new(body)))
}

/// An answer for when the request itself is gone.
fn stand_alone(problem: Problem, request_id: &RequestId) -> Error {
    log(&problem, request_id, None);
    let mut response = HttpResponse::new(problem.code.kind.status());
    let body = problem::write(problem, request_id, response.headers_mut()).unwrap_or_default();
    add_headers(response.headers_mut(), request_id);
    InternalError::from_response("", response.set_body(actix_web::body::BoxBody::new(body))).into()
}

/// Writes the cause of a problem to the log, with the request's id that the caller is told.
fn log(problem: &Problem, request_id: &RequestId, tenant: Option<TenantId>) {
    let (request_id, code) = (request_id.as_str(), problem.code.code);
    let cause = problem.cause.as_deref().unwrap_or_default();
    let tenant = tenant.map(field::display);
    match problem.code.kind {
        Kind::Internal => tracing::error!(request_id, tenant, code, cause, "internal error"),
        Kind::Unavailable | Kind::Timeout => tracing::warn!(request_id, tenant, code, cause, "not available"),
        _ => tracing::debug!(request_id, tenant, code, cause, "request refused"),
    }
}

/// Headers that every answer carries, unless the handler (or a workflow) chose otherwise.
fn add_headers(headers: &mut header::HeaderMap, request_id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-site"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if is_json.is_some_and(|text| text.ends_with("json")) && !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        // Data is no page: should a browser take it for one, nothing in it runs.
        headers.insert(header::CONTENT_SECURITY_POLICY, NOTHING_RUNS);
    }
}

fn observe<B>(
    response: &ServiceResponse<B>,
    method: &actix_web::http::Method,
    request_id: &RequestId,
    started: Instant,
) {
    let elapsed = started.elapsed();
    let status = response.status();
    // The route's pattern, never the path: a label must not take a value per id.
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    metrics::histogram!(
        "millrace_http_request_seconds",
        "method" => method.as_str().to_owned(), "route" => route.clone(), "status" => status.as_u16().to_string(),
    )
    .record(elapsed);
    let tenant = tenant_of(response.request());
    if let Some(tenant) = tenant {
        let class = match status.as_u16() {
            ..400 => "ok",
            400..500 => "refused",
            _ => "failed",
        };
        let tenant = tenant_label(tenant);
        metrics::counter!("millrace_tenant_requests_total", "tenant" => tenant, "outcome" => class).increment(1);
    }
    let tenant = tenant.map(field::display);
    tracing::debug!(request_id = request_id.as_str(), tenant, %method, route, status = status.as_u16(), ?elapsed, "request");
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use actix_web::dev::Service;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, web};

    use super::*;

    async fn calm() -> &'static str {
        "calm"
    }

    async fn panicking() -> &'static str {
        panic!("on purpose")
    }

    #[actix_web::test]
    async fn a_panic_is_a_problem_and_the_server_goes_on() {
        let app = App::new()
            .route("/calm", web::get().to(calm))
            .route("/panic", web::get().to(panicking))
            .wrap(from_fn(envelope));
        let service = init_service(app).await;
        let request = TestRequest::get().uri("/panic").insert_header(("x-request-id", "req-1")).to_request();
        let error = service.call(request).await.unwrap_err();
        let response = error.error_response();
        assert_eq!(response.status(), 500);
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["code"], &problem["requestId"]), (&"internal_error".into(), &"req-1".into()));
        assert!(!String::from_utf8_lossy(&body).contains("on purpose"));
        let response = service.call(TestRequest::get().uri("/calm").to_request()).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}
