//! Node types: what workflows can be made of. Owns no table: the built-in types are part of the binary.

mod dto;
mod error;
mod handlers;
mod service;

use utoipa_actix_web::service_config::ServiceConfig;

pub use dto::NodeTypeResponse;
pub use error::Error;
pub use service::Service;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_node_types).service(handlers::get_node_type);
}
