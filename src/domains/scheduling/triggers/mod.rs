//! Triggers that listen: Redis lists and channels, mailboxes, and the ends of other workflows' runs.
//!
//! Any number of processes may listen for triggers; a lease makes one of them the holder of each. What it has heard, how
//! far it has got and the executions that follow are written in one transaction, which a holder that is none any more
//! cannot commit. So what is heard begins an execution once.

mod activations;
mod finished;
mod holding;
mod listening;
mod mailbox;
mod message;
mod service;
mod source;

pub use activations::TriggerActivations;
pub use service::{Dependencies, Triggers};

use crate::common::names::names;

names! {
    /// What a trigger listens to.
    Kind {
        /// A list of a Redis server.
        RedisQueue = "redisQueue",
        /// Channels of a Redis server.
        RedisChannel = "redisChannel",
        /// A mailbox of an IMAP server.
        Mailbox = "mailbox",
        /// The ends of executions.
        Finished = "workflowFinished",
    }
}
