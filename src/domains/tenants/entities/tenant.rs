//! A customer.

use sea_orm::entity::prelude::*;

use crate::common::{TenantId, Timestamp};
use crate::domains::tenants::plan::Status;
use crate::infrastructure::database::{Scoped, text_column};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    /// JSON.
    pub settings: String,
    pub plan: Option<String>,
    /// JSON; None: as the server is configured.
    pub limits: Option<String>,
    pub status: Status,
    pub status_reason: Option<String>,
    /// When everything is deleted.
    pub delete_after: Option<Timestamp>,
    pub deleted_by_platform: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

text_column!(Status);

impl Scoped for Entity {
    const TENANT: Column = Column::Id;
}
