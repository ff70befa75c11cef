//! One immutable version of a workflow's document.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp, UserId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkflowVersionId,
    pub tenant_id: TenantId,
    pub workflow_id: WorkflowId,
    /// From 1, without gaps.
    pub number: i32,
    /// JSON text as it was given.
    pub document: String,
    pub created_at: Timestamp,
    pub created_by: Option<UserId>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
