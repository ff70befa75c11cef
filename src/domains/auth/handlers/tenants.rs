//! HTTP of going from one tenant to another.

use actix_web::{get, post, web};

use super::super::dto::{MyTenantResponse, SessionResponse, SwitchTenant};
use super::super::service::Service;
use crate::common::{Page, Problem};
use crate::infrastructure::web::{Authenticated, BadBody, Forbidden, Json, NotFound, SignedIn, Visitor};

/// List my tenants
///
/// Every tenant that the caller is a member of, with the role in each. Not for API keys.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The tenants.", body = Page<MyTenantResponse>), SignedIn, Forbidden)
)]
#[get("/auth/tenants")]
pub(in super::super) async fn list_my_tenants(
    ctx: Authenticated,
    auth: web::Data<Service>,
) -> Result<Json<Page<MyTenantResponse>>, Problem> {
    Ok(Json(Page { data: auth.my_tenants(&ctx).await?, next_cursor: None }))
}

/// Switch to another tenant
///
/// New tokens for another tenant that the caller is a member of. Not for API keys.
#[utoipa::path(
    tag = "auth",
    request_body = SwitchTenant,
    responses(
        (status = 200, description = "Tokens for the other tenant.", body = SessionResponse),
        SignedIn, Forbidden, BadBody, NotFound
    )
)]
#[post("/auth/switch")]
pub(in super::super) async fn switch_tenant(
    ctx: Authenticated,
    visitor: Visitor,
    auth: web::Data<Service>,
    body: Json<SwitchTenant>,
) -> Result<Json<SessionResponse>, Problem> {
    Ok(Json(auth.switch_tenant(&ctx, &visitor, &body.into_inner()).await?))
}
