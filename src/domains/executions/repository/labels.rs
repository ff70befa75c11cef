//! Queries of what is written on executions.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::super::entities::label;
use super::super::labels::Kind;
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Label = label::Model;

/// Writes labels; one of the same kind and name is replaced.
pub(in super::super) async fn label(connection: &impl ConnectionTrait, labels: Vec<Label>) -> Result<(), DbErr> {
    if labels.is_empty() {
        return Ok(());
    }
    let key = [label::Column::TenantId, label::Column::ExecutionId, label::Column::Kind, label::Column::Name];
    let replaced = OnConflict::columns(key).update_column(label::Column::Value).to_owned();
    label::Entity::insert_many(labels.into_iter().map(IntoActiveModel::into_active_model))
        .on_conflict(replaced)
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Removes the labels of these kinds.
pub(in super::super) async fn unlabel(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ExecutionId,
    kinds: &[Kind],
) -> Result<(), DbErr> {
    label::Entity::delete_scoped(tenant)
        .filter(label::Column::ExecutionId.eq(id))
        .filter(label::Column::Kind.is_in(kinds.iter().copied()))
        .exec(connection)
        .await
        .map(drop)
}

/// Labels of executions, by name.
pub(in super::super) async fn labels(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<Vec<Label>, DbErr> {
    label::Entity::scoped(tenant)
        .filter(label::Column::ExecutionId.is_in(ids))
        .order_by_asc(label::Column::Name)
        .all(connection)
        .await
}
