//! The domain's tables as sea-orm entities. No rules.
#![expect(unreachable_pub, reason = "the derives of sea-orm ask for `pub`; nothing outside the domain sees these")]

pub(super) mod answer;
pub(super) mod binary;
pub(super) mod execution;
pub(super) mod incident;
pub(super) mod job;
pub(super) mod journal;
pub(super) mod label;
pub(super) mod memory;
pub(super) mod part;
pub(super) mod payload;
pub(super) mod worker;
