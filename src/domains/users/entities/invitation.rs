//! An invitation to become a member, good for one use.

use sea_orm::entity::prelude::*;

use crate::common::{InvitationId, RoleId, TenantId, Timestamp, UserId};
use crate::domains::users::model::Role;
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub tenant_id: TenantId,
    /// Lower case.
    pub email: String,
    pub role: Role,
    pub role_id: Option<RoleId>,
    /// SHA-256 of the token in the mail.
    pub token_hash: Vec<u8>,
    pub invited_by: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
