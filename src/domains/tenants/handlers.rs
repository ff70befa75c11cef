//! HTTP of tenants.

use actix_web::{get, patch, web};

use super::dto::{TenantResponse, UpdateTenant};
use super::service::Service;
use crate::common::Problem;
use crate::common::permission::grants::{TenantRead, TenantWrite};
use crate::infrastructure::web::{BadBody, Can, Conflict, Guarded, Json};

/// Get the caller's tenant
///
/// The tenant the credentials belong to, with its slug and host names.
#[utoipa::path(
    tag = "tenants",
    responses((status = 200, description = "The tenant.", body = TenantResponse), Guarded<TenantRead>)
)]
#[get("/tenants/current")]
pub(super) async fn get_current_tenant(
    ctx: Can<TenantRead>,
    tenants: web::Data<Service>,
) -> Result<Json<TenantResponse>, Problem> {
    Ok(Json(tenants.get(&ctx).await?))
}

/// Change the caller's tenant
///
/// Renames the tenant or replaces the host names under which its webhooks are called.
#[utoipa::path(
    tag = "tenants",
    request_body = UpdateTenant,
    responses(
        (status = 200, description = "The tenant as it is now.", body = TenantResponse),
        Guarded<TenantWrite>, BadBody, Conflict
    )
)]
#[patch("/tenants/current")]
pub(super) async fn update_current_tenant(
    ctx: Can<TenantWrite>,
    tenants: web::Data<Service>,
    body: Json<UpdateTenant>,
) -> Result<Json<TenantResponse>, Problem> {
    Ok(Json(tenants.update(&ctx, body.into_inner()).await?))
}
