//! HTTP of signing up and signing in.

pub(super) mod api_keys;
pub(super) mod tenants;

use actix_web::{get, post, web};

use super::dto::{Login, MeResponse, Refresh, Register, SessionResponse};
use super::service::Service;
use crate::common::Problem;
use crate::infrastructure::web::{
    Authenticated, BadBody, Conflict, Created, Json, NoContent, Public, SignedIn, Unauthorized, Visitor,
};

/// Register
///
/// Makes an account and a tenant that it owns, and signs in.
#[utoipa::path(
    tag = "auth",
    request_body = Register,
    responses((status = 201, description = "Registered and signed in.", body = SessionResponse), Public, BadBody, Conflict)
)]
#[post("/auth/register")]
pub(super) async fn register(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<Register>,
) -> Result<Created<SessionResponse>, Problem> {
    Ok(Created(auth.register(&visitor, body.into_inner()).await?))
}

/// Sign in
///
/// Exchanges an e-mail address and a password for tokens. After some failures the account and the address must wait.
#[utoipa::path(
    tag = "auth",
    request_body = Login,
    responses((status = 200, description = "Signed in.", body = SessionResponse), Public, Unauthorized, BadBody)
)]
#[post("/auth/login")]
pub(super) async fn login(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<Login>,
) -> Result<Json<SessionResponse>, Problem> {
    Ok(Json(auth.login(&visitor, body.into_inner()).await?))
}

/// Refresh the tokens
///
/// Exchanges a refresh token for new tokens. It works once: using it again ends the login.
#[utoipa::path(
    tag = "auth",
    request_body = Refresh,
    responses((status = 200, description = "New tokens.", body = SessionResponse), Public, Unauthorized, BadBody)
)]
#[post("/auth/refresh")]
pub(super) async fn refresh(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<Refresh>,
) -> Result<Json<SessionResponse>, Problem> {
    Ok(Json(auth.refresh(&visitor, body.into_inner().refresh_token).await?))
}

/// Sign out
///
/// Ends the login that the refresh token belongs to; its access tokens stop working too.
#[utoipa::path(
    tag = "auth",
    request_body = Refresh,
    responses((status = 204, description = "Signed out."), Public, BadBody)
)]
#[post("/auth/logout")]
pub(super) async fn logout(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<Refresh>,
) -> Result<NoContent, Problem> {
    auth.logout(&visitor, body.into_inner().refresh_token).await?;
    Ok(NoContent)
}

/// Who am I
///
/// The caller, their tenant and role, and the permissions that the credentials carry.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The caller.", body = MeResponse), SignedIn)
)]
#[get("/auth/me")]
pub(super) async fn get_me(ctx: Authenticated, auth: web::Data<Service>) -> Result<Json<MeResponse>, Problem> {
    Ok(Json(auth.me(&ctx).await?))
}
