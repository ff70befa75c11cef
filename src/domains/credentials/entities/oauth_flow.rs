//! A person on the way to an authorisation server and back.

use sea_orm::entity::prelude::*;

use crate::common::{ConnectSessionId, CredentialId, OAuthFlowId, TenantId, Timestamp, UserId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OAuthFlowId,
    pub tenant_id: TenantId,
    pub credential_id: CredentialId,
    /// Who began it; nobody of ours with a connect session.
    pub user_id: Option<UserId>,
    pub session_id: Option<ConnectSessionId>,
    /// SHA-256 of the state; unique.
    pub state_hash: Vec<u8>,
    /// SHA-256 of what the browser's cookie holds.
    pub browser_hash: Vec<u8>,
    pub key_version: i32,
    /// PKCE's verifier, sealed.
    pub sealed_verifier: Vec<u8>,
    pub redirect_uri: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// It leads back once.
    pub used_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
