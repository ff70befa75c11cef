//! A version of a tenant's data key, wrapped.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// From 1; the highest seals.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Id of the key that wrapped it.
    pub key_id: String,
    pub wrapped: Vec<u8>,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
