//! Signing in: passwords, second factors, access tokens, refresh tokens, API keys; and who a request comes from.
//!
//! Owns `sessions`, `refresh_tokens`, `api_keys`, `signing_keys`, `one_time_tokens`, `second_factors`,
//! `recovery_codes`, `identity_providers`, `identities` and `sso_logins`.
//! Invariants: tokens, codes and keys are stored as hashes, what must be read again is sealed; a refresh token works once, and
//! using it again ends the login it belongs to; a key never holds more than its maker; an unknown user and a known one get the
//! same answer in the same time.

mod access_token;
mod api_keys;
mod authenticate;
mod dto;
mod entities;
mod error;
mod handlers;
mod limits;
mod mails;
mod model;
mod passwords;
mod repository;
mod second_factor;
mod service;
mod sessions;
mod signing_keys;
mod sso;
mod switching;
#[cfg(test)]
mod tests;
mod throttle;
mod verification;

use utoipa_actix_web::service_config::ServiceConfig;

pub use authenticate::RequestAuthenticator;
pub use dto::{CreateApiKey, CreatedApiKeyResponse, MeResponse, Register, SessionResponse};
pub use error::Error;
pub use handlers::pages::configure as configure_pages;
pub use model::Method;
pub use service::{Dependencies, Service, SignedUp, Trust};

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::register)
        .service(handlers::login)
        .service(handlers::refresh)
        .service(handlers::logout)
        .service(handlers::get_me)
        .service(handlers::account::change_password)
        .service(handlers::account::forgot_password)
        .service(handlers::account::reset_password)
        .service(handlers::account::send_verification)
        .service(handlers::account::verify_email)
        .service(handlers::second_factor::enrol_second_factor)
        .service(handlers::second_factor::confirm_second_factor)
        .service(handlers::second_factor::disable_second_factor)
        .service(handlers::second_factor::create_recovery_codes)
        .service(handlers::sessions::list_sessions)
        .service(handlers::sessions::delete_session)
        .service(handlers::sessions::logout_everywhere)
        .service(handlers::sso::get_identity_provider)
        .service(handlers::sso::put_identity_provider)
        .service(handlers::sso::delete_identity_provider)
        .service(handlers::sso::start_sso)
        .service(handlers::sso::finish_sso)
        .service(handlers::tenants::list_my_tenants)
        .service(handlers::tenants::switch_tenant)
        .service(handlers::api_keys::create_api_key)
        .service(handlers::api_keys::list_api_keys)
        .service(handlers::api_keys::delete_api_key);
}

/// Routes at the root.
pub fn configure_root(config: &mut ServiceConfig) {
    config.service(handlers::sessions::get_jwks);
}
