//! HTTP of the second factor.

use actix_web::{post, web};

use super::super::dto::{Authenticator, ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorProof};
use super::super::service::Service;
use crate::common::Problem;
use crate::infrastructure::web::{
    Authenticated, BadBody, Conflict, CreatedSecret, Forbidden, Json, NoContent, SignedIn, Visitor,
};

/// Enrol an authenticator
///
/// Gives a secret for an authenticator app. It is asked for at sign-in once a code of it has been confirmed.
#[utoipa::path(
    tag = "auth",
    request_body = EnrolSecondFactor,
    responses(
        (status = 201, description = "The secret, shown once.", body = Authenticator),
        SignedIn, Forbidden, BadBody, Conflict
    )
)]
#[post("/auth/second-factor")]
pub(in super::super) async fn enrol_second_factor(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<EnrolSecondFactor>,
) -> Result<CreatedSecret<Authenticator>, Problem> {
    Ok(CreatedSecret(auth.enrol_second_factor(&ctx, &visitor, body.into_inner()).await?))
}

/// Confirm the authenticator
///
/// With a code of it. From then on signing in with the password needs a code, too. Gives recovery codes.
#[utoipa::path(
    tag = "auth",
    request_body = ConfirmSecondFactor,
    responses(
        (status = 201, description = "Recovery codes, shown once.", body = RecoveryCodes),
        SignedIn, Forbidden, BadBody, Conflict
    )
)]
#[post("/auth/second-factor/confirm")]
pub(in super::super) async fn confirm_second_factor(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<ConfirmSecondFactor>,
) -> Result<CreatedSecret<RecoveryCodes>, Problem> {
    Ok(CreatedSecret(auth.confirm_second_factor(&ctx, &visitor, body.into_inner()).await?))
}

/// Switch the second factor off
///
/// Needs the password and a code of the authenticator, or a recovery code.
#[utoipa::path(
    tag = "auth",
    request_body = SecondFactorProof,
    responses((status = 204, description = "Off."), SignedIn, Forbidden, BadBody, Conflict)
)]
#[post("/auth/second-factor/disable")]
pub(in super::super) async fn disable_second_factor(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<SecondFactorProof>,
) -> Result<NoContent, Problem> {
    auth.disable_second_factor(&ctx, &visitor, body.into_inner()).await?;
    Ok(NoContent)
}

/// Make new recovery codes
///
/// The old ones work no more. Needs the password and a code.
#[utoipa::path(
    tag = "auth",
    request_body = SecondFactorProof,
    responses(
        (status = 201, description = "Recovery codes, shown once.", body = RecoveryCodes),
        SignedIn, Forbidden, BadBody, Conflict
    )
)]
#[post("/auth/second-factor/recovery-codes")]
pub(in super::super) async fn create_recovery_codes(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<SecondFactorProof>,
) -> Result<CreatedSecret<RecoveryCodes>, Problem> {
    Ok(CreatedSecret(auth.create_recovery_codes(&ctx, &visitor, body.into_inner()).await?))
}
