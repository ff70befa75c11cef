//! A credential: what may be shown of it in columns, the rest sealed.

use sea_orm::entity::prelude::*;

use super::super::model::Status;
use crate::common::{CredentialId, TenantId, Timestamp, UserId};
use crate::infrastructure::database::Scoped;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CredentialId,
    pub tenant_id: TenantId,
    /// The id under which it was exported elsewhere; unique within the tenant.
    pub alias: Option<String>,
    pub name: String,
    /// Name of its type.
    pub kind: String,
    /// Counts changes of what is sealed.
    pub revision: i32,
    /// Version of the tenant's data key that seals it.
    pub key_version: i32,
    /// Its fields as a JSON object, sealed.
    pub sealed: Vec<u8>,
    /// JSON list of the hosts it may be used with; none: any host.
    pub allowed_hosts: Option<String>,
    /// JSON list of the workflows that may use it; none: every workflow of the tenant.
    pub workflows: Option<String>,
    /// JSON list of the node types that may use it; none: every type that asks for it.
    pub node_types: Option<String>,
    pub status: Status,
    /// Why it does not work.
    pub problem: Option<String>,
    /// Scopes its access token has, separated by spaces.
    pub scopes: Option<String>,
    /// When its access token ends.
    pub expires_at: Option<Timestamp>,
    /// Somebody is renewing its access token, and is taken for dead after this.
    pub refreshing_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Option<UserId>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANT: Column = Column::TenantId;
}
