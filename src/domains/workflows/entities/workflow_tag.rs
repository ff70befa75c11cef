//! Which workflow bears which tag.

use sea_orm::entity::prelude::*;

use crate::common::{TagId, TenantId, WorkflowId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow_tags")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub workflow_id: WorkflowId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag_id: TagId,
    pub tenant_id: TenantId,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
