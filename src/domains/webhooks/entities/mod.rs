//! The domain's tables as sea-orm entities. No rules.
#![expect(unreachable_pub, reason = "the derives of sea-orm ask for `pub`; nothing outside the domain sees these")]

pub(super) mod attempt;
pub(super) mod delivery;
pub(super) mod endpoint;
pub(super) mod epoch;
pub(super) mod event;
pub(super) mod listener;
pub(super) mod logged;
pub(super) mod queued;
pub(super) mod receiver;
pub(super) mod route;
pub(super) mod subscription;
