//! A person's place in a tenant.

use sea_orm::entity::prelude::*;

use crate::common::{RoleId, TenantId, Timestamp, UserId};
use crate::domains::users::model::Role;
use crate::infrastructure::database::{Scoped, text_column};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub role: Role,
    /// Takes the place of `role`.
    pub role_id: Option<RoleId>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

text_column!(Role);

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
