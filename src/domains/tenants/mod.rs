//! Tenants: the customers everything else belongs to.
//!
//! Owns `tenants`, `tenant_hosts` and `tenant_usage`. Invariants: a tenant's slug never changes, as it is part of its webhook addresses;
//! a host name belongs to one tenant; what is suspended or being deleted runs nothing; what is deleted leaves no row.

mod admin_dto;
mod admin_handlers;
mod archive;
mod dto;
mod entities;
mod error;
mod handlers;
mod lifecycle;
mod meter;
mod model;
mod plan;
mod pools;
mod profile;
mod repository;
mod service;
#[cfg(test)]
mod tests;
mod usage;

use utoipa_actix_web::service_config::ServiceConfig;

pub use archive::{ArchiveFile, ArchivePage, ArchiveSource};
pub use dto::TenantResponse;
pub use error::Error;
pub use meter::{Admission, Taken};
pub use model::{Slug, Tenant};
pub use plan::{Limit, Limits, Settings, Status};
pub use pools::OpenPools;
pub use profile::Profile;
pub use service::{Gauge, Service};
pub use usage::Usage;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::get_current_tenant)
        .service(handlers::update_current_tenant)
        .service(handlers::delete_current_tenant)
        .service(handlers::restore_current_tenant)
        .service(handlers::get_current_usage)
        .service(handlers::export_current_tenant)
        .service(admin_handlers::admin_list_tenants)
        .service(admin_handlers::admin_create_tenant)
        .service(admin_handlers::admin_get_tenant)
        .service(admin_handlers::admin_update_tenant)
        .service(admin_handlers::admin_set_tenant_hosts)
        .service(admin_handlers::admin_suspend_tenant)
        .service(admin_handlers::admin_resume_tenant)
        .service(admin_handlers::admin_delete_tenant)
        .service(admin_handlers::admin_get_usage);
}
