//! HTTP of the audit log.

use actix_web::{get, web};

use super::dto::{AuditEventResponse, ListAuditEventsQuery};
use super::service::Service;
use crate::common::permission::grants::AuditRead;
use crate::common::{Page, Problem};
use crate::infrastructure::web::{Can, Guarded, Json};

/// List the audit log
///
/// What was done in the tenant, by whom and from where, newest first.
#[utoipa::path(
    tag = "audit",
    params(ListAuditEventsQuery),
    responses((status = 200, description = "One page of events.", body = Page<AuditEventResponse>), Guarded<AuditRead>)
)]
#[get("/audit")]
pub(super) async fn list_audit_events(
    ctx: Can<AuditRead>,
    audit: web::Data<Service>,
    query: web::Query<ListAuditEventsQuery>,
) -> Result<Json<Page<AuditEventResponse>>, Problem> {
    Ok(Json(audit.list(&ctx, &query).await?))
}
