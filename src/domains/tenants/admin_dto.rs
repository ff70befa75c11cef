//! What the platform's administrators see and say of tenants.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::plan::{Limits, Settings, Status};
use crate::common::legible::legible;
use crate::common::page::Limit;
use crate::common::validate::visible_text;
use crate::common::{Cursor, TenantId, Timestamp};

/// A tenant as the platform's administrators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "slug": "acme", "name": "Acme, Inc.", "status": "active",
    "statusReason": null, "deleteAfter": null, "plan": "standard", "limits": { "executionsPerMonth": 50000 },
    "settings": { "timezone": "Europe/Berlin" },
    "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct AdminTenantResponse {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub hosts: Vec<String>,
    pub status: Status,
    /// Why it is suspended.
    pub status_reason: Option<String>,
    /// When everything is deleted.
    pub delete_after: Option<Timestamp>,
    pub plan: String,
    pub limits: Limits,
    pub settings: Settings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A tenant to be made.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Initech" }))]
pub struct CreateTenant {
    #[validate(length(min = 1, max = 120), custom(function = legible))]
    pub name: String,
    /// Part of the tenant's webhook addresses; made of the name when left out.
    pub slug: Option<String>,
}

/// Another plan for a tenant.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "plan": "team", "limits": { "executionsPerMonth": 50000, "activeWorkflows": 20 } }))]
pub struct UpdatePlan {
    /// Its name, as the customer knows it.
    #[validate(length(min = 1, max = 60), custom(function = visible_text))]
    pub plan: String,
    /// Replaces all limits; what is left out is without limit.
    pub limits: Limits,
}

/// Host names whose `/webhook/…` is a tenant's.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "hosts": ["hooks.acme.example"] }))]
pub struct TenantHosts {
    /// Replaces the list.
    #[validate(length(max = 20))]
    pub hosts: Vec<String>,
}

/// Why a tenant is stopped.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "reason": "unpaid invoices" }))]
pub struct SuspendTenant {
    /// Shown to the tenant's members.
    #[validate(length(min = 1, max = 200), custom(function = visible_text))]
    pub reason: Option<String>,
}

/// Filters of the list of tenants.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTenantsQuery {
    /// Only tenants with this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}
