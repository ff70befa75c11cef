//! What the crates below the server keep out of: sockets, files, the environment, and, in the engine, time and chance.
//! Domains keep out of time too.

use super::{Finding, paths::Named};

/// Crates that are tested by data alone.
const PURE: [&str; 5] = ["model", "expression", "engine", "nodes", "runner"];

/// Crates that replay: the same outcomes give the same run.
const REPLAYED: [&str; 2] = ["model", "engine"];

const OUTSIDE: [&[&str]; 9] = [
    &["std", "net"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "process"],
    &["tokio", "net"],
    &["tokio", "fs"],
    &["tokio", "process"],
    &["tokio", "signal"],
    &["std", "os"],
];

/// Types of `std::net` that name addresses without opening a socket.
const ADDRESSES: [&str; 6] = ["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "AddrParseError", "Ipv6MulticastScope"];

/// Ends of paths that read the wall clock.
const WALL_CLOCK: [&str; 4] = ["SystemTime", "Timestamp", "Zoned", "Utc"];

/// Checks the sources of a pure crate, without their tests.
pub(super) fn check(path: &str, uses: &[Named]) -> Vec<Finding> {
    if path.starts_with("src/domains/") {
        return uses.iter().filter(|named| !named.in_test).filter_map(|named| wall_clock(path, named)).collect();
    }
    let Some(krate) = PURE.into_iter().find(|krate| path.starts_with(&format!("crates/{krate}/src/"))) else {
        return Vec::new();
    };
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let code = uses.iter().filter(|named| !named.in_test);
    code.filter_map(|named| Some(Finding::new("pure", path, named.line, fault(krate, named)?))).collect()
}

fn fault(krate: &str, named: &Named) -> Option<String> {
    let name = named.segments.join("::");
    if OUTSIDE.iter().any(|outside| named.starts_with(outside)) && !named.segments.iter().any(|s| is_address(s)) {
        return Some(format!("`{krate}` reaches the outside through its host only, not through `{name}`"));
    }
    let (method, of) = match named.segments.as_slice() {
        [.., of, method] => (method.as_str(), of.as_str()),
        _ => return None,
    };
    if method == "now" && WALL_CLOCK.contains(&of) {
        return Some(format!("`{krate}` is told the time and does not read the clock with `{name}`"));
    }
    let replayed = REPLAYED.contains(&krate);
    if replayed && (method == "now" && of == "Instant" || matches!(method, "new_v4" | "now_v7") && of == "Uuid") {
        return Some(format!("`{krate}` has no clock and no randomness, so that runs can be replayed: no `{name}`"));
    }
    (replayed && named.starts_with(&["rand"])).then(|| format!("`{krate}` has no randomness of its own: no `{name}`"))
}

/// A read of the clock in a domain, whose tests move the clock by hand.
fn wall_clock(path: &str, named: &Named) -> Option<Finding> {
    let [.., of, method] = named.segments.as_slice() else { return None };
    (method == "now" && WALL_CLOCK.contains(&of.as_str())).then(|| {
        let message = format!("the clock is injected: ask `common::Clock`, not `{of}::now`");
        Finding::new("clock", path, named.line, message)
    })
}

fn is_address(segment: &str) -> bool {
    ADDRESSES.contains(&segment)
}
