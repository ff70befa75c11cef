//! Resolves names and lets only permitted addresses through; what is connected to is the address that was checked.

use std::net::{IpAddr, SocketAddr};

use super::{CONNECT_TIMEOUT, Failure, Reach};

pub(super) async fn resolve(reach: &Reach, host: &str, port: u16) -> Result<SocketAddr, Failure> {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    if let Some(allowed) = reach.hosts.iter().find(|allowed| !allowed.permit_host(host)) {
        return Err(Failure::new(format!("The credential may not be used with {host}, only with {allowed}")));
    }
    let name = host.parse::<IpAddr>().is_err().then_some(host);
    if name.is_some_and(|name| !reach.policy.permits_name(name)) {
        return Err(Failure::new(format!("The host \"{host}\" is not on the tenant's list")));
    }
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let found = tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::lookup_host((host, port))).await;
            found.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default()
        }
    };
    if found.is_empty() {
        return Err(Failure::new(format!("The host \"{host}\" has no address")).describe("ENOTFOUND"));
    }
    let permitted = found.into_iter().find(|address| reach.policy.permits_host(name, address.ip()));
    permitted.ok_or_else(|| {
        Failure::new(format!("The host \"{host}\" leads to an address that is not allowed"))
            .describe("Workflows reach the public internet, and private networks that the operator allows")
    })
}
