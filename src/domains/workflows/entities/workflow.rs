//! A workflow: its name and which of its versions is current and which is in production. The documents are in `version`.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkflowId,
    pub tenant_id: TenantId,
    /// The id under which it was exported elsewhere; unique within the tenant.
    pub alias: Option<String>,
    pub name: String,
    /// The newest version.
    pub version_id: WorkflowVersionId,
    /// The version that triggers run; none while the workflow is inactive.
    pub active_version_id: Option<WorkflowVersionId>,
    /// Nodes that can begin it by themselves.
    pub trigger_count: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
