//! A sign-in that is at the identity provider: deleted when it comes back.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sso_logins")]
pub struct Model {
    /// SHA-256 of the `state` parameter.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state: Vec<u8>,
    pub tenant_id: TenantId,
    /// SHA-256 of the cookie that the browser was given.
    pub browser: Vec<u8>,
    /// The PKCE verifier, sealed and bound to the state.
    pub verifier: Vec<u8>,
    pub nonce: String,
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
