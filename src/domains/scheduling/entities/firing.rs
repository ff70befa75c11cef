//! What became of a due time of a schedule, or of several that were given up together.

use sea_orm::entity::prelude::*;

use super::super::model::{Cause, Outcome};
use crate::common::{ExecutionId, FiringId, ScheduleId, TenantId, Timestamp};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Cause);
text_column!(Outcome);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_firings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FiringId,
    pub tenant_id: TenantId,
    pub schedule_id: ScheduleId,
    pub due_at: Timestamp,
    /// The last of the due times, where it tells of several.
    pub last_due_at: Option<Timestamp>,
    pub count: i32,
    /// When it was to fire: the due time and the jitter.
    pub planned_at: Timestamp,
    /// When it fired, or when it was given up.
    pub fired_at: Timestamp,
    pub cause: Cause,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub execution_id: Option<ExecutionId>,
    /// It waits, or its execution has to be watched and is not known to be over.
    pub open: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
