//! What a running execution did since its state was stored: events in order, several to a row.

use sea_orm::entity::prelude::*;

use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_journal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: ExecutionId,
    /// How many events came before the first of this row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// See `journal`.
    pub entries: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
