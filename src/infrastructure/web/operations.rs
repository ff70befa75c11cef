//! What operators ask: is it alive, can it serve, what does it measure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use super::NotFound;
use super::problem::ROUTE_NOT_FOUND;
use crate::common::Problem;
use crate::infrastructure::telemetry::Metrics;

/// A dependency that takes longer than this counts as away.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Something the server needs in order to serve.
#[async_trait]
pub trait Probe: Send + Sync {
    fn name(&self) -> &'static str;

    /// An error's text is shown to whoever may reach the health endpoint: no addresses, no secrets.
    async fn check(&self) -> Result<(), String>;
}

/// Everything the server needs.
#[derive(Clone, Default)]
pub struct Probes(pub Vec<Arc<dyn Probe>>);

/// Whether the process, or what it needs, is well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok", "checks": { "database": { "status": "ok" } } }))]
pub(super) struct HealthResponse {
    /// `ok` or `unavailable`.
    status: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<&'static str, CheckResponse>,
}

/// One dependency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok" }))]
pub(super) struct CheckResponse {
    /// `ok` or `unavailable`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Is the process alive
///
/// Answers as long as the process can answer at all; looks at nothing else.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "Alive.", body = HealthResponse))
)]
#[get("/health/live")]
pub(crate) async fn get_liveness() -> HttpResponse {
    HttpResponse::Ok().json(HealthResponse { status: "ok", checks: BTreeMap::new() })
}

/// Can the process serve
///
/// Asks every configured dependency (database, cache, queue) and names those that are away.
#[utoipa::path(
    tag = "operations",
    responses(
        (status = 200, description = "Every dependency answers.", body = HealthResponse),
        (status = 503, description = "A dependency is away; `checks` says which.", body = HealthResponse)
    )
)]
#[get("/health/ready")]
pub(crate) async fn get_readiness(probes: web::Data<Probes>) -> HttpResponse {
    let checks = futures_util::future::join_all(probes.0.iter().map(|probe| async move {
        let result = tokio::time::timeout(PROBE_TIMEOUT, probe.check()).await;
        let error = result.unwrap_or_else(|_| Err("no answer in time".to_owned())).err();
        let status = if error.is_none() { "ok" } else { "unavailable" };
        (probe.name(), CheckResponse { status, error })
    }));
    let checks: BTreeMap<_, _> = checks.await.into_iter().collect();
    if checks.values().all(|check| check.error.is_none()) {
        HttpResponse::Ok().json(HealthResponse { status: "ok", checks })
    } else {
        HttpResponse::ServiceUnavailable().json(HealthResponse { status: "unavailable", checks })
    }
}

/// Read the metrics
///
/// Counters and histograms in Prometheus's text format. Not found where the configuration switches them off.
#[utoipa::path(
    tag = "operations",
    responses(
        (
            status = 200, description = "All metrics.", body = String, content_type = "text/plain",
            example = "millrace_http_request_seconds_count{method=\"GET\",route=\"/api/v1/workflows\",status=\"200\"} 42"
        ),
        NotFound
    )
)]
#[get("/metrics")]
pub(crate) async fn get_metrics(metrics: Option<web::Data<Metrics>>) -> HttpResponse {
    // Absent where the configuration switches metrics off.
    let Some(metrics) = metrics else { return HttpResponse::from_error(Problem::of(ROUTE_NOT_FOUND)) };
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
