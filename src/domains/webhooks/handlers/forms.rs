//! HTTP of forms: the page at `/form/{path}` and `/t/{tenant}/form/{path}`, and what is sent with it. The pages run no
//! scripts and are nobody's frame.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::super::guard::Guard;
use super::super::reply::{self, Reply};
use super::super::route_table::Lookup;
use super::super::service::Service;
use super::super::streaming::Sink;
use super::request::{self, Addressed, BodyLimits};
use crate::domains::workflows::FORM_PATH;
use crate::infrastructure::web::client_address;
use millrace_nodes::webhook::query;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// The page of a form, or its submission.
pub(in super::super) async fn fill_in(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    guarded(answer(&request, payload, &webhooks, **limits).await)
}

/// The page at which an execution waits, or its submission.
pub(in super::super) async fn go_on(
    request: HttpRequest,
    payload: Payload,
    webhooks: Data<Service>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    let answered = async {
        let addressed = Addressed::below(&request, "/form-waiting/");
        let tenant = super::tenant(&webhooks, &addressed).await?;
        let id = request.match_info().get("id").unwrap_or_default();
        let received = request::received(&request, payload, Vec::new(), **limits).await?;
        let _place = webhooks.enter(tenant, client_address(&request)).await?;
        match *request.method() {
            Method::GET => {
                let query = query(&received.query);
                webhooks.waiting_form(tenant, id, &query, query.contains_key("after")).await
            }
            Method::POST => webhooks.submit_waiting_form(tenant, id, received).await,
            _ => Err(reply::other_methods(&received.method, &["GET".to_owned(), "POST".to_owned()])),
        }
    };
    guarded(answered.await)
}

fn guarded(reply: Result<Reply, Reply>) -> HttpResponse {
    let mut response = reply.map_or_else(super::refused, super::response);
    let headers = response.headers_mut();
    headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    request: &HttpRequest,
    payload: Payload,
    webhooks: &Service,
    limits: BodyLimits,
) -> Result<Reply, Reply> {
    let addressed = Addressed::below(request, "/form/");
    let tenant = super::tenant(webhooks, &addressed).await?;
    let routes = webhooks.routes(tenant).await?;
    let (method, path) = (request.method().as_str(), format!("{FORM_PATH}{}", addressed.path));
    let (route, parameters) = match routes.table.find(method, &path) {
        Lookup::Found { route, parameters } => (route, parameters),
        Lookup::OtherMethods(methods) => return Err(reply::other_methods(method, &methods)),
        Lookup::Unknown => return Err(reply::not_registered(method, addressed.path)),
    };
    let receiver = webhooks.receiver(&route).await?;
    if !receiver.is_form() {
        return Err(reply::not_registered(method, addressed.path));
    }
    request::check_caller(request, receiver)?;
    let caller = addressed.caller(request, webhooks.scheme());
    let limits = limits.within(receiver.guard.as_deref().and_then(Guard::body_limit));
    let mut received = request::received(request, payload, parameters, limits).await?;
    if request.method() == Method::GET {
        webhooks.let_in(receiver, &caller, &mut received).await?;
        let _place = webhooks.enter(tenant, caller.address).await?;
        return Ok(webhooks.form(receiver, &query(&received.query)));
    }
    webhooks.answer(&route, receiver, &caller, received, Sink::default()).await
}
