//! HTTP of signing up and signing in.

pub(super) mod account;
pub(super) mod api_keys;
pub(super) mod pages;
pub(super) mod second_factor;
pub(super) mod sessions;
pub(super) mod sso;
pub(super) mod tenants;

use actix_web::{HttpResponse, get, post, web};

use super::dto::{Login, MeResponse, PendingResponse, Refresh, Register, Registered, SessionResponse};
use super::service::Service;
use crate::common::Problem;
use crate::infrastructure::web::{
    Authenticated, BadBody, Conflict, Json, NoContent, ProblemBody, Public, SignedIn, Unauthorized, Visitor,
};

/// Register
///
/// Makes an account and a tenant that it owns, and signs in. Where the server verifies addresses, it mails a link instead,
/// and answers the same whether or not the address has an account already.
#[utoipa::path(
    tag = "auth",
    request_body = Register,
    responses(
        (status = 201, description = "Registered and signed in.", body = SessionResponse),
        (status = 202, description = "A mail is on its way.", body = PendingResponse),
        (
            status = 403, description = "Registration is switched off.", body = ProblemBody,
            content_type = "application/problem+json"
        ),
        Public, BadBody, Conflict
    )
)]
#[post("/auth/register")]
pub(super) async fn register(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<Register>,
) -> Result<HttpResponse, Problem> {
    Ok(match auth.register(&visitor, body.into_inner()).await? {
        Registered::SignedIn(session) => HttpResponse::Created().json(session),
        Registered::Pending => HttpResponse::Accepted().json(PendingResponse { status: "verificationSent" }),
    })
}

/// Sign in
///
/// Exchanges an e-mail address and a password for tokens. An account with a second factor answers `code_needed`: send the
/// same again with `code`. After some failures the account and the address must wait.
#[utoipa::path(
    tag = "auth",
    request_body = Login,
    responses(
        (status = 200, description = "Signed in.", body = SessionResponse),
        (
            status = 403, description = "The address is not verified, or the code is wrong.", body = ProblemBody,
            content_type = "application/problem+json"
        ),
        Public, Unauthorized, BadBody
    )
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
/// Exchanges a refresh token for new tokens. It works once: using it again, but for a few
/// seconds after the first time, ends the login.
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
