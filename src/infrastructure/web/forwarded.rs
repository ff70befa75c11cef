//! Who calls, and by which name, behind reverse proxies: their headers count only when they come from a trusted one.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::web::Data;

use crate::infrastructure::http_client::Network;

/// Addresses of the proxies in front of this server (`server.trusted_proxies`).
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<Network>);

impl TrustedProxies {
    fn trust(&self, address: &IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trust(&peer) {
            return peer;
        }
        let lines: Vec<&str> = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
        let hops = lines.iter().flat_map(|line| line.split(',')).filter_map(|hop| hop.trim().parse().ok());
        let hops: Vec<IpAddr> = hops.collect();
        hops.into_iter().rev().find(|address| !self.trust(address)).unwrap_or(peer)
    }
}

/// The caller's address: the peer, or the last address that the proxies did not add themselves.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let address = match request.app_data::<Data<TrustedProxies>>() {
        Some(proxies) => proxies.client_address(peer, request.headers()),
        None => peer,
    };
    Some(address)
}

/// Whether the connection comes from a trusted proxy: only then do headers that proxies write count.
pub fn is_proxied(request: &HttpRequest) -> bool {
    let proxies = request.app_data::<Data<TrustedProxies>>();
    request.peer_addr().zip(proxies).is_some_and(|(peer, proxies)| proxies.trust(&peer.ip()))
}

/// The host name the caller used: `Host`, or `X-Forwarded-Host` from a trusted proxy.
pub fn client_host(request: &HttpRequest) -> Option<&str> {
    let headers = request.headers();
    let forwarded = headers.get("x-forwarded-host").filter(|_| is_proxied(request));
    // HTTP/2 has the name in the URI.
    let named = forwarded.or_else(|| headers.get(HOST)).and_then(|value| value.to_str().ok());
    named.or_else(|| request.uri().host())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(peer: &str) -> TestRequest {
        let trusted = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        TestRequest::default().app_data(Data::new(trusted)).peer_addr(format!("{peer}:1").parse().unwrap())
    }

    #[test]
    fn forwarded_addresses_count_only_behind_a_trusted_proxy() {
        for (peer, forwarded, expected) in [
            ("9.9.9.9", "1.1.1.1, 2.2.2.2, 10.0.0.9", "9.9.9.9"),
            ("10.0.0.1", "1.1.1.1, 2.2.2.2, 10.0.0.9", "2.2.2.2"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
        ] {
            let request = request(peer).insert_header(("x-forwarded-for", forwarded)).to_http_request();
            assert_eq!(client_address(&request), Some(expected.parse().unwrap()), "{peer} {forwarded}");
        }
        assert_eq!(client_address(&request("10.0.0.1").to_http_request()), Some("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn forwarded_hosts_count_only_behind_a_trusted_proxy() {
        for (peer, expected) in [("9.9.9.9", "direct.example"), ("10.0.0.1", "public.example")] {
            let request = request(peer)
                .insert_header(("host", "direct.example"))
                .insert_header(("x-forwarded-host", "public.example"))
                .to_http_request();
            assert_eq!(client_host(&request), Some(expected), "{peer}");
        }
    }
}
