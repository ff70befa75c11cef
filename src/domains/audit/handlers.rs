//! HTTP of the audit log.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, get, web};

use super::dto::{
    AuditEventResponse, ExportAuditEventsQuery, ExportFormat, ListAuditEventsQuery, VerificationResponse,
};
use super::service::Service;
use crate::common::permission::grants::{AuditExport, AuditRead};
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

/// Verify the audit log
///
/// Reads the whole log, checks that every row is as it was written, that none is missing, and that it goes as far as the
/// last signed checkpoint; names the first row that is broken.
#[utoipa::path(
    tag = "audit",
    responses(
        (status = 200, description = "Whether the log is intact.", body = VerificationResponse), Guarded<AuditRead>
    )
)]
#[get("/audit/verify")]
pub(super) async fn verify_audit_log(
    ctx: Can<AuditRead>,
    audit: web::Data<Service>,
) -> Result<Json<VerificationResponse>, Problem> {
    Ok(Json(audit.verify(&ctx).await?))
}

/// Export the audit log
///
/// Every event in the order it was written, as JSON lines or CSV. The export itself is an event.
#[utoipa::path(
    tag = "audit",
    params(ExportAuditEventsQuery),
    responses(
        (
            status = 200, description = "The events.",
            content((AuditEventResponse = "application/x-ndjson"), (String = "text/csv", example = "sequence,id,occurredAt"))
        ),
        Guarded<AuditExport>
    )
)]
#[get("/audit/export")]
pub(super) async fn export_audit_log(
    ctx: Can<AuditExport>,
    audit: web::Data<Service>,
    query: web::Query<ExportAuditEventsQuery>,
) -> Result<HttpResponse, Problem> {
    let (kind, name) = match query.format {
        ExportFormat::Jsonl => ("application/x-ndjson", "audit.jsonl"),
        ExportFormat::Csv => ("text/csv; charset=utf-8", "audit.csv"),
    };
    let events = audit.export(&ctx, query.into_inner()).await?;
    let disposition = (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    Ok(HttpResponse::Ok().content_type(kind).insert_header(disposition).streaming(events))
}
