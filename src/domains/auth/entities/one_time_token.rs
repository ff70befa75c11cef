//! A secret that was mailed to a person and works once: deleted when it is used.

use sea_orm::entity::prelude::*;

use crate::common::{Timestamp, UserId};
use crate::domains::auth::model::Purpose;
use crate::infrastructure::database::{Unscoped, text_column};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_tokens")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub purpose: Purpose,
    pub user_id: UserId,
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

text_column!(Purpose);

impl Unscoped for Entity {}
