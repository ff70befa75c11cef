//! Signing in: passwords, access tokens, refresh tokens, API keys; and who a request comes from.
//!
//! Owns `sessions`, `refresh_tokens` and `api_keys`. Invariants: tokens and keys are stored as hashes only; a refresh
//! token works once, and using it again ends the login it belongs to; a key never holds more than its maker; an unknown
//! user and a wrong password get the same answer in the same time.

mod access_token;
mod api_keys;
mod authenticate;
mod dto;
mod entities;
mod error;
mod handlers;
mod repository;
mod service;
mod sessions;
mod switching;
#[cfg(test)]
mod tests;
mod throttle;

use utoipa_actix_web::service_config::ServiceConfig;

pub use authenticate::RequestAuthenticator;
pub use dto::{CreateApiKey, CreatedApiKeyResponse, MeResponse, Register, SessionResponse};
pub use error::Error;
pub use service::{Dependencies, Service, SignedUp};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::register)
        .service(handlers::login)
        .service(handlers::refresh)
        .service(handlers::logout)
        .service(handlers::get_me)
        .service(handlers::tenants::list_my_tenants)
        .service(handlers::tenants::switch_tenant)
        .service(handlers::api_keys::create_api_key)
        .service(handlers::api_keys::list_api_keys)
        .service(handlers::api_keys::delete_api_key);
}
