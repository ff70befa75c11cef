//! HTTP of webhooks: every method at `/webhook/{path}` and `/t/{tenant}/webhook/{path}`, and the resume addresses of
//! waiting executions. Callers are answered in n8n's words, not with problems: they are n8n's callers.

mod cors;
mod forms;
mod request;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::reply::Reply;
use super::route_table::Lookup;
use super::service::Service;
use crate::common::TenantId;
use crate::infrastructure::config::Server;
use request::Addressed;

/// A call of a webhook.
pub(super) async fn receive(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    server: Data<Server>,
) -> HttpResponse {
    match answer(&request, payload, &webhooks, &server).await {
        Ok(response) => response,
        Err(reply) => response(reply),
    }
}

async fn answer(
    request: &HttpRequest,
    payload: Payload,
    webhooks: &Service,
    server: &Server,
) -> Result<HttpResponse, Reply> {
    let addressed = Addressed::of(request);
    let tenant = tenant(webhooks, &addressed).await?;
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
    let received = request::received(request, payload, parameters, server.webhook_body_limit_bytes).await?;
    let reply = webhooks.call(&route, receiver, received).await?;
    let mut response = response(reply);
    cors::allow(request, receiver, response.headers_mut());
    Ok(response)
}

pub(super) use forms::fill_in;

/// A call of the resume address of a waiting execution.
pub(super) async fn resume(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    server: Data<Server>,
) -> HttpResponse {
    let resumed = async {
        let addressed = Addressed::of(&request);
        let tenant = tenant(&webhooks, &addressed).await?;
        let id = request.match_info().get("id").unwrap_or_default();
        let received = request::received(&request, payload, Vec::new(), server.webhook_body_limit_bytes).await?;
        webhooks.resume(tenant, id, received).await
    };
    response(resumed.await.unwrap_or_else(|reply| reply))
}

async fn tenant(webhooks: &Service, addressed: &Addressed<'_>) -> Result<TenantId, Reply> {
    let found = match addressed.tenant {
        Some(slug) => webhooks.tenant_by_slug(slug).await?,
        None => webhooks.tenant_by_host(addressed.host).await?,
    };
    found.ok_or_else(|| super::reply::no_tenant(addressed.tenant, addressed.host))
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
