//! HTTP of tenants for the platform's administrators.

use actix_web::{delete, get, patch, post, put, web};

use super::admin_dto::{AdminTenantResponse, CreateTenant, ListTenantsQuery, SuspendTenant, TenantHosts, UpdatePlan};
use super::dto::{UsageQuery, UsageResponse};
use super::service::Service;
use crate::common::{Page, Problem, TenantId};
use crate::infrastructure::web::{Administrator, Administrators, BadBody, Conflict, Created, Json, NotFound};

/// List tenants
///
/// Every tenant of the platform, newest first.
#[utoipa::path(
    tag = "admin",
    params(ListTenantsQuery),
    responses((status = 200, description = "One page of tenants.", body = Page<AdminTenantResponse>), Administrators)
)]
#[get("/admin/tenants")]
pub(super) async fn admin_list_tenants(
    _: Administrator,
    tenants: web::Data<Service>,
    query: web::Query<ListTenantsQuery>,
) -> Result<Json<Page<AdminTenantResponse>>, Problem> {
    Ok(Json(tenants.admin_list(&query).await?))
}

/// Create a tenant
///
/// A tenant without members; invite its owner next.
#[utoipa::path(
    tag = "admin",
    request_body = CreateTenant,
    responses(
        (status = 201, description = "The tenant.", body = AdminTenantResponse), Administrators, BadBody, Conflict
    )
)]
#[post("/admin/tenants")]
pub(super) async fn admin_create_tenant(
    ctx: Administrator,
    tenants: web::Data<Service>,
    body: Json<CreateTenant>,
) -> Result<Created<AdminTenantResponse>, Problem> {
    Ok(Created(tenants.admin_create(&ctx, body.into_inner()).await?))
}

/// Get a tenant
///
/// Any tenant of the platform, with its plan and status.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses((status = 200, description = "The tenant.", body = AdminTenantResponse), Administrators, NotFound)
)]
#[get("/admin/tenants/{id}")]
pub(super) async fn admin_get_tenant(
    _: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_get(*id).await?))
}

/// Change a tenant's plan
///
/// Replaces the plan's name and all limits; they count within seconds.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body = UpdatePlan,
    responses(
        (status = 200, description = "The tenant as it is now.", body = AdminTenantResponse),
        Administrators, BadBody, NotFound
    )
)]
#[patch("/admin/tenants/{id}")]
pub(super) async fn admin_update_tenant(
    ctx: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
    body: Json<UpdatePlan>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_update(&ctx, *id, body.into_inner()).await?))
}

/// Set a tenant's host names
///
/// Replaces the host names under which the tenant's webhooks are called without `/t/{slug}`. Point their DNS here first.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body = TenantHosts,
    responses(
        (status = 200, description = "The tenant as it is now.", body = AdminTenantResponse),
        Administrators, BadBody, NotFound, Conflict
    )
)]
#[put("/admin/tenants/{id}/hosts")]
pub(super) async fn admin_set_tenant_hosts(
    ctx: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
    body: Json<TenantHosts>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_set_hosts(&ctx, *id, &body.into_inner()).await?))
}

/// Suspend a tenant
///
/// Its members are turned away, and no workflow of it runs, until it is resumed.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body = SuspendTenant,
    responses(
        (status = 200, description = "The tenant as it is now.", body = AdminTenantResponse),
        Administrators, BadBody, NotFound, Conflict
    )
)]
#[post("/admin/tenants/{id}/suspend")]
pub(super) async fn admin_suspend_tenant(
    ctx: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
    body: Json<SuspendTenant>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_suspend(&ctx, *id, body.into_inner()).await?))
}

/// Resume a tenant
///
/// Lets a suspended tenant, or one marked for deletion, work again.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses(
        (status = 200, description = "The tenant as it is now.", body = AdminTenantResponse), Administrators, NotFound
    )
)]
#[post("/admin/tenants/{id}/resume")]
pub(super) async fn admin_resume_tenant(
    ctx: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_resume(&ctx, *id).await?))
}

/// Delete a tenant
///
/// Stops it at once, and deletes everything when the grace period is over.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses(
        (status = 200, description = "The tenant as it is now.", body = AdminTenantResponse), Administrators, NotFound
    )
)]
#[delete("/admin/tenants/{id}")]
pub(super) async fn admin_delete_tenant(
    ctx: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
) -> Result<Json<AdminTenantResponse>, Problem> {
    Ok(Json(tenants.admin_delete(&ctx, *id).await?))
}

/// Get a tenant's usage
///
/// What it used per day.
#[utoipa::path(
    tag = "admin",
    params(("id" = TenantId, Path, description = "The tenant."), UsageQuery),
    responses((status = 200, description = "The usage.", body = UsageResponse), Administrators, NotFound)
)]
#[get("/admin/tenants/{id}/usage")]
pub(super) async fn admin_get_usage(
    _: Administrator,
    tenants: web::Data<Service>,
    id: web::Path<TenantId>,
    query: web::Query<UsageQuery>,
) -> Result<Json<UsageResponse>, Problem> {
    Ok(Json(tenants.usage(*id, &query).await?))
}
