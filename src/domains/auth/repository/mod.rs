//! Queries of logins, refresh tokens and API keys.

mod accounts;
mod sso;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::entities::{api_key, refresh_token, session};
use crate::common::{ApiKeyId, PageQuery, SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::database::{Error, Scoped};

pub(super) use accounts::*;
pub(super) use sso::*;

pub(super) async fn insert_session(connection: &impl ConnectionTrait, row: session::Model) -> Result<(), Error> {
    session::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

pub(super) async fn find_session(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: SessionId,
) -> Result<Option<session::Model>, Error> {
    session::Entity::scoped(tenant).filter(session::Column::Id.eq(id)).one(connection).await
}

pub(super) async fn prolong_session(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: SessionId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    session::Entity::update_scoped(tenant)
        .col_expr(session::Column::ExpiresAt, Expr::value(expires_at))
        .col_expr(session::Column::RefreshedAt, Expr::value(now))
        .filter(session::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

/// The person's logins in the tenant that can still be used, newest first; one row more than the limit when there are more.
pub(super) async fn list_sessions(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    person: UserId,
    now: Timestamp,
    query: &PageQuery,
) -> Result<Vec<session::Model>, Error> {
    let mut select = session::Entity::scoped(tenant)
        .filter(session::Column::UserId.eq(person))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    if let Some(cursor) = query.cursor {
        select = select.filter(session::Column::Id.lt(cursor.id()));
    }
    select.order_by_desc(session::Column::Id).limit(query.limit() + 1).all(connection).await
}

/// Ends a login; false when it had ended before.
pub(super) async fn revoke_session(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: SessionId,
    now: Timestamp,
) -> Result<bool, Error> {
    let result = session::Entity::update_scoped(tenant)
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Deletes logins that expired before this time, with their refresh tokens.
pub(super) async fn delete_sessions_before(connection: &impl ConnectionTrait, time: Timestamp) -> Result<u64, Error> {
    let delete = session::Entity::delete_across_tenants().filter(session::Column::ExpiresAt.lt(time));
    Ok(delete.exec(connection).await?.rows_affected)
}

pub(super) async fn insert_refresh_token(
    connection: &impl ConnectionTrait,
    row: refresh_token::Model,
) -> Result<(), Error> {
    refresh_token::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// The token says which tenant it is of.
pub(super) async fn find_refresh_token(
    connection: &impl ConnectionTrait,
    hash: &TokenHash,
) -> Result<Option<refresh_token::Model>, Error> {
    refresh_token::Entity::across_tenants()
        .filter(refresh_token::Column::Hash.eq(hash.as_bytes()))
        .one(connection)
        .await
}

/// A token of this tenant.
pub(super) async fn find_refresh_token_of(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    hash: &TokenHash,
) -> Result<Option<refresh_token::Model>, Error> {
    let select = refresh_token::Entity::scoped(tenant).filter(refresh_token::Column::Hash.eq(hash.as_bytes()));
    select.one(connection).await
}

/// Uses a token up; false when somebody was faster.
pub(super) async fn use_refresh_token(
    connection: &impl ConnectionTrait,
    token: &refresh_token::Model,
    now: Timestamp,
) -> Result<bool, Error> {
    let result = refresh_token::Entity::update_scoped(token.tenant_id)
        .col_expr(refresh_token::Column::UsedAt, Expr::value(now))
        .filter(refresh_token::Column::Hash.eq(token.hash.as_slice()))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

pub(super) async fn insert_api_key(connection: &impl ConnectionTrait, row: api_key::Model) -> Result<(), Error> {
    api_key::Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// The key says which tenant it is of.
pub(super) async fn find_api_key_by_hash(
    connection: &impl ConnectionTrait,
    hash: &TokenHash,
) -> Result<Option<api_key::Model>, Error> {
    api_key::Entity::across_tenants().filter(api_key::Column::Hash.eq(hash.as_bytes())).one(connection).await
}

pub(super) async fn find_api_key(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<Option<api_key::Model>, Error> {
    api_key::Entity::scoped(tenant).filter(api_key::Column::Id.eq(id)).one(connection).await
}

/// Newest first; one row more than the limit when there are more.
pub(super) async fn list_api_keys(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    query: &PageQuery,
) -> Result<Vec<api_key::Model>, Error> {
    let mut select = api_key::Entity::scoped(tenant);
    if let Some(cursor) = query.cursor {
        select = select.filter(api_key::Column::Id.lt(cursor.id()));
    }
    select.order_by_desc(api_key::Column::Id).limit(query.limit() + 1).all(connection).await
}

pub(super) async fn delete_api_key(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<(), Error> {
    api_key::Entity::delete_scoped(tenant).filter(api_key::Column::Id.eq(id)).exec(connection).await?;
    Ok(())
}

pub(super) async fn touch_api_key(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    api_key::Entity::update_scoped(tenant)
        .col_expr(api_key::Column::LastUsedAt, Expr::value(now))
        .filter(api_key::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}
