//! A person. Belongs to no tenant by itself: membership says where they may act.

use sea_orm::entity::prelude::*;

use crate::common::{Timestamp, UserId};
use crate::infrastructure::database::Unscoped;

#[derive(Clone, PartialEq, Eq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    pub name: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub email_verified_at: Option<Timestamp>,
    pub email_pending: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unscoped for Entity {}
