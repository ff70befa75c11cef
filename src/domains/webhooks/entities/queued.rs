//! A webhook that was accepted and waits for its workflow, or waited.

use sea_orm::entity::prelude::*;

use super::super::queue::Status;
use crate::common::{ExecutionId, QueuedWebhookId, TenantId, Timestamp, WorkflowId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_queue")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QueuedWebhookId,
    pub tenant_id: TenantId,
    pub workflow_id: WorkflowId,
    pub event: Option<String>,
    /// JSON.
    pub payload: String,
    /// The sender's own id of the delivery; the same one is queued once.
    pub delivery: Option<String>,
    pub status: Status,
    pub attempts: i32,
    /// When it is tried next, or when whoever works on it is taken for dead; none when it is over.
    pub due_at: Option<Timestamp>,
    pub execution_id: Option<ExecutionId>,
    /// Why the last try failed.
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

crate::infrastructure::database::text_column!(Status);

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
