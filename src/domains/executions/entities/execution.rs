//! One execution without its data: what lists read.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::model::{Mode, Status};
use crate::common::{ExecutionId, TenantId, Timestamp, WorkerId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Mode, or Mode::Unknown);
text_column!(Status, or Status::Unknown);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "executions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExecutionId,
    pub workflow_id: WorkflowId,
    pub version_id: WorkflowVersionId,
    pub mode: Mode,
    pub status: Status,
    /// Counts how often a worker took it; a write of an earlier attempt touches no row.
    pub attempt: i32,
    /// The process that has it; none while it is queued, waiting or over.
    pub owner: Option<WorkerId>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// When a waiting execution goes on by itself.
    pub wait_until: Option<Timestamp>,
    /// The execution that called it.
    pub parent_id: Option<ExecutionId>,
    pub retry_of: Option<ExecutionId>,
    /// The retry that succeeded.
    pub retry_success_id: Option<ExecutionId>,
    pub last_node: Option<String>,
    /// Why it failed, in a sentence.
    pub error: Option<String>,
    /// How often its process died while it ran.
    pub crashes: i32,
    /// When a worker was last told of it; 0 where none had to be.
    pub queued_at: Timestamp,
    /// The higher, the earlier a worker takes it.
    pub priority: i32,
    /// Whose workers run it.
    pub pool: String,
    /// Of its workflow so many with the same key run at a time as its settings say.
    pub concurrency_key: Option<String>,
    /// The called execution whose end it was put aside for, until it is put aside for another or is over.
    pub waits_for: Option<ExecutionId>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
