//! The domain's tables as sea-orm entities. No rules.
#![expect(unreachable_pub, reason = "the derives of sea-orm ask for `pub`; nothing outside the domain sees these")]

pub(super) mod connect_session;
pub(super) mod credential;
pub(super) mod data_key;
pub(super) mod oauth_flow;
