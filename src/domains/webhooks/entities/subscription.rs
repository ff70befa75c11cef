//! An address that is told of events.

use sea_orm::entity::prelude::*;

use crate::common::{SubscriptionId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_subscriptions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SubscriptionId,
    pub tenant_id: TenantId,
    pub name: String,
    pub url: String,
    /// JSON: names of events, `kind.*`, or `*`.
    pub events: String,
    /// One event after the other; else side by side.
    pub ordered: bool,
    /// Encrypted JSON.
    pub secrets: Vec<u8>,
    /// The last event that was kept for it, or passed over.
    pub reached: String,
    /// When the first of the attempts failed since the last success.
    pub failing_since: Option<Timestamp>,
    /// Percent of the patience that were warned of.
    pub warned: i32,
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
