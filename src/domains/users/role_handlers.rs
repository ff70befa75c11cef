//! HTTP of roles.

use actix_web::{delete, get, patch, post, web};

use super::dto::{CreateRole, RoleResponse, UpdateRole};
use super::service::Service;
use crate::common::permission::grants::{UsersRead, UsersWrite};
use crate::common::{Page, Problem, RoleId};
use crate::infrastructure::web::{BadBody, Can, Conflict, Created, Guarded, Json, NoContent, NotFound};

/// List roles
///
/// The built-in roles, then those that the tenant made, with what each allows.
#[utoipa::path(
    tag = "users",
    responses((status = 200, description = "All roles.", body = Page<RoleResponse>), Guarded<UsersRead>)
)]
#[get("/roles")]
pub(super) async fn list_roles(
    ctx: Can<UsersRead>,
    users: web::Data<Service>,
) -> Result<Json<Page<RoleResponse>>, Problem> {
    Ok(Json(Page { data: users.roles(&ctx).await?, next_cursor: None }))
}

/// Create a role
///
/// A set of permissions, none of which the caller lacks.
#[utoipa::path(
    tag = "users",
    request_body = CreateRole,
    responses((status = 201, description = "The role.", body = RoleResponse), Guarded<UsersWrite>, BadBody, Conflict)
)]
#[post("/roles")]
pub(super) async fn create_role(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    body: Json<CreateRole>,
) -> Result<Created<RoleResponse>, Problem> {
    Ok(Created(users.create_role(&ctx, body.into_inner()).await?))
}

/// Change a role
///
/// For everyone who has it, within seconds.
#[utoipa::path(
    tag = "users",
    params(("id" = RoleId, Path, description = "The role.")),
    request_body = UpdateRole,
    responses(
        (status = 200, description = "The role as it is now.", body = RoleResponse),
        Guarded<UsersWrite>, BadBody, NotFound, Conflict
    )
)]
#[patch("/roles/{id}")]
pub(super) async fn update_role(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    id: web::Path<RoleId>,
    body: Json<UpdateRole>,
) -> Result<Json<RoleResponse>, Problem> {
    Ok(Json(users.update_role(&ctx, *id, body.into_inner()).await?))
}

/// Delete a role
///
/// One that nobody has and to which nobody is invited.
#[utoipa::path(
    tag = "users",
    params(("id" = RoleId, Path, description = "The role.")),
    responses((status = 204, description = "Deleted."), Guarded<UsersWrite>, NotFound, Conflict)
)]
#[delete("/roles/{id}")]
pub(super) async fn delete_role(
    ctx: Can<UsersWrite>,
    users: web::Data<Service>,
    id: web::Path<RoleId>,
) -> Result<NoContent, Problem> {
    users.delete_role(&ctx, *id).await?;
    Ok(NoContent)
}
