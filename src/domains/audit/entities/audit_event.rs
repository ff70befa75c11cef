//! One thing that was done.

use sea_orm::entity::prelude::*;

use crate::common::{ApiKeyId, AuditEventId, TenantId, Timestamp, UserId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEventId,
    pub tenant_id: TenantId,
    /// 1, 2, 3, … per tenant.
    pub sequence: i64,
    pub occurred_at: Timestamp,
    /// `user`, `apiKey` or `system`.
    pub actor_kind: String,
    pub user_id: Option<UserId>,
    pub api_key_id: Option<ApiKeyId>,
    /// `workflow.create`, `auth.login`, …
    pub action: String,
    pub resource_kind: String,
    pub resource_id: String,
    /// JSON, secrets redacted.
    pub before: Option<String>,
    /// JSON, secrets redacted.
    pub after: Option<String>,
    pub address: Option<String>,
    pub request_id: String,
    /// HMAC-SHA256 over the row and the MAC before it.
    pub mac: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
