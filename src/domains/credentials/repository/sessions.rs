//! Queries of connect sessions.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::super::entities::connect_session;
use super::super::model::SessionStatus;
use crate::common::{ConnectSessionId, CredentialId, TenantId, Timestamp};
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

/// Moves it on, provided that it still is where it was. `false`: somebody was faster.
pub(in super::super) async fn advance(
    connection: &impl ConnectionTrait,
    row: &Session,
    status: SessionStatus,
    credential: Option<CredentialId>,
    problem: Option<String>,
) -> Result<bool, DbErr> {
    let changes = connect_session::ActiveModel {
        status: Set(status),
        credential_id: Set(credential),
        problem: Set(problem),
        ..Default::default()
    };
    let result = connect_session::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(connect_session::Column::Id.eq(row.id))
        .filter(connect_session::Column::Status.eq(row.status))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Removes what ended before.
pub(in super::super) async fn prune(connection: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
    connect_session::Entity::delete_across_tenants()
        .filter(connect_session::Column::ExpiresAt.lt(before))
        .exec(connection)
        .await
        .map(drop)
}
