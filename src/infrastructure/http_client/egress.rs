//! Which addresses may be reached: the public internet, and what was allowed by name; or of these only some destinations.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses in CIDR notation, such as `10.0.0.0/8`.
pub type Network = ipnet::IpNet;

/// Denies private, loopback, link-local and reserved addresses, unless a block that holds them is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct EgressPolicy {
    allowed: Vec<Network>,
    everything: bool,
    /// Empty: wherever the rest allows.
    only: Vec<Destination>,
}

/// Where requests may go: `api.example.com`, `*.example.com` (every name below it), or a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    Name(String),
    Below(String),
    Network(Network),
}

/// The text names no destination.
#[derive(Debug, thiserror::Error)]
#[error("no host name, no *.name and no block of addresses")]
pub struct NoDestination;

impl std::str::FromStr for Destination {
    type Err = NoDestination;

    fn from_str(text: &str) -> Result<Destination, NoDestination> {
        if let Ok(network) = text.parse::<Network>().or_else(|_| text.parse::<IpAddr>().map(Network::from)) {
            return Ok(Destination::Network(network));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(NoDestination);
        }
        let name = name.to_ascii_lowercase();
        Ok(if below { Destination::Below(name) } else { Destination::Name(name) })
    }
}

impl EgressPolicy {
    /// The public internet and these blocks.
    pub fn allowing(mut networks: Vec<Network>) -> EgressPolicy {
        networks.sort_unstable();
        networks.dedup();
        EgressPolicy { allowed: networks, everything: false, only: Vec::new() }
    }

    /// For the command line, where the user's own machine is theirs to reach.
    pub fn unrestricted() -> EgressPolicy {
        EgressPolicy { allowed: Vec::new(), everything: true, only: Vec::new() }
    }

    /// Of what is allowed, only these destinations; none given: all.
    pub fn only(&mut self, mut destinations: Vec<Destination>) {
        destinations.sort_unstable_by_key(|destination| format!("{destination:?}"));
        destinations.dedup();
        self.only = destinations;
    }

    /// Whether a host of this name may be asked for at all; its address is looked at later.
    pub fn permits_name(&self, name: &str) -> bool {
        self.only.is_empty()
            || self.names(name)
            || self.only.iter().any(|destination| matches!(destination, Destination::Network(_)))
    }

    /// Whether this address may be reached, for a host of this name where there is one.
    pub fn permits_host(&self, name: Option<&str>, address: IpAddr) -> bool {
        let address = unmapped(address);
        let within = |destination: &Destination| matches!(destination, Destination::Network(network) if network.contains(&address));
        let is_listed =
            self.only.is_empty() || name.is_some_and(|name| self.names(name)) || self.only.iter().any(within);
        is_listed && self.permits(address)
    }

    fn names(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.only.iter().any(|destination| match destination {
            Destination::Name(listed) => *listed == name,
            Destination::Below(parent) => {
                name.strip_suffix(parent.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Destination::Network(_) => false,
        })
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
