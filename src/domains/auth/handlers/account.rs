//! HTTP of a person's own account: password and address.

use actix_web::{post, web};

use super::super::dto::{AccountAddress, ChangePassword, ResetPassword, VerifyEmail};
use super::super::service::Service;
use crate::common::Problem;
use crate::infrastructure::web::{
    Authenticated, BadBody, Forbidden, Json, NoContent, Public, SignedIn, Unauthorized, Visitor,
};

/// Change the password
///
/// Needs the present one. Every other login of the account ends; API keys stay.
#[utoipa::path(
    tag = "auth",
    request_body = ChangePassword,
    responses((status = 204, description = "Changed."), SignedIn, Forbidden, BadBody)
)]
#[post("/auth/password")]
pub(in super::super) async fn change_password(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<ChangePassword>,
) -> Result<NoContent, Problem> {
    auth.change_password(&ctx, &visitor, body.into_inner()).await?;
    Ok(NoContent)
}

/// Ask for a new password
///
/// Mails a link that works once, if there is an account with this address. The answer does not tell.
#[utoipa::path(
    tag = "auth",
    request_body = AccountAddress,
    responses((status = 204, description = "If there is such an account, a mail is on its way."), Public, BadBody)
)]
#[post("/auth/password/forgot")]
pub(in super::super) async fn forgot_password(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<AccountAddress>,
) -> Result<NoContent, Problem> {
    auth.into_inner().forgot_password(visitor, &body.into_inner().email);
    Ok(NoContent)
}

/// Set a new password
///
/// With the token that was mailed. Every login of the account ends.
#[utoipa::path(
    tag = "auth",
    request_body = ResetPassword,
    responses((status = 204, description = "Set: sign in with it."), Public, Unauthorized, BadBody)
)]
#[post("/auth/password/reset")]
pub(in super::super) async fn reset_password(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<ResetPassword>,
) -> Result<NoContent, Problem> {
    auth.reset_password(&visitor, body.into_inner()).await?;
    Ok(NoContent)
}

/// Ask for a link to verify the address
///
/// Mails it, if there is an account with this address that is not verified. The answer does not tell.
#[utoipa::path(
    tag = "auth",
    request_body = AccountAddress,
    responses((status = 204, description = "If it is needed, a mail is on its way."), Public, BadBody)
)]
#[post("/auth/email/verification")]
pub(in super::super) async fn send_verification(
    auth: web::Data<Service>,
    body: Json<AccountAddress>,
) -> Result<NoContent, Problem> {
    auth.into_inner().send_verification(&body.into_inner().email);
    Ok(NoContent)
}

/// Verify the address
///
/// With the token that was mailed. From then on the account may sign in.
#[utoipa::path(
    tag = "auth",
    request_body = VerifyEmail,
    responses((status = 204, description = "Verified: sign in."), Public, Unauthorized, BadBody)
)]
#[post("/auth/email/verify")]
pub(in super::super) async fn verify_email(
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<VerifyEmail>,
) -> Result<NoContent, Problem> {
    auth.verify_email(&visitor, &body.into_inner().token).await?;
    Ok(NoContent)
}
