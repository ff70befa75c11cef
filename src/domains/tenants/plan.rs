//! What a plan allows, and how a tenant wants its workflows run. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::common::error::{Code, Kind};
use crate::infrastructure::config;
use crate::infrastructure::http_client::Destination;

/// Most a tenant may have or use; null: as much as it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(example = json!({
    "workflows": 100, "activeWorkflows": 20, "executionsPerMonth": 50000, "concurrentExecutions": 10,
    "storageBytes": 10737418240u64, "apiRequestsPerMinute": 600, "aiCostMicrosPerMonth": 20000000
}))]
pub struct Limits {
    pub workflows: Option<u64>,
    pub active_workflows: Option<u64>,
    /// Calendar months, UTC.
    pub executions_per_month: Option<u64>,
    /// At the same time, in all processes together.
    pub concurrent_executions: Option<u64>,
    /// Stored data of executions.
    pub storage_bytes: Option<u64>,
    pub api_requests_per_minute: Option<u64>,
    /// Millionths of a US dollar; calendar months, UTC.
    pub ai_cost_micros_per_month: Option<u64>,
    /// Pools of workers that may run its workflows. Without `default` among them, the first one runs what is pinned nowhere:
    /// so a tenant is pinned to a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 100))]
    pub worker_pools: Option<Vec<String>>,
}

impl Limits {
    /// What the configuration gives a tenant without a plan of its own.
    pub(super) fn configured(plan: &config::Plan) -> Limits {
        let limit = |number: u64| (number > 0).then_some(number);
        Limits {
            workflows: limit(plan.workflows),
            active_workflows: limit(plan.active_workflows),
            executions_per_month: limit(plan.executions_per_month),
            concurrent_executions: limit(plan.concurrent_executions),
            storage_bytes: limit(plan.storage_bytes),
            api_requests_per_minute: None,
            ai_cost_micros_per_month: limit(plan.ai_cost_micros_per_month),
            worker_pools: None,
        }
    }
}

/// What was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Workflows,
    ActiveWorkflows,
    Executions,
    Concurrency,
    Storage,
    AiCost,
}

impl Limit {
    pub(super) const fn code(self) -> Code {
        match self {
            Limit::Workflows => Code::new(Kind::PlanLimit, "plan_limit_workflows", "No more workflows"),
            Limit::ActiveWorkflows => {
                Code::new(Kind::PlanLimit, "plan_limit_active_workflows", "No more active workflows")
            }
            Limit::Executions => Code::new(Kind::PlanLimit, "plan_limit_executions", "No more executions this month"),
            Limit::Concurrency => {
                Code::new(Kind::TooManyRequests, "plan_limit_concurrency", "Too many executions at the same time")
            }
            Limit::Storage => Code::new(Kind::PlanLimit, "plan_limit_storage", "No more room"),
            Limit::AiCost => Code::new(Kind::PlanLimit, "plan_limit_ai_cost", "No more AI this month"),
        }
    }

    /// Says what is at its limit, and what to do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Limit::Workflows => "delete a workflow, or ask for a larger plan",
            Limit::ActiveWorkflows => "deactivate a workflow, or ask for a larger plan",
            Limit::Executions | Limit::AiCost => "wait for the next month, or ask for a larger plan",
            Limit::Concurrency => "try again when another execution has ended",
            Limit::Storage => "delete executions, or ask for a larger plan",
        }
    }
}

/// How the tenant's workflows run where they do not say themselves; null: as the server is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(example = json!({
    "timezone": "Europe/Berlin", "saveSuccess": true, "saveError": true, "saveManual": false,
    "executionTimeoutSeconds": 600, "egressAllow": ["api.example.com", "*.partner.example"],
    "executionRetentionDays": 90, "executionRetentionCount": 100000, "auditRetentionDays": 365
}))]
pub struct Settings {
    /// IANA name.
    #[validate(custom(function = known_timezone))]
    pub timezone: Option<String>,
    /// Whether executions that ended well are kept.
    pub save_success: Option<bool>,
    /// Whether executions that failed are kept.
    pub save_error: Option<bool>,
    /// Whether executions that were tried out by hand are kept.
    pub save_manual: Option<bool>,
    /// Longest time of an execution; at most what the server allows.
    #[validate(range(min = 1, max = 604_800))]
    pub execution_timeout_seconds: Option<u64>,
    /// Hosts that workflows may send requests to: names, `*.` and a name, or blocks of addresses. Empty: the whole public
    /// internet. Private networks stay closed either way.
    #[validate(length(max = 200), custom(function = known_destinations))]
    pub egress_allow: Vec<String>,
    /// Executions that ended so long ago are deleted.
    #[validate(range(min = 1, max = 3650))]
    pub execution_retention_days: Option<u32>,
    /// Of executions that ended so many are kept, the newest.
    #[validate(range(min = 1, max = 100_000_000))]
    pub execution_retention_count: Option<u64>,
    /// Audit rows so old are deleted; the log stays verifiable.
    #[validate(range(min = 30, max = 3650))]
    pub audit_retention_days: Option<u32>,
    /// The pool of workers that runs the tenant's workflows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 40))]
    pub worker_pool: Option<String>,
}

impl Settings {
    pub(super) fn destinations(&self) -> Vec<Destination> {
        self.egress_allow.iter().filter_map(|text| text.parse().ok()).collect()
    }
}

fn known_timezone(name: &str) -> Result<(), ValidationError> {
    match jiff::tz::TimeZone::get(name) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(ValidationError::new("timezone").with_message("must be an IANA time zone such as Europe/Berlin".into()))
        }
    }
}

fn known_destinations(list: &[String]) -> Result<(), ValidationError> {
    match list.iter().find(|text| text.parse::<Destination>().is_err()) {
        None => Ok(()),
        Some(text) => {
            let text: String = text.chars().filter(|letter| !letter.is_control()).take(80).collect();
            let message = format!("\"{text}\" is no host name, no *.name and no block of addresses");
            Err(ValidationError::new("destination").with_message(message.into()))
        }
    }
}

/// Whether a tenant works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TenantStatus)]
pub enum Status {
    #[default]
    Active,
    /// The platform's administrators have stopped it.
    Suspended,
    /// Will be deleted when its grace period is over; nothing runs meanwhile.
    Deleting,
}

impl Status {
    const ALL: [Status; 3] = [Status::Active, Status::Suspended, Status::Deleting];

    const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Deleting => "deleting",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no status.
#[derive(Debug, thiserror::Error)]
#[error("unknown status")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Status, UnknownStatus> {
        Status::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}
