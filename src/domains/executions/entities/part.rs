//! A part of an answer, for whoever reads it in another process.

use sea_orm::entity::prelude::*;

use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_answer_parts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: ExecutionId,
    /// The attempt that sent it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub attempt: i32,
    /// Its place among the parts of that attempt.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    pub part: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
