//! A login, kept alive by its refresh tokens.

use sea_orm::entity::prelude::*;

use crate::common::{SessionId, TenantId, Timestamp, UserId};
use crate::domains::auth::model::Method;
use crate::infrastructure::database::{Scoped, text_column};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub tenant_id: TenantId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// Moves on with each refresh.
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub method: Method,
    /// Where the person signed in from.
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub refreshed_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

text_column!(Method);

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
