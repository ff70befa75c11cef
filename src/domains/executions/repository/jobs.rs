//! Queries of work on many executions. Whoever does it holds a lease; each step is a compare-and-set on it.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::super::entities::job;
use super::super::jobs::JobStatus;
use crate::common::{ExecutionJobId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Job = job::Model;

pub(in super::super) async fn insert_job(connection: &impl ConnectionTrait, job: Job) -> Result<(), DbErr> {
    job::Entity::insert(job.into_active_model()).exec_without_returning(connection).await.map(drop)
}

pub(in super::super) async fn find_job(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionJobId,
) -> Result<Option<Job>, DbErr> {
    job::Entity::scoped(tenant).filter(job::Column::Id.eq(id)).one(connection).await
}

/// A row more than the limit, newest first.
pub(in super::super) async fn jobs(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    before: Option<ExecutionJobId>,
    limit: u64,
) -> Result<Vec<Job>, DbErr> {
    let mut query = job::Entity::scoped(tenant).order_by_desc(job::Column::Id).limit(limit.saturating_add(1));
    if let Some(before) = before {
        query = query.filter(job::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// Jobs of all tenants that nobody does.
pub(in super::super) async fn abandoned_jobs(
    connection: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<Job>, DbErr> {
    job::Entity::across_tenants()
        .filter(job::Column::Status.eq(JobStatus::Running))
        .filter(job::Column::LeaseUntil.lte(now))
        .limit(10)
        .all(connection)
        .await
}

/// Moves a job on from the state it was read in. `false`: it is somebody else's now, or over.
pub(in super::super) async fn advance_job(
    connection: &impl ConnectionTrait,
    was: &Job,
    now: &Job,
) -> Result<bool, DbErr> {
    let moved = job::Entity::update_scoped(was.tenant_id)
        .col_expr(job::Column::Status, Expr::value(now.status))
        .col_expr(job::Column::Place, Expr::value(now.place))
        .col_expr(job::Column::Done, Expr::value(now.done))
        .col_expr(job::Column::Failed, Expr::value(now.failed))
        .col_expr(job::Column::Error, Expr::value(now.error.clone()))
        .col_expr(job::Column::EndedAt, Expr::value(now.ended_at))
        .col_expr(job::Column::LeaseUntil, Expr::value(now.lease_until))
        .filter(job::Column::Id.eq(was.id))
        .filter(job::Column::Status.eq(JobStatus::Running))
        .filter(job::Column::LeaseUntil.eq(was.lease_until))
        .filter(job::Column::Done.eq(was.done))
        .filter(job::Column::Failed.eq(was.failed))
        .exec(connection)
        .await?;
    Ok(moved.rows_affected == 1)
}
