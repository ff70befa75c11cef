//! One method and path that somebody listens to for a test call.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp, WebhookId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_listeners")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub tenant_id: TenantId,
    pub method: String,
    pub path: String,
    pub workflow_id: WorkflowId,
    pub version_id: WorkflowVersionId,
    pub node: String,
    /// What the rows of one listener have in common: the first call takes them all.
    pub call: Uuid,
    pub output: i32,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
