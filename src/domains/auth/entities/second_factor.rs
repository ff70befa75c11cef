//! A person's authenticator app. Counts once it is confirmed.

use sea_orm::entity::prelude::*;

use crate::common::{Timestamp, UserId};
use crate::infrastructure::database::Unscoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The shared secret, sealed and bound to the person.
    pub secret: Vec<u8>,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    /// The last time step whose code was accepted: a code works once (RFC 6238 §5.2).
    pub last_step: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unscoped for Entity {}
