//! One method and path of a tenant that begins an active workflow.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp, WebhookId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_routes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub tenant_id: TenantId,
    /// Upper case.
    pub method: String,
    /// Without leading slash; segments that begin with `:` are parameters.
    pub path: String,
    /// The path without the names of its parameters; unique for the tenant and method.
    pub shape: String,
    pub workflow_id: WorkflowId,
    pub version_id: WorkflowVersionId,
    /// Name of the node that begins.
    pub node: String,
    /// The node's output that takes the request.
    pub output: i32,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
