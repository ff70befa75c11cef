//! Which addresses may be reached: the public internet, and what was allowed by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses in CIDR notation, such as `10.0.0.0/8`.
pub type Network = ipnet::IpNet;

/// Denies private, loopback, link-local and reserved addresses, unless a block that holds them is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct EgressPolicy {
    allowed: Vec<Network>,
    everything: bool,
}

impl EgressPolicy {
    /// The public internet and these blocks.
    pub fn allowing(mut networks: Vec<Network>) -> EgressPolicy {
        networks.sort_unstable();
        networks.dedup();
        EgressPolicy { allowed: networks, everything: false }
    }

    /// For the command line, where the user's own machine is theirs to reach.
    pub fn unrestricted() -> EgressPolicy {
        EgressPolicy { allowed: Vec::new(), everything: true }
    }

    pub fn permits(&self, address: IpAddr) -> bool {
        let address = unmapped(address);
        self.everything
            || self.allowed.iter().any(|network| network.contains(&address))
            || match address {
                IpAddr::V4(address) => is_public_v4(address),
                IpAddr::V6(address) => is_public_v6(address),
            }
    }
}

/// An IPv4 address written as IPv6 is that IPv4 address.
fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Globally reachable, by the IANA registry of special-purpose IPv4 addresses (RFC 6890).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(first == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || (first == 100 && (64..128).contains(&second)) // shared by carriers (RFC 6598)
        || (first == 192 && second == 0 && third == 0) // protocol assignments
        || (first == 192 && second == 88 && third == 99) // 6to4 relays
        || (first == 198 && (second == 18 || second == 19)) // benchmarks (RFC 2544)
        || first >= 240) // reserved, broadcast
}

/// Globally reachable unicast (2000::/3), without the blocks that lead elsewhere; translated addresses count as what they
/// translate to.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second) {
        // NAT64 (RFC 6052)
        (0x64, 0xff9b) if (third, fourth, fifth, sixth) == (0, 0, 0, 0) => is_public_v4(v4(seventh, eighth)),
        // 6to4 (RFC 3056)
        (0x2002, _) => is_public_v4(v4(second, third)),
        // Teredo, ORCHID and other protocol assignments; documentation
        (0x2001, 0..=0x1ff) | (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => false,
        _ => (0x2000..=0x3fff).contains(&first),
    }
}
