//! HTTP of webhooks: every method at `/webhook/{path}` and `/t/{tenant}/webhook/{path}`, and the resume addresses of
//! waiting executions. Callers are answered in n8n's words, not with problems: they are n8n's callers.

mod cors;
pub(super) mod endpoints;
mod forms;
pub(super) mod queue;
mod request;
pub(super) mod requests;
mod streaming;
pub(super) mod subscriptions;

use std::sync::Arc;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::guard::Guard;
use super::listeners::TestCall;
use super::receiver::Receiver;
use super::reply::Reply;
use super::route_table::Lookup;
use super::service::Service;
use super::streaming::{Sink, way};
use crate::common::TenantId;
use crate::infrastructure::web::{client_address, note_tenant};
use request::Addressed;
pub use request::BodyLimits;

const SANDBOX: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-presentation allow-scripts \
                       allow-top-navigation-by-user-activation";

/// A call of a webhook.
pub(super) async fn receive(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    answer(&request, payload, &webhooks, **limits).await.unwrap_or_else(refused)
}

async fn answer(
    request: &HttpRequest,
    payload: Payload,
    webhooks: &Service,
    limits: BodyLimits,
) -> Result<HttpResponse, Reply> {
    let addressed = Addressed::of(request);
    let tenant = tenant(webhooks, &addressed).await?;
    note_tenant(request, tenant);
    let routes = webhooks.routes(tenant).await?;
    let method = request.method().as_str();
    if let Some(wanted) = cors::preflight_method(request) {
        let found = routes.table.find(wanted, addressed.path);
        return cors::preflight(request, webhooks, &found, || routes.table.methods(addressed.path)).await;
    }
    let (route, parameters) = match routes.table.find(method, addressed.path) {
        Lookup::Found { route, parameters } => (route, parameters),
        Lookup::OtherMethods(methods) => return Err(super::reply::other_methods(method, &methods)),
        Lookup::Unknown => return Err(super::reply::not_registered(method, addressed.path)),
    };
    let receiver = webhooks.receiver(&route).await?;
    if receiver.is_form() {
        return Err(super::reply::not_registered(method, addressed.path));
    }
    request::check_caller(request, receiver)?;
    let limits = limits.within(receiver.guard.as_deref().and_then(Guard::body_limit));
    let received = request::received(request, payload, parameters, limits).await?;
    let mut response = if receiver.streams() {
        let (sink, pieces) = way(receiver.guard.is_some());
        let is_head = request.method() == Method::HEAD;
        let (request, webhooks, route) = (request.clone(), webhooks.clone(), Arc::clone(&route));
        let call = Box::pin(async move {
            let caller = Addressed::of(&request).caller(&request, webhooks.scheme());
            webhooks.answer(&route, webhooks.receiver(&route).await?, &caller, received, sink).await
        });
        streaming::answered(is_head, pieces, call).await?
    } else {
        let caller = addressed.caller(request, webhooks.scheme());
        response(webhooks.answer(&route, receiver, &caller, received, Sink::default()).await?)
    };
    response = sandboxed(response);
    cors::allow(request, receiver, response.headers_mut());
    Ok(response)
}

pub(super) use forms::{fill_in, go_on};

/// A call of a test address.
pub(super) async fn receive_test(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    let (sink, pieces) = way(true);
    let is_head = request.method() == Method::HEAD;
    let called = Box::pin(async move {
        let addressed = Addressed::below(&request, "/webhook-test/");
        let tenant = tenant(&webhooks, &addressed).await?;
        let read = async |parameters| request::received(&request, payload, parameters, **limits).await;
        let lets_in = |receiver: &Receiver| request::check_caller(&request, receiver);
        let (method, address) = (request.method().as_str(), client_address(&request));
        let call = TestCall { method, path: addressed.path, address };
        webhooks.call_test(tenant, call, read, lets_in, sink).await
    });
    sandboxed(streaming::answered(is_head, pieces, called).await.unwrap_or_else(refused))
}

/// A call of the resume address of a waiting execution.
pub(super) async fn resume(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    let resumed = async {
        let addressed = Addressed::of(&request);
        let tenant = tenant(&webhooks, &addressed).await?;
        let part = |name| request.match_info().get(name).unwrap_or_default();
        let received = request::received(&request, payload, Vec::new(), **limits).await?;
        let lets_in = |receiver: &Receiver| request::check_caller(&request, receiver);
        webhooks.resume(tenant, (part("id"), part("suffix")), received, client_address(&request), lets_in).await
    };
    sandboxed(resumed.await.map_or_else(refused, response))
}

async fn tenant(webhooks: &Service, addressed: &Addressed<'_>) -> Result<TenantId, Reply> {
    let found = match addressed.tenant {
        Some(slug) => webhooks.tenant_by_slug(slug).await?,
        None => webhooks.tenant_by_host(addressed.host).await?,
    };
    found.ok_or_else(|| super::reply::no_tenant(addressed.tenant, addressed.host))
}

/// The answer to a call that is not taken; counted, unless an execution began.
fn refused(reply: Reply) -> HttpResponse {
    if reply.execution.is_none() {
        count_refused(reply.status);
    }
    response(reply)
}

/// Documents of workflows stand apart from the API's own pages: their scripts run, but as if on another site.
fn sandboxed(mut response: HttpResponse) -> HttpResponse {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    if kind.contains("html") || kind.contains("xml") {
        response.headers_mut().append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    }
    response
}

fn count_refused(status: u16) {
    metrics::counter!("millrace_webhooks_refused_total", "status" => status.to_string()).increment(1);
}

fn response(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    let mut has_type = false;
    for (name, value) in &reply.headers {
        // A workflow may ask for headers that are none; HTTP has no place for them. The length is ours to say.
        let parsed = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value));
        if let (Ok(name), Ok(value)) = parsed
            && !matches!(name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::CONNECTION)
        {
            has_type |= name == header::CONTENT_TYPE;
            response.append_header((name, value));
        }
    }
    if !has_type && reply.body.is_empty() {
        return response.finish();
    }
    response.body(reply.body)
}
