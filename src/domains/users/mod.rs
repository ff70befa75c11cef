//! People, and their membership in tenants with a role each.
//!
//! Owns `users` and `memberships`. Invariants: an e-mail address is one person; a tenant always keeps an owner; nobody
//! grants a role that holds more than their own.

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

pub use dto::UserResponse;
pub use error::Error;
pub use model::{Email, Membership, Role, User};
pub use service::{NewUser, Service};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_users).service(handlers::update_user).service(handlers::delete_user);
}
