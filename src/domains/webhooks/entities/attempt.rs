//! One attempt to tell an address of an event.

use sea_orm::entity::prelude::*;

use crate::common::{DeliveryId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub delivery_id: DeliveryId,
    pub attempted_at: Timestamp,
    /// Of the answer, where there was one.
    pub status: Option<i16>,
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    pub micros: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
