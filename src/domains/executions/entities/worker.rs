//! A process that runs executions. When its lease runs out, others take over what it had.

use sea_orm::entity::prelude::*;

use crate::common::{Timestamp, WorkerId};
use crate::infrastructure::database::Unscoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkerId,
    pub started_at: Timestamp,
    pub lease_until: Timestamp,
    /// Whose executions it runs.
    pub pool: String,
    /// How many at the same time.
    pub slots: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unscoped for Entity {}
