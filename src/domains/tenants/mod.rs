//! Tenants: the customers everything else belongs to.
//!
//! Owns `tenants` and `tenant_hosts`. Invariants: a tenant's slug never changes, as it is part of its webhook addresses;
//! a host name belongs to one tenant.

mod dto;
mod entities;
mod error;
mod handlers;
mod model;
mod repository;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::TenantResponse;
pub use error::Error;
pub use model::{Slug, Tenant};
pub use service::Service;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_current_tenant).service(handlers::update_current_tenant);
}
