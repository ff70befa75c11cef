//! The one door out. Every request a workflow sends goes through here: each address it would reach, on every hop, is
//! checked against the egress policy; sizes and times are bounded.

mod client;
mod egress;
mod redirect;
mod request;
mod resolver;
#[cfg(test)]
mod tests;
mod tls;

pub use client::HttpClient;
pub use egress::{Destination, EgressPolicy, Network};
pub use request::{Body, Error, ErrorKind, Part, Request, Response};
pub use resolver::FixedName;
pub use tls::TlsError;
