//! HTTP of invitations.

use actix_web::{delete, get, post, web};

use super::dto::{AcceptInvitation, AcceptedInvitationResponse, CreateInvitation, InvitationResponse, InvitedResponse};
use super::service::Service;
use crate::common::permission::grants::{UsersRead, UsersWrite};
use crate::common::{InvitationId, Page, PageQuery, Problem};
use crate::infrastructure::web::{
    BadBody, Can, Conflict, CreatedSecret, Guarded, Json, NoContent, NotFound, Public, Visitor,
};

/// Invite somebody
///
/// Mails a token to the address, whether or not there is an account with it. Nobody invites to a role that holds more than
/// their own. A new invitation to an address takes the place of the one before.
#[utoipa::path(
    tag = "users",
    request_body = CreateInvitation,
    responses(
        (status = 201, description = "The invitation.", body = InvitedResponse),
        Guarded<UsersWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/invitations")]
pub(super) async fn create_invitation(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    body: Json<CreateInvitation>,
) -> Result<CreatedSecret<InvitedResponse>, Problem> {
    Ok(CreatedSecret(users.invite(&ctx, body.into_inner()).await?))
}

/// List invitations
///
/// The tenant's invitations, newest first, also those that were accepted or have expired.
#[utoipa::path(
    tag = "users",
    params(PageQuery),
    responses(
        (status = 200, description = "One page of invitations.", body = Page<InvitationResponse>), Guarded<UsersRead>
    )
)]
#[get("/invitations")]
pub(super) async fn list_invitations(
    ctx: Can<UsersRead>,
    users: web::Data<Service>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<InvitationResponse>>, Problem> {
    Ok(Json(users.invitations(&ctx, &query).await?))
}

/// Take an invitation back
///
/// Its token works no more.
#[utoipa::path(
    tag = "users",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    responses((status = 204, description = "Taken back."), Guarded<UsersWrite>, NotFound)
)]
#[delete("/invitations/{id}")]
pub(super) async fn delete_invitation(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    id: web::Path<InvitationId>,
) -> Result<NoContent, Problem> {
    users.revoke_invitation(&ctx, *id).await?;
    Ok(NoContent)
}

/// Accept an invitation
///
/// Makes the invited address a member, once. Where it has no account yet, one is made with the password given; then sign
/// in.
#[utoipa::path(
    tag = "users",
    request_body = AcceptInvitation,
    responses(
        (status = 200, description = "The address is a member now.", body = AcceptedInvitationResponse),
        Public, BadBody, NotFound, Conflict
    )
)]
#[post("/invitations/accept")]
pub(super) async fn accept_invitation(
    visitor: Visitor,
    users: web::Data<Service>,
    body: Json<AcceptInvitation>,
) -> Result<Json<AcceptedInvitationResponse>, Problem> {
    Ok(Json(users.accept_invitation(&visitor, body.into_inner()).await?))
}
