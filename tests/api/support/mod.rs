//! What tests stand on: a server, its tenants' personas, and requests that say what they expect.

mod browser;
mod bucket;
mod client;
mod database;
mod log;
mod oidc_provider;
mod outbox;
mod postbox;
mod process;
mod receiver;
mod server;
mod server_process;
mod stream;
mod tenant;
mod vendor;
mod vendors;
mod way;

pub(crate) use browser::Browser;
pub(crate) use bucket::{Bucket, Mood};
pub(crate) use client::{Client, Reply};
pub(crate) use database::TestDatabase;
pub(crate) use log::Log;
pub(crate) use oidc_provider::OidcProvider;
pub(crate) use postbox::Postbox;
pub(crate) use process::Process;
pub(crate) use receiver::Receiver;

pub(crate) use server::TestServer;
pub(crate) use server_process::ServerProcess;
pub(crate) use stream::Stream;
pub(crate) use tenant::{PASSWORD, TestTenant, add, administrator, email, sign_in};
pub(crate) use vendor::{Asked, Vendor};
pub(crate) use vendors::{Received, Vendors};
pub(crate) use way::Way;
