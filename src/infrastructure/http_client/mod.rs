//! The one door out.

/// A block of addresses in CIDR notation, such as `10.0.0.0/8`.
pub type Network = ipnet::IpNet;
