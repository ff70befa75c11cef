//! Queries of what is not to be kept.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::super::entities::{execution, incident, journal, label, payload};
use super::super::model::Status;
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

/// States of executions that are over.
const OVER: [Status; 4] = [Status::Success, Status::Error, Status::Canceled, Status::Crashed];

/// What makes an execution that is over one that is not kept.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Expired {
    /// It ended before this time.
    Before(Timestamp),
    /// It is older than this one.
    Below(ExecutionId),
}

/// Some of those that are not to be kept, the oldest.
pub(in super::super) async fn expired(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    expired: Expired,
    limit: u64,
) -> Result<Vec<ExecutionId>, DbErr> {
    let query = execution::Entity::scoped(tenant)
        .select_only()
        .column(execution::Column::Id)
        .filter(execution::Column::Status.is_in(OVER))
        // Their callers have not taken the outcome yet.
        .filter(execution::Column::Id.not_in_subquery(sought(tenant).into_query()));
    let query = match expired {
        // What ended before a time was created before it, and there is an index for that.
        Expired::Before(time) => {
            query.filter(execution::Column::CreatedAt.lt(time)).filter(execution::Column::StoppedAt.lt(time))
        }
        Expired::Below(id) => query.filter(execution::Column::Id.lt(id)),
    };
    query.order_by_asc(execution::Column::Id).limit(limit).into_tuple().all(connection).await
}

/// Called executions whose callers were put aside for their end and are not over.
fn sought(tenant: TenantId) -> Select<execution::Entity> {
    execution::Entity::scoped(tenant)
        .select_only()
        .column(execution::Column::WaitsFor)
        .filter(execution::Column::WaitsFor.is_not_null())
        .filter(execution::Column::Status.is_not_in(OVER))
}

/// The oldest execution to be kept where so many are. `None`: there are not more.
pub(in super::super) async fn last_kept(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    count: u64,
) -> Result<Option<ExecutionId>, DbErr> {
    execution::Entity::scoped(tenant)
        .select_only()
        .column(execution::Column::Id)
        .order_by_desc(execution::Column::Id)
        .offset(count.saturating_sub(1))
        .limit(1)
        .into_tuple()
        .one(connection)
        .await
}

/// Deletes executions with everything about them.
pub(in super::super) async fn delete_many(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: &[ExecutionId],
) -> Result<(), DbErr> {
    let ids = || ids.iter().copied();
    payload::Entity::delete_scoped(tenant).filter(payload::Column::ExecutionId.is_in(ids())).exec(connection).await?;
    journal::Entity::delete_scoped(tenant).filter(journal::Column::ExecutionId.is_in(ids())).exec(connection).await?;
    incident::Entity::delete_scoped(tenant).filter(incident::Column::ExecutionId.is_in(ids())).exec(connection).await?;
    super::doom(connection, tenant, ids()).await?;
    label::Entity::delete_scoped(tenant).filter(label::Column::ExecutionId.is_in(ids())).exec(connection).await?;
    execution::Entity::delete_scoped(tenant)
        .filter(execution::Column::Id.is_in(ids()))
        .filter(execution::Column::Status.is_in(OVER))
        .exec(connection)
        .await
        .map(drop)
}
