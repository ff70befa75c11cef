//! One key that was used.
#![expect(unreachable_pub, reason = "the derives of sea-orm ask for `pub`; nothing outside sees this")]

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    pub fingerprint: Vec<u8>,
    pub created_at: Timestamp,
    /// None while the request is being worked on.
    pub status: Option<i16>,
    pub content_type: Option<String>,
    /// None with a status: answered, but the answer is not kept.
    pub body: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
