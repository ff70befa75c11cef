//! A webhook node of a workflow that was active once, and what its tenant set for it. It outlives deactivations.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp, WebhookId, WorkflowId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_endpoints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub tenant_id: TenantId,
    pub workflow_id: WorkflowId,
    /// The node's id, which survives a change of its name; its name where it has none.
    pub node_key: String,
    pub node: String,
    pub path: String,
    /// People fill it in; the path begins with `form/`.
    pub is_form: bool,
    /// JSON.
    pub settings: String,
    /// Encrypted JSON.
    pub secrets: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
