//! A schedule: what begins when, and where its clock stands.

use sea_orm::entity::prelude::*;

use super::super::model::{Misfire, Origin, Overlap, State};
use crate::common::{ScheduleId, TenantId, Timestamp, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Misfire);
text_column!(Origin);
text_column!(Overlap);
text_column!(State);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScheduleId,
    pub tenant_id: TenantId,
    pub workflow_id: WorkflowId,
    /// The version in production; none while the workflow is inactive.
    pub version_id: Option<WorkflowVersionId>,
    pub origin: Origin,
    /// The trigger node it stands for, and which of that node's rules.
    pub node: Option<String>,
    pub position: i32,
    pub name: String,
    pub description: Option<String>,
    /// JSON; see `rule`.
    pub rule: String,
    /// IANA name.
    pub zone: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub jitter_ms: i64,
    pub trigger_event: Option<String>,
    /// JSON.
    pub input: Option<String>,
    pub overlap: Overlap,
    pub misfire: Misfire,
    pub catch_up_ms: i64,
    /// Failures in a row after which it is paused; 0: never.
    pub pause_after: i32,
    pub state: State,
    pub pause_reason: Option<String>,
    pub paused_at: Option<Timestamp>,
    /// Where intervals begin to count.
    pub anchor: Timestamp,
    /// The due time that was dealt with last.
    pub last_due_at: Option<Timestamp>,
    /// The next due time, and when it fires; none unless active.
    pub due_at: Option<Timestamp>,
    pub fire_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: i32,
    /// Counts changes: who changes a row names the one it has seen.
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
