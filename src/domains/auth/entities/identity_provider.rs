//! A tenant's OpenID provider.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity_providers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    pub issuer: String,
    pub client_id: String,
    /// Sealed and bound to the tenant.
    pub client_secret: Option<Vec<u8>>,
    /// Separated by spaces.
    pub scopes: String,
    /// Separated by spaces; empty is every domain.
    pub email_domains: String,
    pub create_members: bool,
    pub default_role: String,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
