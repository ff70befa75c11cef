//! The data of an execution, apart from its row so that lists stay small.

use sea_orm::entity::prelude::*;

use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_payloads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: ExecutionId,
    /// What its nodes did; see `payload`.
    pub data: Option<Vec<u8>>,
    /// What is needed to begin or to go on; none once it is over.
    pub state: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
