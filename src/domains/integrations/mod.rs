//! Integrations: servers of others that a tenant already has. For now n8n: its workflows are taken over, triggered, and followed.
//!
//! Owns no table: the address and key of an n8n are a credential (`n8nApi`). Invariants: a key goes to the API of its n8n and
//! nowhere else; every request goes out under the tenant's egress policy; what the other server answers is believed only as far
//! as it has the shape, the size and the end that it should have.

mod dto;
mod error;
mod following;
mod handlers;
mod remote;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use error::Error;
pub use service::Service;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_n8n_workflows)
        .service(handlers::import_n8n_workflows)
        .service(handlers::trigger_n8n_workflow)
        .service(handlers::list_n8n_executions)
        .service(handlers::get_n8n_execution);
}
