//! What tests stand on: a server, its tenants' personas, and requests that say what they expect.

mod client;
mod database;
mod outbox;
mod process;
mod receiver;
mod server;
mod tenant;
mod vendors;

pub(crate) use client::{Client, Reply};
pub(crate) use database::TestDatabase;
pub(crate) use process::Process;
pub(crate) use receiver::Receiver;
pub(crate) use server::TestServer;
pub(crate) use tenant::{PASSWORD, TestTenant, add, administrator, email, sign_in};
pub(crate) use vendors::{Received, Vendors};
