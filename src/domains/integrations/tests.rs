//! Addresses as people write them.

use super::remote::root_of;

#[test]
fn the_address_is_taken_with_or_without_the_path_of_the_api() {
    for (given, root) in [
        ("https://n8n.example", "https://n8n.example/"),
        ("https://n8n.example/", "https://n8n.example/"),
        (" https://n8n.example/api/v1/ ", "https://n8n.example/"),
        ("http://10.0.0.1:5678/api/v1", "http://10.0.0.1:5678/"),
        ("https://example.com/n8n/api/v1?x=1#y", "https://example.com/n8n"),
    ] {
        assert_eq!(root_of(given).unwrap().as_str(), root, "{given}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for bad in ["", "n8n.example", "ftp://n8n.example", "https://", "https://user:secret@n8n.example", "file:///etc"] {
        assert!(root_of(bad).is_none(), "{bad}");
    }
}
