//! An invitation to connect an account on a hosted page.

use sea_orm::entity::prelude::*;

use super::super::model::SessionStatus;
use crate::common::{ConnectSessionId, CredentialId, TenantId, Timestamp, UserId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connect_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConnectSessionId,
    pub tenant_id: TenantId,
    /// SHA-256 of the token in the page's address; unique.
    pub token_hash: Vec<u8>,
    /// Name of the credential type.
    pub kind: String,
    /// Name of the credential to be made.
    pub name: String,
    /// Whom the inviting side means, in its own words.
    pub end_user: Option<String>,
    pub allowed_hosts: Option<String>,
    pub key_version: i32,
    /// Fields that the inviting side gives, such as its client's id and secret, sealed.
    pub sealed: Vec<u8>,
    pub status: SessionStatus,
    /// Why it failed: a code.
    pub problem: Option<String>,
    pub credential_id: Option<CredentialId>,
    pub created_at: Timestamp,
    pub created_by: Option<UserId>,
    pub expires_at: Timestamp,
    /// When somebody left for the authorisation server.
    pub started_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
