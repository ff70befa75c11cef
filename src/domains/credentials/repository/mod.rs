//! Queries of the domain: credentials and the data keys that seal them. Every one names its tenant, but for those that
//! serve all tenants.

pub(super) mod flows;
pub(super) mod sessions;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::entities::{credential, data_key};
use crate::common::{CredentialId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

pub(super) type Credential = credential::Model;
pub(super) type DataKey = data_key::Model;

/// What a list of credentials is narrowed by.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub kind: Option<String>,
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// Only ids below this one.
    pub before: Option<CredentialId>,
    pub limit: u64,
}

/// A row more than the limit, newest first: the extra one tells that there is another page.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<Credential>, DbErr> {
    let mut query =
        credential::Entity::scoped(tenant).order_by_desc(credential::Column::Id).limit(filter.limit.saturating_add(1));
    if let Some(kind) = &filter.kind {
        query = query.filter(credential::Column::Kind.eq(kind.as_str()));
    }
    if let Some(name) = &filter.name {
        let literal = name.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{literal}%")).escape('\\');
        query = query.filter(Expr::expr(Func::lower(Expr::col(credential::Column::Name))).like(pattern));
    }
    if let Some(before) = filter.before {
        query = query.filter(credential::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// By our id, else by the id it was exported under elsewhere.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    reference: &str,
) -> Result<Option<Credential>, DbErr> {
    let alias = credential::Column::Alias.eq(reference);
    let Ok(id) = reference.parse::<CredentialId>() else {
        return credential::Entity::scoped(tenant).filter(alias).one(connection).await;
    };
    let either = Condition::any().add(credential::Column::Id.eq(id)).add(alias);
    let found = credential::Entity::scoped(tenant).filter(either).all(connection).await?;
    let (own, aliased): (Vec<_>, Vec<_>) = found.into_iter().partition(|row| row.id == id);
    Ok(own.into_iter().chain(aliased).next())
}

/// At most two of this type and name: the second tells that the name is not enough.
pub(super) async fn named(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    kind: &str,
    name: &str,
) -> Result<Vec<Credential>, DbErr> {
    credential::Entity::scoped(tenant)
        .filter(credential::Column::Kind.eq(kind))
        .filter(credential::Column::Name.eq(name))
        .order_by_asc(credential::Column::Id)
        .limit(2)
        .all(connection)
        .await
}

/// At most two of this type: the second tells that the type is not enough.
pub(super) async fn of_kind(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    kind: &str,
) -> Result<Vec<Credential>, DbErr> {
    credential::Entity::scoped(tenant)
        .filter(credential::Column::Kind.eq(kind))
        .order_by_asc(credential::Column::Id)
        .limit(2)
        .all(connection)
        .await
}

pub(super) async fn insert(connection: &impl ConnectionTrait, row: Credential) -> Result<(), DbErr> {
    let row = credential::ActiveModel::from(row).reset_all();
    credential::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// Writes the row's present state as its next revision, provided that nobody was faster. `false`: somebody was.
pub(super) async fn update(connection: &impl ConnectionTrait, row: &Credential) -> Result<bool, DbErr> {
    let changes = credential::ActiveModel {
        name: Set(row.name.clone()),
        revision: Set(row.revision.saturating_add(1)),
        key_version: Set(row.key_version),
        sealed: Set(row.sealed.clone()),
        allowed_hosts: Set(row.allowed_hosts.clone()),
        workflows: Set(row.workflows.clone()),
        node_types: Set(row.node_types.clone()),
        status: Set(row.status),
        problem: Set(row.problem.clone()),
        scopes: Set(row.scopes.clone()),
        expires_at: Set(row.expires_at),
        refreshing_until: Set(None),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    let result = credential::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(credential::Column::Id.eq(row.id))
        .filter(credential::Column::Revision.eq(row.revision))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

pub(super) async fn delete(connection: &impl ConnectionTrait, row: &Credential) -> Result<(), DbErr> {
    credential::Entity::delete_scoped(row.tenant_id)
        .filter(credential::Column::Id.eq(row.id))
        .exec(connection)
        .await
        .map(drop)
}

/// Credentials that an older version of the tenant's key seals, oldest first.
pub(super) async fn sealed_before(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    version: i32,
    limit: u64,
) -> Result<Vec<Credential>, DbErr> {
    credential::Entity::scoped(tenant)
        .filter(credential::Column::KeyVersion.lt(version))
        .order_by_asc(credential::Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

/// Puts the same fields, sealed anew, in place of those of this revision. `false`: the credential changed meanwhile.
pub(super) async fn reseal(connection: &impl ConnectionTrait, row: &Credential) -> Result<bool, DbErr> {
    let changes = credential::ActiveModel {
        key_version: Set(row.key_version),
        sealed: Set(row.sealed.clone()),
        ..Default::default()
    };
    let result = credential::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(credential::Column::Id.eq(row.id))
        .filter(credential::Column::Revision.eq(row.revision))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// How many credentials each version of the tenant's key seals.
pub(super) async fn sealed_by_version(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Vec<(i32, i64)>, DbErr> {
    credential::Entity::scoped(tenant)
        .select_only()
        .column(credential::Column::KeyVersion)
        .column_as(credential::Column::Id.count(), "count")
        .group_by(credential::Column::KeyVersion)
        .into_tuple()
        .all(connection)
        .await
}

/// Takes the turn to renew a credential's access token until `until`. `false`: somebody else has it.
pub(super) async fn take_turn(
    connection: &impl ConnectionTrait,
    row: &Credential,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, DbErr> {
    let free = Condition::any()
        .add(credential::Column::RefreshingUntil.is_null())
        .add(credential::Column::RefreshingUntil.lt(now));
    let result = credential::Entity::update_scoped(row.tenant_id)
        .col_expr(credential::Column::RefreshingUntil, Expr::value(until))
        .filter(credential::Column::Id.eq(row.id))
        .filter(credential::Column::Revision.eq(row.revision))
        .filter(free)
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Gives the turn back.
pub(super) async fn end_turn(connection: &impl ConnectionTrait, row: &Credential) -> Result<(), DbErr> {
    credential::Entity::update_scoped(row.tenant_id)
        .col_expr(credential::Column::RefreshingUntil, Expr::value(None::<Timestamp>))
        .filter(credential::Column::Id.eq(row.id))
        .exec(connection)
        .await
        .map(drop)
}

pub(super) async fn newest_key(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<Option<DataKey>, DbErr> {
    data_key::Entity::scoped(tenant).order_by_desc(data_key::Column::Version).one(connection).await
}

/// The versions of a tenant's key, newest first.
pub(super) async fn keys(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<Vec<DataKey>, DbErr> {
    data_key::Entity::scoped(tenant).order_by_desc(data_key::Column::Version).all(connection).await
}

pub(super) async fn key(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    version: i32,
) -> Result<Option<DataKey>, DbErr> {
    data_key::Entity::scoped(tenant).filter(data_key::Column::Version.eq(version)).one(connection).await
}

/// Adds a version of a key, unless there is one.
pub(super) async fn insert_key(connection: &impl ConnectionTrait, row: DataKey) -> Result<(), DbErr> {
    let place = [data_key::Column::TenantId, data_key::Column::Version];
    data_key::Entity::insert(data_key::ActiveModel::from(row).reset_all())
        .on_conflict(OnConflict::columns(place).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Puts another wrapping of the same key in place of this one. `false`: it has changed meanwhile.
pub(super) async fn replace_wrapped(
    connection: &impl ConnectionTrait,
    row: &DataKey,
    key_id: String,
    wrapped: Vec<u8>,
) -> Result<bool, DbErr> {
    let changes = data_key::ActiveModel { key_id: Set(key_id), wrapped: Set(wrapped), ..Default::default() };
    let result = data_key::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(data_key::Column::Version.eq(row.version))
        .filter(data_key::Column::KeyId.eq(row.key_id.as_str()))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Removes the versions below this one. What they sealed has to be sealed anew before.
pub(super) async fn delete_keys_below(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    version: i32,
) -> Result<(), DbErr> {
    data_key::Entity::delete_scoped(tenant)
        .filter(data_key::Column::Version.lt(version))
        .exec(connection)
        .await
        .map(drop)
}

/// For each key that wraps data keys, one of these.
pub(super) async fn one_key_of_each_wrapping(connection: &impl ConnectionTrait) -> Result<Vec<DataKey>, DbErr> {
    let ids: Vec<String> = data_key::Entity::across_tenants()
        .select_only()
        .column(data_key::Column::KeyId)
        .distinct()
        .into_tuple()
        .all(connection)
        .await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let query = data_key::Entity::across_tenants().filter(data_key::Column::KeyId.eq(id));
        found.extend(query.one(connection).await?);
    }
    Ok(found)
}

/// Data keys that another key than this wraps, of all tenants.
pub(super) async fn wrapped_otherwise(
    connection: &impl ConnectionTrait,
    key_id: &str,
    limit: u64,
) -> Result<Vec<DataKey>, DbErr> {
    data_key::Entity::across_tenants().filter(data_key::Column::KeyId.ne(key_id)).limit(limit).all(connection).await
}

/// How many data keys there are, and how many of them this key wraps, of all tenants.
pub(super) async fn wrapped_by(connection: &impl ConnectionTrait, key_id: &str) -> Result<(u64, u64), DbErr> {
    let all = PaginatorTrait::count(data_key::Entity::across_tenants(), connection).await?;
    let these = data_key::Entity::across_tenants().filter(data_key::Column::KeyId.eq(key_id));
    Ok((all, PaginatorTrait::count(these, connection).await?))
}

/// Tenants with more than one version of their key.
pub(super) async fn tenants_with_several_keys(connection: &impl ConnectionTrait) -> Result<Vec<TenantId>, DbErr> {
    data_key::Entity::across_tenants()
        .select_only()
        .column(data_key::Column::TenantId)
        .group_by(data_key::Column::TenantId)
        .having(data_key::Column::Version.count().gt(1))
        .into_tuple()
        .all(connection)
        .await
}
