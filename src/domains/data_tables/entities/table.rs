//! A data table without its rows.

use sea_orm::entity::prelude::*;

use crate::common::{DataTableId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_tables")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DataTableId,
    pub tenant_id: TenantId,
    pub name: String,
    /// JSON; see `model::Column`.
    pub columns: String,
    /// The id that was given last; ids do not come again.
    pub last_row: i64,
    pub row_count: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
