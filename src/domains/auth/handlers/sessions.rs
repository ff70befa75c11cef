//! HTTP of a person's own logins, and of the keys that verify their tokens.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, delete, get, post, web};

use super::super::dto::{JwksResponse, LoginResponse};
use super::super::service::Service;
use crate::common::{Page, PageQuery, Problem, SessionId};
use crate::infrastructure::web::authentication::authenticate;
use crate::infrastructure::web::{Authenticated, Forbidden, Json, NoContent, NotFound, Public, SignedIn, Visitor};

/// List one's own logins
///
/// Those in this tenant that can still be used, newest first.
#[utoipa::path(
    tag = "auth",
    params(PageQuery),
    responses((status = 200, description = "One page of logins.", body = Page<LoginResponse>), SignedIn, Forbidden)
)]
#[get("/auth/sessions")]
pub(in super::super) async fn list_sessions(
    ctx: Authenticated,
    auth: web::Data<Service>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<LoginResponse>>, Problem> {
    Ok(Json(auth.list_sessions(&ctx, &query).await?))
}

/// End one of one's own logins
///
/// Its tokens stop working.
#[utoipa::path(
    tag = "auth",
    params(("id" = SessionId, Path, description = "The login.")),
    responses((status = 204, description = "Ended."), SignedIn, NotFound)
)]
#[delete("/auth/sessions/{id}")]
pub(in super::super) async fn delete_session(
    ctx: Authenticated,
    auth: web::Data<Service>,
    id: web::Path<SessionId>,
) -> Result<NoContent, Problem> {
    auth.delete_session(&ctx, *id).await?;
    Ok(NoContent)
}

/// Sign out everywhere
///
/// Ends every login of the account, this one included: in all its tenants, or, signed in by the tenant's identity provider,
/// in this tenant. API keys stay.
#[utoipa::path(tag = "auth", responses((status = 204, description = "Signed out."), SignedIn, Forbidden))]
#[post("/auth/logout-everywhere")]
pub(in super::super) async fn logout_everywhere(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
) -> Result<NoContent, Problem> {
    auth.logout_everywhere(&ctx, &visitor).await?;
    Ok(NoContent)
}

/// Read the public keys
///
/// They verify access tokens (JWKS, RFC 7517). A new key is shown some minutes before it signs.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The keys.", body = JwksResponse), Public)
)]
#[get("/.well-known/jwks.json", wrap = "from_fn(authenticate)")]
pub(in super::super) async fn get_jwks(auth: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let keys = auth.public_keys().await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=60")).json(keys))
}
