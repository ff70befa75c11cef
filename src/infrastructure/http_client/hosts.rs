//! The hosts a credential is for: exact names, or every name below one (`*.example.com`).

use std::fmt;
use std::sync::Arc;

use url::{Host, Url};

/// A list of host names; an empty one allows no host at all. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts(Arc<[String]>);

/// The text is no host name, address or `*.name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name, an address, or *.NAME for the names below it; without scheme, port and path")]
pub struct InvalidHost;

impl AllowedHosts {
    /// Names as people write them, such as `api.example.com` or `*.example.com`; international names in either form.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<AllowedHosts, InvalidHost> {
        names.into_iter().map(normal).collect::<Result<Vec<_>, _>>().map(|names| AllowedHosts(names.into()))
    }

    /// Allows no host.
    pub fn none() -> AllowedHosts {
        AllowedHosts(Arc::default())
    }

    /// May a request go to this address?
    #[must_use]
    pub fn permit(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| self.lists(host))
    }

    /// May a connection go to this host, as people write it?
    #[must_use]
    pub fn permit_host(&self, host: &str) -> bool {
        normal(host).is_ok_and(|host| self.lists(&host))
    }

    fn lists(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => host == allowed,
        })
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// As `Url` writes hosts: lower case, punycode, addresses in their short form.
fn normal(name: &str) -> Result<String, InvalidHost> {
    let name = name.trim();
    let (wild, name) = name.strip_prefix("*.").map_or(("", name), |rest| ("*.", rest));
    let host = Host::parse(name).map_err(|_| InvalidHost)?;
    match &host {
        Host::Domain(domain) if domain.contains('*') || domain.is_empty() => Err(InvalidHost),
        Host::Ipv4(_) | Host::Ipv6(_) if !wild.is_empty() => Err(InvalidHost),
        _ => Ok(format!("{wild}{}", host.to_string().trim_end_matches('.'))),
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { formatter.write_str("no host") } else { formatter.write_str(&self.0.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_exactly_or_below() {
        let allowed =
            AllowedHosts::parse(["api.Example.com", "*.internal.example", "127.0.0.1", "bücher.example"]).unwrap();
        for (url, permitted) in [
            ("https://api.example.com/x", true),
            ("https://API.EXAMPLE.COM:8443/x", true),
            ("https://api.example.com./x", true),
            ("https://example.com/", false),
            ("https://evil-api.example.com/", false),
            ("https://api.example.com.evil.test/", false),
            ("https://api.example.com@evil.test/", false),
            ("https://a.internal.example/", true),
            ("https://a.b.internal.example/", true),
            ("https://internal.example/", false),
            ("https://evilinternal.example/", false),
            ("http://127.0.0.1:9/", true),
            ("http://2130706433/", true),
            ("http://127.0.0.2/", false),
            ("https://xn--bcher-kva.example/", true),
        ] {
            assert_eq!(allowed.permit(&Url::parse(url).unwrap()), permitted, "{url}");
        }
        let nothing = AllowedHosts::parse([]).unwrap();
        assert!(!nothing.permit(&Url::parse("https://example.com").unwrap()));
        assert_eq!(nothing.to_string(), "no host");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for name in
            ["", "*", "*.", "https://example.com", "example.com/x", "example.com:80", "a b", "*.127.0.0.1", "a.*.com"]
        {
            assert_eq!(AllowedHosts::parse([name]), Err(InvalidHost), "{name:?}");
        }
    }
}
