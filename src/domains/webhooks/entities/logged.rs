//! One request of a webhook and how it was answered.

use sea_orm::entity::prelude::*;

use super::super::log::Outcome;
use crate::common::{ExecutionId, TenantId, Timestamp, WebhookId, WebhookRequestId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookRequestId,
    pub tenant_id: TenantId,
    pub webhook_id: WebhookId,
    pub received_at: Timestamp,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub address: Option<String>,
    pub status: i16,
    pub outcome: Outcome,
    /// Microseconds from the whole request to its answer.
    pub micros: i64,
    pub execution_id: Option<ExecutionId>,
    /// What a search by text looks at: target and the beginning of the body.
    pub searched: String,
    /// Compressed JSON: headers, and the body where it is kept.
    pub request: Vec<u8>,
    pub response: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

crate::infrastructure::database::text_column!(Outcome);

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
