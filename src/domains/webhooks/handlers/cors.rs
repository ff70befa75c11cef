//! Calls of webhooks from browsers on other sites (Fetch standard, CORS protocol): what the node's `allowedOrigins` allow.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::super::receiver::Receiver;
use super::super::registry::Route;
use super::super::reply::{self, Reply};
use super::super::route_table::Lookup;
use super::super::service::Service;

/// How long a browser may remember what it was allowed, in seconds.
const MAX_AGE: &str = "300";

/// The method a browser asks to use, where the request is such a question.
pub(super) fn preflight_method(request: &HttpRequest) -> Option<&str> {
    if request.method() != Method::OPTIONS {
        return None;
    }
    let wanted = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(wanted.and_then(|method| method.to_str().ok()).unwrap_or("OPTIONS"))
}

/// Answers the question: the methods of the path, and the headers asked for.
pub(super) async fn preflight(
    request: &HttpRequest,
    webhooks: &Service,
    found: &Lookup<Route>,
    methods: impl FnOnce() -> Vec<String>,
) -> Result<HttpResponse, Reply> {
    let route: Option<&Arc<Route>> = match found {
        Lookup::Found { route, .. } => Some(route),
        Lookup::OtherMethods(_) => None,
        Lookup::Unknown => return Err(reply::not_registered("OPTIONS", request.uri().path())),
    };
    let mut response = HttpResponse::NoContent();
    let allowed = std::iter::once("OPTIONS".to_owned()).chain(methods()).collect::<Vec<_>>().join(", ");
    response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, allowed.as_str()));
    response.insert_header((header::ALLOW, allowed));
    response.insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone()));
    }
    let mut response = response.finish();
    if let Some(route) = route {
        allow(request, webhooks.receiver(route).await?, response.headers_mut());
    }
    Ok(response)
}

/// Lets the browser hand the answer to the page, where its origin is allowed.
pub(super) fn allow(request: &HttpRequest, receiver: &Receiver, headers: &mut HeaderMap) {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        // The workflow has its own answer to that.
        return;
    }
    let text = origin.to_str().unwrap_or_default();
    if receiver.allowed_origins.iter().any(|allowed| allowed == "*") {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    } else if receiver.allowed_origins.iter().any(|allowed| allowed == text) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
