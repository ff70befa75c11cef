//! A trigger that listens: what it listens to, who holds it, how far it has got.

use sea_orm::entity::prelude::*;

use super::super::triggers::Kind;
use crate::common::{TenantId, Timestamp, TriggerId, WorkerId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Kind);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "triggers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TriggerId,
    pub tenant_id: TenantId,
    pub workflow_id: WorkflowId,
    /// The version in production; none while the workflow is inactive.
    pub version_id: Option<WorkflowVersionId>,
    pub node: String,
    pub kind: Kind,
    /// JSON: what it listens to.
    pub source: String,
    /// JSON: how far it has got.
    pub state: Option<String>,
    /// The process that listens, and until when it may.
    pub holder: Option<WorkerId>,
    pub lease_until: Timestamp,
    /// Grows with each holder and each change: what an earlier one does touches no row.
    pub term: i64,
    /// Failures in a row, and what the last one was.
    pub failures: i32,
    pub error: Option<String>,
    pub last_began_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
