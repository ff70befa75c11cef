//! Parts that stand on other servers, tried against the embedded stand-in and, where one is given, the real server.

mod cache;
mod database;
mod mail;
mod queue;

pub(crate) use queue::backends;
