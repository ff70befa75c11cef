//! HTTP of tenants.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::dto::{DeleteTenant, TenantResponse, UpdateTenant, UsageQuery, UsageResponse};
use super::service::Service;
use crate::common::Problem;
use crate::common::permission::grants::{TenantDelete, TenantExport, TenantRead, TenantWrite};
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
/// Renames the tenant, replaces its settings, or the host names under which its webhooks are called: some can be left out;
/// new ones are given by the platform's administrators, unless the server is configured otherwise (`tenants.own_hosts`).
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

/// Get the tenant's usage
///
/// What it used per day, this month, and what its plan allows.
#[utoipa::path(
    tag = "tenants",
    params(UsageQuery),
    responses((status = 200, description = "The usage.", body = UsageResponse), Guarded<TenantRead>)
)]
#[get("/tenants/current/usage")]
pub(super) async fn get_current_usage(
    ctx: Can<TenantRead>,
    tenants: web::Data<Service>,
    query: web::Query<UsageQuery>,
) -> Result<Json<UsageResponse>, Problem> {
    Ok(Json(tenants.usage(ctx.tenant, &query).await?))
}

/// Delete the caller's tenant
///
/// Stops everything at once. When the grace period is over everything is deleted, for good; until then the owner can
/// restore it.
#[utoipa::path(
    tag = "tenants",
    request_body = DeleteTenant,
    responses(
        (status = 200, description = "The tenant, with the time of its deletion.", body = TenantResponse),
        Guarded<TenantDelete>, BadBody
    )
)]
#[delete("/tenants/current")]
pub(super) async fn delete_current_tenant(
    ctx: Can<TenantDelete>,
    tenants: web::Data<Service>,
    body: Json<DeleteTenant>,
) -> Result<Json<TenantResponse>, Problem> {
    Ok(Json(tenants.delete(&ctx, &body.into_inner()).await?))
}

/// Restore the caller's tenant
///
/// Takes its deletion back.
#[utoipa::path(
    tag = "tenants",
    responses(
        (status = 200, description = "The tenant as it is now.", body = TenantResponse), Guarded<TenantDelete>, Conflict
    )
)]
#[post("/tenants/current/restore")]
pub(super) async fn restore_current_tenant(
    ctx: Can<TenantDelete>,
    tenants: web::Data<Service>,
) -> Result<Json<TenantResponse>, Problem> {
    Ok(Json(tenants.restore(&ctx).await?))
}

/// Export the caller's tenant
///
/// Everything of it as one archive (tar, gzip): its settings, members, workflows as n8n exports them, executions with their
/// data, and the audit log. The export itself is an event of that log. Secrets are not in it.
#[utoipa::path(
    tag = "tenants",
    responses(
        (status = 200, description = "The archive.", content_type = "application/gzip", body = String, example = "tar.gz"),
        Guarded<TenantExport>
    )
)]
#[get("/tenants/current/export")]
pub(super) async fn export_current_tenant(
    ctx: Can<TenantExport>,
    tenants: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let name = format!("attachment; filename=\"{}.tar.gz\"", tenants.slug(ctx.tenant).await?);
    let archive = tenants.archive(&ctx).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/gzip")
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(archive))
}
