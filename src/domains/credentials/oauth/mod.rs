//! OAuth: connecting an account in a browser, and keeping its access token fresh. Tokens go from the authorisation
//! server into the sealed fields and from there to nodes; no answer shows them.

mod connecting;
mod first;
mod provider;
mod renewal;
mod service_account;

pub(super) use connecting::{CALLBACK_PATH, FLOW_LIFE, Returned, Started};
pub(super) use provider::Grant;
pub use provider::ProviderError;
pub(super) use renewal::access_token;
