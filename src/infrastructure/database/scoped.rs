//! The only way to query a tenant's table. sea-orm's own entry points are banned by clippy (`disallowed-methods`).
#![expect(clippy::disallowed_methods, reason = "this is the door that the ban leads to")]

use sea_orm::{ColumnTrait, DeleteMany, EntityTrait, QueryFilter, Select, UpdateMany};

use crate::common::TenantId;

/// An entity whose rows belong to a tenant each.
pub trait Scoped: EntityTrait {
    /// The column that says to which.
    const TENANT: Self::Column;

    /// The tenant's rows.
    fn scoped(tenant: TenantId) -> Select<Self> {
        Self::find().filter(Self::TENANT.eq(tenant))
    }

    /// Changes rows of the tenant.
    fn update_scoped(tenant: TenantId) -> UpdateMany<Self> {
        Self::update_many().filter(Self::TENANT.eq(tenant))
    }

    /// Deletes rows of the tenant.
    fn delete_scoped(tenant: TenantId) -> DeleteMany<Self> {
        Self::delete_many().filter(Self::TENANT.eq(tenant))
    }

    /// Rows of every tenant: for authentication, which learns the tenant from the row, and for workers that serve all tenants.
    /// Never on behalf of a caller.
    fn across_tenants() -> Select<Self> {
        Self::find()
    }

    /// Changes rows of every tenant: for workers that serve all tenants.
    fn update_across_tenants() -> UpdateMany<Self> {
        Self::update_many()
    }

    /// Deletes rows of every tenant: for pruning.
    fn delete_across_tenants() -> DeleteMany<Self> {
        Self::delete_many()
    }
}

/// An entity that belongs to no tenant: people, who may be members of several.
pub trait Unscoped: EntityTrait {
    fn global() -> Select<Self> {
        Self::find()
    }

    fn update_global() -> UpdateMany<Self> {
        Self::update_many()
    }

    fn delete_global() -> DeleteMany<Self> {
        Self::delete_many()
    }
}
