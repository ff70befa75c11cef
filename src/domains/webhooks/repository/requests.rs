//! Queries of the log of webhooks.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, DerivePartialModel, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::super::entities::logged;
use super::super::log::Outcome;
use crate::common::{ExecutionId, TenantId, Timestamp, WebhookId, WebhookRequestId};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Logged = logged::Model;

/// What a list of requests is narrowed by.
#[derive(Debug, Default)]
pub(in super::super) struct Filter {
    pub status: Option<u16>,
    pub outcome: Option<Outcome>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Part of the target or of the beginning of the body.
    pub text: Option<String>,
    /// Only ids below this one.
    pub before: Option<WebhookRequestId>,
    pub limit: u64,
}

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, rows: Vec<Logged>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    logged::Entity::insert_many(rows).exec_without_returning(connection).await.map(drop)
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    webhook: WebhookId,
    filter: &Filter,
) -> Result<Vec<Logged>, DbErr> {
    let mut query = logged::Entity::scoped(tenant)
        .filter(logged::Column::WebhookId.eq(webhook))
        .order_by_desc(logged::Column::Id)
        .limit(filter.limit + 1);
    if let Some(status) = filter.status {
        query = query.filter(logged::Column::Status.eq(i16::try_from(status).unwrap_or_default()));
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(logged::Column::Outcome.eq(outcome));
    }
    if let Some(since) = filter.since {
        query = query.filter(logged::Column::ReceivedAt.gte(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(logged::Column::ReceivedAt.lt(until));
    }
    if let Some(text) = &filter.text {
        let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let like = LikeExpr::new(format!("%{literal}%")).escape('\\');
        query = query.filter(Expr::col((logged::Entity, logged::Column::Searched)).like(like));
    }
    if let Some(before) = filter.before {
        query = query.filter(logged::Column::Id.lt(before));
    }
    let rows = query.into_partial_model::<Line>().all(connection).await?;
    Ok(rows.into_iter().map(Logged::from).collect())
}

/// A row without headers and bodies: they may be large, and lists show none.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "logged::Entity")]
struct Line {
    id: WebhookRequestId,
    tenant_id: TenantId,
    webhook_id: WebhookId,
    received_at: Timestamp,
    method: String,
    target: String,
    address: Option<String>,
    status: i16,
    outcome: Outcome,
    micros: i64,
    execution_id: Option<ExecutionId>,
}

impl From<Line> for Logged {
    fn from(line: Line) -> Logged {
        Logged {
            id: line.id,
            tenant_id: line.tenant_id,
            webhook_id: line.webhook_id,
            received_at: line.received_at,
            method: line.method,
            target: line.target,
            address: line.address,
            status: line.status,
            outcome: line.outcome,
            micros: line.micros,
            execution_id: line.execution_id,
            searched: String::new(),
            request: Vec::new(),
            response: None,
        }
    }
}

/// Those of a webhook among these, oldest first.
pub(in super::super) async fn find_all(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    webhook: WebhookId,
    ids: &[WebhookRequestId],
) -> Result<Vec<Logged>, DbErr> {
    logged::Entity::scoped(tenant)
        .filter(logged::Column::WebhookId.eq(webhook))
        .filter(logged::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(logged::Column::Id)
        .all(connection)
        .await
}

/// Deletes what is older, of every tenant.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<u64, DbErr> {
    let delete = logged::Entity::delete_across_tenants().filter(logged::Column::ReceivedAt.lt(before));
    Ok(delete.exec(connection).await?.rows_affected)
}
