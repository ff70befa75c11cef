//! Somebody in another process waits for an execution: for what of it, and the answer once there is one.

use sea_orm::entity::prelude::*;

use super::super::model::Interest;
use crate::common::{ExecutionId, TenantId, Timestamp};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Interest);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_answers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: ExecutionId,
    pub interest: Interest,
    /// JSON; see `answers`.
    pub answer: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
