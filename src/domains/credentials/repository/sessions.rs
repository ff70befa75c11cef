//! Queries of connect sessions.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};

use super::super::entities::connect_session;
use super::super::model::SessionStatus;
use crate::common::{ConnectSessionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Session = connect_session::Model;

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, row: Session) -> Result<(), DbErr> {
    let row = connect_session::ActiveModel::from(row).reset_all();
    connect_session::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ConnectSessionId,
) -> Result<Option<Session>, DbErr> {
    connect_session::Entity::scoped(tenant).filter(connect_session::Column::Id.eq(id)).one(connection).await
}

/// By the hash of its token: whoever has the token is not known otherwise.
pub(in super::super) async fn with_token(
    connection: &impl ConnectionTrait,
    hash: &[u8],
) -> Result<Option<Session>, DbErr> {
    connect_session::Entity::across_tenants().filter(connect_session::Column::TokenHash.eq(hash)).one(connection).await
}

/// Writes where it stands now, provided that it still is where it was. `false`: somebody was faster.
pub(in super::super) async fn advance(
    connection: &impl ConnectionTrait,
    from: SessionStatus,
    row: &Session,
) -> Result<bool, DbErr> {
    let changes = connect_session::ActiveModel {
        status: Set(row.status),
        credential_id: Set(row.credential_id),
        problem: Set(row.problem.clone()),
        started_at: Set(row.started_at),
        ..Default::default()
    };
    let result = connect_session::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(connect_session::Column::Id.eq(row.id))
        .filter(connect_session::Column::Status.eq(from))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Those who left for an authorisation server before this time and are not back.
pub(in super::super) async fn left_before(
    connection: &impl ConnectionTrait,
    before: Timestamp,
) -> Result<Vec<Session>, DbErr> {
    let long_ago = Condition::any()
        .add(connect_session::Column::StartedAt.lt(before))
        .add(connect_session::Column::StartedAt.is_null());
    connect_session::Entity::across_tenants()
        .filter(connect_session::Column::Status.eq(SessionStatus::Started))
        .filter(long_ago)
        .all(connection)
        .await
}

/// Removes what ended before.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
    connect_session::Entity::delete_across_tenants()
        .filter(connect_session::Column::ExpiresAt.lt(before))
        .exec(connection)
        .await
        .map(drop)
}
