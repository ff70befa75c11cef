//! Name resolution that gives only permitted addresses, so that the address checked is the address connected to.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::egress::EgressPolicy;

/// Resolves with the system's resolver and filters by the policy.
pub(super) struct PolicyResolver(pub(super) Arc<EgressPolicy>);

/// Found in the causes of reqwest's errors.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("the name {0} has no address")]
    NotFound(String),
    #[error("the name {0} leads to an address that is not allowed")]
    Denied(String),
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let addresses: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
            if addresses.is_empty() {
                return Err(ResolveError::NotFound(host).into());
            }
            let permitted: Vec<SocketAddr> =
                addresses.into_iter().filter(|address| policy.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(ResolveError::Denied(host).into());
            }
            let addresses: Addrs = Box::new(permitted.into_iter());
            Ok(addresses)
        })
    }
}
