//! Tenants as the rules see them.

use std::fmt;

use super::plan::{Limits, Settings, Status};
use crate::common::{TenantId, Timestamp};

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: Slug,
    pub name: String,
    /// Host names whose `/webhook/…` is this tenant's, sorted.
    pub hosts: Vec<String>,
    pub settings: Settings,
    pub plan: Option<String>,
    /// None: as the server is configured.
    pub limits: Option<Limits>,
    pub status: Status,
    pub status_reason: Option<String>,
    pub delete_after: Option<Timestamp>,
    /// Its owner cannot take the deletion back.
    pub deleted_by_platform: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The tenant's name in addresses (`/t/{slug}/webhook/…`): 2–40 of `a–z 0–9 -`, not beginning or ending with a hyphen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    pub const MAX_LENGTH: usize = 40;

    pub fn parse(text: &str) -> Option<Slug> {
        let well_formed = (2..=Slug::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        well_formed.then(|| Slug(text.to_owned()))
    }

    /// A slug made of a name: `Acme, Inc.` → `acme-inc`. Names without usable letters give `tenant`.
    pub fn from_name(name: &str) -> Slug {
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        slug.truncate(Slug::MAX_LENGTH - 7);
        Slug::parse(slug.trim_end_matches('-')).unwrap_or_else(|| Slug("tenant".to_owned()))
    }

    /// The same with a suffix, for when the plain one is taken.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Slug {
        let room = Slug::MAX_LENGTH.saturating_sub(suffix.len() + 1);
        let kept: String = self.0.chars().take(room).collect();
        Slug(format!("{}-{suffix}", kept.trim_end_matches('-')))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A slug that was checked when it was stored.
    pub(super) fn from_stored(text: String) -> Slug {
        Slug(text)
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A host name as compared: lower case, without port; None where it is not one (RFC 1123).
pub(super) fn normalize_host(text: &str) -> Option<String> {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host).trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (host.len() <= 253 && host.split('.').all(is_label)).then_some(host)
}
