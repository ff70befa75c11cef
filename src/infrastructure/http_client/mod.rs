//! The one door out. Every request a workflow sends goes through here: each address it would reach, on every hop, is
//! checked against the egress policy and the hosts a credential is for; sizes and times are bounded.

mod client;
mod egress;
mod hosts;
mod redirect;
mod request;
mod resolver;
#[cfg(test)]
mod tests;
mod tls;

pub use client::{HttpClient, Way};
pub use egress::{Destination, EgressPolicy, Network};
pub use hosts::{AllowedHosts, InvalidHost};
pub use request::{Body, Error, ErrorKind, Identity, Part, Request, Response};
pub use resolver::FixedName;
pub use tls::TlsError;
