//! HTTP of single sign-on.

use actix_web::http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};

use super::super::dto::{IdentityProviderResponse, PutIdentityProvider, SessionResponse, SsoCallbackQuery};
use super::super::service::Service;
use super::super::sso::SsoReturn;
use crate::common::Problem;
use crate::common::permission::grants::{TenantRead, TenantWrite};
use crate::infrastructure::config::Server;
use crate::infrastructure::web::{
    BadBody, Can, Guarded, Json, NoContent, NotFound, ProblemBody, Public, Unauthorized, Visitor,
};

/// Only the browser that left for the provider may come back.
const BROWSER: &str = "millrace_sso";
const ATTRIBUTES: &str = "Path=/api/v1/auth/sso; HttpOnly; SameSite=Lax";

/// Get the identity provider
///
/// The OpenID provider at which the tenant's people sign in.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "The provider.", body = IdentityProviderResponse), Guarded<TenantRead>, NotFound
    )
)]
#[get("/auth/sso/provider")]
pub(in super::super) async fn get_identity_provider(
    ctx: Can<TenantRead>,
    auth: web::Data<Service>,
) -> Result<Json<IdentityProviderResponse>, Problem> {
    Ok(Json(auth.get_identity_provider(&ctx).await?))
}

/// Set the identity provider
///
/// Register `redirectUrl` of the answer there. Somebody who signs in is matched by what the provider knows them as, then by a
/// verified address of a member.
#[utoipa::path(
    tag = "auth",
    request_body = PutIdentityProvider,
    responses(
        (status = 200, description = "The provider as it is now.", body = IdentityProviderResponse),
        Guarded<TenantWrite>, BadBody
    )
)]
#[put("/auth/sso/provider")]
pub(in super::super) async fn put_identity_provider(
    ctx: Can<TenantWrite>,
    auth: web::Data<Service>,
    body: Json<PutIdentityProvider>,
) -> Result<Json<IdentityProviderResponse>, Problem> {
    Ok(Json(auth.put_identity_provider(&ctx, body.into_inner()).await?))
}

/// Remove the identity provider
///
/// Nobody signs in by it any more; what it said of people is forgotten.
#[utoipa::path(
    tag = "auth",
    responses((status = 204, description = "Removed."), Guarded<TenantWrite>, NotFound)
)]
#[delete("/auth/sso/provider")]
pub(in super::super) async fn delete_identity_provider(
    ctx: Can<TenantWrite>,
    auth: web::Data<Service>,
) -> Result<NoContent, Problem> {
    auth.delete_identity_provider(&ctx).await?;
    Ok(NoContent)
}

/// Sign in at the tenant's identity provider
///
/// For browsers: sends them there (OpenID Connect, authorization code with PKCE).
#[utoipa::path(
    tag = "auth",
    params(("tenant" = String, Path, description = "The tenant's slug.")),
    responses((status = 302, description = "To the provider."), Public, NotFound)
)]
#[get("/auth/sso/{tenant}/start")]
pub(in super::super) async fn start_sso(
    auth: web::Data<Service>,
    server: web::Data<Server>,
    tenant: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let start = auth.start_sso(&tenant).await?;
    let secure = if server.is_known_by_https() { "; Secure" } else { "" };
    let cookie = format!("{BROWSER}={}; Max-Age=600; {ATTRIBUTES}{secure}", start.browser.expose());
    Ok(HttpResponse::Found().insert_header((LOCATION, start.url)).insert_header((SET_COOKIE, cookie)).finish())
}

/// Come back from the identity provider
///
/// Where the provider sends the browser; signs in to this tenant alone.
#[utoipa::path(
    tag = "auth",
    params(SsoCallbackQuery),
    responses(
        (status = 200, description = "Signed in.", body = SessionResponse),
        (
            status = 403, description = "The person is no member, and does not become one.", body = ProblemBody,
            content_type = "application/problem+json"
        ),
        Public, Unauthorized, NotFound
    )
)]
#[get("/auth/sso/callback")]
pub(in super::super) async fn finish_sso(
    visitor: Visitor,
    request: HttpRequest,
    auth: web::Data<Service>,
    query: web::Query<SsoCallbackQuery>,
) -> Result<HttpResponse, Problem> {
    let SsoCallbackQuery { state, code } = query.into_inner();
    let session = auth.finish_sso(&visitor, SsoReturn { state, code, browser: browser(&request) }).await?;
    let over = (SET_COOKIE, format!("{BROWSER}=; Max-Age=0; {ATTRIBUTES}"));
    Ok(HttpResponse::Ok().insert_header(over).insert_header((CACHE_CONTROL, "no-store")).json(session))
}

/// What the browser was given when it left.
fn browser(request: &HttpRequest) -> Option<String> {
    let lines = request.headers().get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == BROWSER).map(|(_, value)| value.to_owned())
}
