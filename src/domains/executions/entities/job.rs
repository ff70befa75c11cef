//! Work on many executions, done by whichever process holds its lease.

use sea_orm::entity::prelude::*;

use super::super::jobs::{Action, JobStatus};
use crate::common::{ExecutionId, ExecutionJobId, TenantId, Timestamp};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Action);
text_column!(JobStatus);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExecutionJobId,
    pub tenant_id: TenantId,
    pub action: Action,
    /// JSON.
    pub filter: String,
    pub status: JobStatus,
    /// The last execution dealt with; those to come have lower ids.
    pub place: Option<ExecutionId>,
    pub done: i64,
    pub failed: i64,
    /// Why the last one failed that did.
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub lease_until: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
