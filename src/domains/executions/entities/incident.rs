//! An attempt at an execution that did not end by itself: its process died, or gave it back.

use sea_orm::entity::prelude::*;

use super::super::model::Incident;
use crate::common::{ExecutionId, TenantId, Timestamp, WorkerId};
use crate::infrastructure::database::{Scoped, text_column};

text_column!(Incident);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_incidents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: ExecutionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub attempt: i32,
    /// When that was found.
    pub at: Timestamp,
    /// The process that had it.
    pub worker: Option<WorkerId>,
    pub kind: Incident,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
