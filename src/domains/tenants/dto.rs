//! What the API takes and shows of tenants.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::plan::{Limits, Settings, Status};
use super::usage::Usage;
use crate::common::legible::legible;
use crate::common::{TenantId, Timestamp};

/// A customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "slug": "acme", "name": "Acme, Inc.",
    "hosts": ["hooks.acme.example"], "settings": { "timezone": "Europe/Berlin" }, "plan": "standard",
    "limits": { "executionsPerMonth": 50000 }, "status": "active", "deleteAfter": null, "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct TenantResponse {
    pub id: TenantId,
    /// Part of the tenant's webhook addresses: `/t/{slug}/webhook/…`.
    pub slug: String,
    pub name: String,
    /// Host names whose `/webhook/…` is this tenant's.
    pub hosts: Vec<String>,
    pub settings: Settings,
    pub plan: String,
    pub limits: Limits,
    pub status: Status,
    /// When everything is deleted, where that was asked for.
    pub delete_after: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Changes to a tenant; what is left out stays.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme, Inc.", "hosts": ["hooks.acme.example"] }))]
pub struct UpdateTenant {
    #[validate(length(min = 1, max = 120), custom(function = legible))]
    pub name: Option<String>,
    /// Webhook addresses with the former slug lead nowhere from then on.
    #[validate(length(max = 64))]
    pub slug: Option<String>,
    /// Replaces the list of host names.
    #[validate(length(max = 20))]
    pub hosts: Option<Vec<String>>,
    /// Replaces all settings.
    #[validate(nested)]
    pub settings: Option<Settings>,
}

/// A tenant to be deleted.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "slug": "acme" }))]
pub struct DeleteTenant {
    /// The tenant's slug, to be sure.
    #[validate(length(max = 64))]
    pub slug: String,
}

/// Which days to show.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Days back from today, 1–366; 31 when left out.
    #[param(minimum = 1, maximum = 366, default = 31)]
    pub days: Option<u16>,
}

/// What a tenant used.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "month": { "executions": 1200, "failedExecutions": 4, "nodeRuns": 9600, "computeMs": 84000, "storageBytes": 73400320,
        "aiCostMicros": 125000 },
    "limits": { "executionsPerMonth": 50000 },
    "days": [{ "day": "2025-01-31", "executions": 1200, "failedExecutions": 4, "nodeRuns": 9600, "computeMs": 84000,
        "storageBytes": 73400320, "aiCostMicros": 125000 }]
}))]
pub struct UsageResponse {
    /// Since the first of the month (UTC); storage as it is now.
    pub month: Usage,
    pub limits: Limits,
    /// Newest first; days without any use are left out.
    pub days: Vec<DayUsage>,
}

/// What a tenant used in a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "day": "2025-01-31", "executions": 1200, "failedExecutions": 4, "nodeRuns": 9600, "computeMs": 84000,
    "storageBytes": 73400320, "aiCostMicros": 125000
}))]
pub struct DayUsage {
    /// UTC.
    pub day: String,
    #[serde(flatten)]
    pub usage: Usage,
}
