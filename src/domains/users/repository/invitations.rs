//! Queries of invitations.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::super::entities::invitation::{Column, Entity, Model};
use super::super::model::Email;
use crate::common::{InvitationId, PageQuery, TenantId, Timestamp};
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::database::{Error, Scoped};

pub(in super::super) async fn insert_invitation(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop)
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list_invitations(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    query: &PageQuery,
) -> Result<Vec<Model>, Error> {
    let mut select = Entity::scoped(tenant);
    if let Some(cursor) = query.cursor {
        select = select.filter(Column::Id.lt(cursor.id()));
    }
    select.order_by_desc(Column::Id).limit(query.limit() + 1).all(connection).await
}

pub(in super::super) async fn find_invitation(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: InvitationId,
) -> Result<Option<Model>, Error> {
    Entity::scoped(tenant).filter(Column::Id.eq(id)).one(connection).await
}

/// The token says which tenant it is for.
pub(in super::super) async fn find_invitation_by_token(
    connection: &impl ConnectionTrait,
    hash: &TokenHash,
) -> Result<Option<Model>, Error> {
    Entity::across_tenants().filter(Column::TokenHash.eq(hash.as_bytes())).one(connection).await
}

/// Uses an invitation up; false when somebody was faster, or it was taken back.
pub(in super::super) async fn use_invitation(
    connection: &impl ConnectionTrait,
    invitation: &Model,
    now: Timestamp,
) -> Result<bool, Error> {
    let used = Entity::update_scoped(invitation.tenant_id)
        .col_expr(Column::AcceptedAt, Expr::value(Some(now)))
        .filter(Column::Id.eq(invitation.id))
        .filter(Column::AcceptedAt.is_null())
        .exec(connection)
        .await?;
    Ok(used.rows_affected == 1)
}

/// Deletes those to an address that were not accepted.
pub(in super::super) async fn delete_open_invitations(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    email: &Email,
) -> Result<(), Error> {
    Entity::delete_scoped(tenant)
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::AcceptedAt.is_null())
        .exec(connection)
        .await
        .map(drop)
}

pub(in super::super) async fn delete_invitation(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: InvitationId,
) -> Result<(), Error> {
    Entity::delete_scoped(tenant).filter(Column::Id.eq(id)).exec(connection).await.map(drop)
}
