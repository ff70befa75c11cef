//! The last row of each tenant's log: what the next row is chained to. Locked while a row is added.

use sea_orm::entity::prelude::*;

use crate::common::TenantId;
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    pub sequence: i64,
    pub mac: Vec<u8>,
    /// The last row that a checkpoint was signed for; 0: none.
    pub checkpointed: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
