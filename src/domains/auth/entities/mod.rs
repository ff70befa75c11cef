//! The domain's tables as sea-orm entities. No rules.
#![expect(unreachable_pub, reason = "the derives of sea-orm ask for `pub`; nothing outside the domain sees these")]

pub(super) mod api_key;
pub(super) mod identity;
pub(super) mod identity_provider;
pub(super) mod one_time_token;
pub(super) mod recovery_code;
pub(super) mod refresh_token;
pub(super) mod second_factor;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod sso_login;
