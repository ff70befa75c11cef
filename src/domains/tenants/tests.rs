//! Slugs and host names.

use super::model::{Slug, normalize_host};

#[test]
fn slugs_are_checked_and_made() {
    for (text, accepted) in
        [("acme", true), ("a-1", true), ("a", false), ("-a", false), ("Acme", false), ("а-кме", false)]
    {
        assert_eq!(Slug::parse(text).is_some(), accepted, "{text}");
    }
    for (name, expected) in [("Acme, Inc.", "acme-inc"), ("  ", "tenant"), ("名前", "tenant"), ("A", "tenant")] {
        assert_eq!(Slug::from_name(name).as_str(), expected);
    }
    let long = Slug::from_name(&"x".repeat(500)).with_suffix("abcdef");
    assert!(Slug::parse(long.as_str()).is_some());
}

#[test]
fn hosts_compare_without_case_and_port() {
    for (text, expected) in [
        ("Hooks.Acme.example:8080", Some("hooks.acme.example")),
        ("acme.example.", Some("acme.example")),
        ("a b", None),
        ("-a.example", None),
        ("", None),
        ("x\r\nevil: 1", None),
    ] {
        assert_eq!(normalize_host(text).as_deref(), expected, "{text:?}");
    }
}
