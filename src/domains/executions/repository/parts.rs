//! Parts of answers for readers in other processes.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};

use super::super::entities::part;
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Part = part::Model;

/// How many parts of an execution nobody has fetched yet.
pub(in super::super) async fn unread(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<u64, DbErr> {
    part::Entity::scoped(tenant).filter(part::Column::ExecutionId.eq(id)).count(connection).await
}

pub(in super::super) async fn leave_part(connection: &impl ConnectionTrait, left: Part) -> Result<(), DbErr> {
    let row = part::ActiveModel {
        tenant_id: Set(left.tenant_id),
        execution_id: Set(left.execution_id),
        attempt: Set(left.attempt),
        seq: Set(left.seq),
        part: Set(left.part),
        created_at: Set(left.created_at),
    };
    part::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// What is there of these executions of all tenants, each in its order.
pub(in super::super) async fn parts(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<Vec<Part>, DbErr> {
    part::Entity::across_tenants()
        .filter(part::Column::ExecutionId.is_in(ids))
        .order_by_asc(part::Column::ExecutionId)
        .order_by_asc(part::Column::Attempt)
        .order_by_asc(part::Column::Seq)
        .all(connection)
        .await
}

/// Those of an execution up to this one were fetched.
pub(in super::super) async fn forget_parts(connection: &impl ConnectionTrait, last: &Part) -> Result<(), DbErr> {
    let of_attempt = Condition::all().add(part::Column::Attempt.eq(last.attempt)).add(part::Column::Seq.lte(last.seq));
    part::Entity::delete_scoped(last.tenant_id)
        .filter(part::Column::ExecutionId.eq(last.execution_id))
        .filter(Condition::any().add(part::Column::Attempt.lt(last.attempt)).add(of_attempt))
        .exec(connection)
        .await
        .map(drop)
}

/// Deletes what nobody will fetch.
pub(in super::super) async fn forget_old_parts(
    connection: &impl ConnectionTrait,
    before: Timestamp,
) -> Result<(), DbErr> {
    let old = part::Column::CreatedAt.lt(before);
    part::Entity::delete_across_tenants().filter(old).exec(connection).await.map(drop)
}
