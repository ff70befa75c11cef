//! Queries of account connections under way.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::super::entities::oauth_flow;
use crate::common::Timestamp;
use crate::infrastructure::database::Scoped;

pub(in super::super) type Flow = oauth_flow::Model;

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, row: Flow) -> Result<(), DbErr> {
    let row = oauth_flow::ActiveModel::from(row).reset_all();
    oauth_flow::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// By the hash of its state; who comes back from an authorisation server shows nothing else.
pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    state_hash: &[u8],
) -> Result<Option<Flow>, DbErr> {
    oauth_flow::Entity::across_tenants().filter(oauth_flow::Column::StateHash.eq(state_hash)).one(connection).await
}

/// Uses it up. `false`: somebody was faster.
pub(in super::super) async fn use_up(
    connection: &impl ConnectionTrait,
    row: &Flow,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let result = oauth_flow::Entity::update_scoped(row.tenant_id)
        .col_expr(oauth_flow::Column::UsedAt, Expr::value(now))
        .filter(oauth_flow::Column::Id.eq(row.id))
        .filter(oauth_flow::Column::UsedAt.is_null())
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Removes what ended before.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
    oauth_flow::Entity::delete_across_tenants()
        .filter(oauth_flow::Column::ExpiresAt.lt(before))
        .exec(connection)
        .await
        .map(drop)
}
