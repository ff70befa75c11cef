//! Name resolution that gives only permitted addresses, so that the address checked is the address connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;

use super::egress::EgressPolicy;

/// Looks among the fixed names, then asks the system's resolver; filters by the policy.
pub(super) struct PolicyResolver {
    pub(super) policy: Arc<EgressPolicy>,
    pub(super) fixed: Arc<[FixedName]>,
}

/// A name whose address is set: `NAME=ADDRESS` or `NAME=ADDRESS:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FixedName {
    /// Lower case.
    name: String,
    /// Port 0: the port of the URL.
    address: SocketAddr,
}

impl TryFrom<String> for FixedName {
    type Error = String;

    fn try_from(text: String) -> Result<FixedName, String> {
        let parsed = text.split_once('=').and_then(|(name, address)| {
            let address = address.trim();
            let with_port = address.parse().ok();
            let address = with_port.or_else(|| Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, 0)))?;
            Some(FixedName { name: name.trim().to_ascii_lowercase(), address })
        });
        parsed.filter(|fixed| !fixed.name.is_empty()).ok_or_else(|| {
            format!(
                "\"{text}\" is not NAME=ADDRESS, such as \"api.internal=10.1.2.3\" or \"api.internal=10.1.2.3:8443\""
            )
        })
    }
}

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
        let (policy, fixed) = (Arc::clone(&self.policy), Arc::clone(&self.fixed));
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let mut addresses: Vec<SocketAddr> =
                fixed.iter().filter(|fixed| fixed.name == host).map(|fixed| fixed.address).collect();
            if addresses.is_empty() {
                let found = tokio::net::lookup_host((host.as_str(), 0)).await;
                addresses = found.map(Iterator::collect).unwrap_or_default();
            }
            if addresses.is_empty() {
                return Err(ResolveError::NotFound(host).into());
            }
            let permitted: Vec<SocketAddr> =
                addresses.into_iter().filter(|address| policy.permits_host(Some(&host), address.ip())).collect();
            if permitted.is_empty() {
                return Err(ResolveError::Denied(host).into());
            }
            let addresses: Addrs = Box::new(permitted.into_iter());
            Ok(addresses)
        })
    }
}
