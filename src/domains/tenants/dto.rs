//! What the API takes and shows of tenants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::model::Tenant;
use crate::common::validate::visible_text;
use crate::common::{TenantId, Timestamp};

/// A customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "slug": "acme", "name": "Acme, Inc.",
    "hosts": ["hooks.acme.example"], "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct TenantResponse {
    pub id: TenantId,
    /// Part of the tenant's webhook addresses: `/t/{slug}/webhook/…`.
    pub slug: String,
    pub name: String,
    /// Host names whose `/webhook/…` is this tenant's.
    pub hosts: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Changes to a tenant; what is left out stays.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme, Inc.", "hosts": ["hooks.acme.example"] }))]
pub struct UpdateTenant {
    #[validate(length(min = 1, max = 120), custom(function = visible_text))]
    pub name: Option<String>,
    /// Replaces the list of host names.
    #[validate(length(max = 20))]
    pub hosts: Option<Vec<String>>,
}

impl From<Tenant> for TenantResponse {
    fn from(tenant: Tenant) -> TenantResponse {
        TenantResponse {
            id: tenant.id,
            slug: tenant.slug.to_string(),
            name: tenant.name,
            hosts: tenant.hosts,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}
