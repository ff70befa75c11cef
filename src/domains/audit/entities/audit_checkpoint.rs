//! A signed statement that the log had this MAC at this row.

use sea_orm::entity::prelude::*;

use crate::common::{AuditCheckpointId, TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_checkpoints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditCheckpointId,
    pub tenant_id: TenantId,
    pub sequence: i64,
    /// The row's MAC, which stands for the whole chain up to it.
    pub mac: Vec<u8>,
    pub created_at: Timestamp,
    /// Names the key that signed.
    pub key_id: String,
    /// Ed25519.
    pub signature: Vec<u8>,
    /// When the rows up to this one were deleted, if they were.
    pub pruned_at: Option<Timestamp>,
    /// Ed25519 over that deletion: without it the rows are missing.
    pub pruning_signature: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
