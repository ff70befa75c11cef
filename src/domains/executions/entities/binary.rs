//! A large binary: its bytes are in the store, here stands that they are there and whose they are.

use sea_orm::entity::prelude::*;

use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_binaries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// With this execution it is deleted.
    pub execution_id: ExecutionId,
    pub bytes: i64,
    pub created_at: Timestamp,
    /// Nobody needs it any more; the store still has it.
    pub doomed: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
