//! One event that one address is to be told of.

use sea_orm::entity::prelude::*;

use super::super::deliveries::DeliveryStatus;
use crate::common::{DeliveryId, SubscriptionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliveryId,
    pub tenant_id: TenantId,
    pub subscription_id: SubscriptionId,
    pub event: String,
    /// The body as it is sent.
    pub payload: String,
    pub status: DeliveryStatus,
    pub attempts: i32,
    /// When it is tried next, or when whoever tries it is taken for dead; none when it is over.
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

crate::infrastructure::database::text_column!(DeliveryStatus);

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
