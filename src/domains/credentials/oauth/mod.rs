//! OAuth 2.0: connecting an account in a browser, and keeping its access token fresh. Tokens go from the authorisation
//! server into the sealed fields and from there to nodes; no answer shows them.

mod connecting;
mod provider;
mod renewal;

pub(super) use connecting::{CALLBACK_PATH, FLOW_LIFE, Returned, Started};
pub use provider::ProviderError;
pub(super) use renewal::access_token;
