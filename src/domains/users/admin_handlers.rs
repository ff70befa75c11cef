//! HTTP of the platform's administrators.

use actix_web::{delete, get, post, web};

use super::dto::{AdministratorResponse, CreateAdministrator};
use super::service::Service;
use crate::common::{Page, Problem, UserId};
use crate::infrastructure::web::{
    Administrator, Administrators, BadBody, Conflict, Created, Json, NoContent, NotFound,
};

/// List the platform's administrators
///
/// Everyone who may act on all tenants, the first one first.
#[utoipa::path(
    tag = "admin",
    responses((status = 200, description = "All of them.", body = Page<AdministratorResponse>), Administrators)
)]
#[get("/admin/administrators")]
pub(super) async fn admin_list_administrators(
    _: Administrator,
    users: web::Data<Service>,
) -> Result<Json<Page<AdministratorResponse>>, Problem> {
    Ok(Json(Page { data: users.administrators().await?, next_cursor: None }))
}

/// Make somebody an administrator
///
/// A person who has an account here. The role is apart from roles in tenants.
#[utoipa::path(
    tag = "admin",
    request_body = CreateAdministrator,
    responses(
        (status = 201, description = "The administrator.", body = AdministratorResponse),
        Administrators, BadBody, NotFound
    )
)]
#[post("/admin/administrators")]
pub(super) async fn admin_create_administrator(
    ctx: Administrator,
    users: web::Data<Service>,
    body: Json<CreateAdministrator>,
) -> Result<Created<AdministratorResponse>, Problem> {
    Ok(Created(users.create_administrator(&ctx, &body.into_inner()).await?))
}

/// Take the role from an administrator
///
/// The last one keeps it.
#[utoipa::path(
    tag = "admin",
    params(("id" = UserId, Path, description = "The person.")),
    responses((status = 204, description = "Taken."), Administrators, NotFound, Conflict)
)]
#[delete("/admin/administrators/{id}")]
pub(super) async fn admin_delete_administrator(
    ctx: Administrator,
    users: web::Data<Service>,
    id: web::Path<UserId>,
) -> Result<NoContent, Problem> {
    users.delete_administrator(&ctx, *id).await?;
    Ok(NoContent)
}
