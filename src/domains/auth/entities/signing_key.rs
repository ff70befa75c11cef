//! A key that signs access tokens, sealed. Belongs to the installation, not to a tenant.

use sea_orm::entity::prelude::*;

use crate::common::Timestamp;
use crate::infrastructure::database::Unscoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// The `kid` of its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The Ed25519 seed, sealed and bound to the id.
    pub seed: Vec<u8>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unscoped for Entity {}
