//! HTTP of the tenant's members.

use actix_web::{delete, get, patch, web};

use super::dto::{UpdateUser, UserResponse};
use super::service::Service;
use crate::common::permission::grants::{UsersRead, UsersWrite};
use crate::common::{Page, PageQuery, Problem, UserId};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json, NoContent, NotFound};

/// List the tenant's members
///
/// Everyone who may act in the caller's tenant, with their roles.
#[utoipa::path(
    tag = "users",
    params(PageQuery),
    responses((status = 200, description = "One page of members.", body = Page<UserResponse>), Guarded<UsersRead>)
)]
#[get("/users")]
pub(super) async fn list_users(
    ctx: Can<UsersRead>,
    users: web::Data<Service>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<UserResponse>>, Problem> {
    Ok(Json(users.list(&ctx, &query).await?))
}

/// Change a member's role
///
/// Nobody grants a role above their own, and a tenant always keeps an owner.
#[utoipa::path(
    tag = "users",
    params(("id" = UserId, Path, description = "The member.")),
    request_body = UpdateUser,
    responses(
        (status = 200, description = "The member as they are now.", body = UserResponse),
        Guarded<UsersWrite>, BadBody, NotFound, Conflict
    )
)]
#[patch("/users/{id}")]
pub(super) async fn update_user(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    id: web::Path<UserId>,
    body: Json<UpdateUser>,
) -> Result<Json<UserResponse>, Problem> {
    Ok(Json(users.update(&ctx, *id, body.into_inner()).await?))
}

/// Remove a member
///
/// Ends the membership, the member's sessions and API keys in this tenant. The account itself stays.
#[utoipa::path(
    tag = "users",
    params(("id" = UserId, Path, description = "The member.")),
    responses((status = 204, description = "Removed."), Guarded<UsersWrite>, NotFound, Conflict)
)]
#[delete("/users/{id}")]
pub(super) async fn delete_user(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    id: web::Path<UserId>,
) -> Result<NoContent, Problem> {
    users.delete(&ctx, *id).await?;
    Ok(NoContent)
}
