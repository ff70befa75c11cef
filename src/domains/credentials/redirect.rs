//! Where a credential's secrets go is not for those to change who cannot enter them: they would have them sent to themselves.
//! Pure.

use super::dto::list;
use super::model::{Fields, REDACTED, TOKENS};
use super::registry::{COMMON, CredentialType};
use crate::common::FieldError;
use crate::common::validate::pointer_token;
use crate::infrastructure::http_client::AllowedHosts;

/// Parts of the names of fields that say where requests and logins go.
const DESTINATIONS: [&str; 9] = ["url", "uri", "host", "server", "port", "domain", "endpoint", "region", "instance"];

/// A credential before or after a change.
#[derive(Clone, Copy)]
pub(super) struct State<'a> {
    pub fields: &'a Fields,
    /// The column.
    pub allowed_hosts: Option<&'a str>,
}

/// Name of what lets the secrets go elsewhere after the change; `None`: they go where they went.
pub(super) fn cause(kind: &CredentialType, before: State<'_>, after: State<'_>) -> Option<String> {
    let (old, new) = (before.fields.complete(kind), after.fields.complete(kind));
    let mut names = new.0.keys().chain(old.0.keys()).filter(|name| is_destination(name));
    let moved = names.find(|name| old.text(name) != new.text(name));
    moved.cloned().or_else(|| is_wider(before.allowed_hosts, after.allowed_hosts).then(|| "allowedHosts".to_owned()))
}

/// Every secret that was not entered with the change and would go elsewhere by it.
pub(super) fn to_enter_again(
    kind: &CredentialType,
    before: &Fields,
    after: &Fields,
    given: &Fields,
    cause: &str,
) -> Vec<FieldError> {
    let is_kept = |name: &&String| {
        let is_given = given.0.get(*name).is_some_and(|value| value.as_str() != Some(REDACTED));
        let is_set = !after.text(name).is_empty() && before.0.contains_key(*name);
        kind.is_secret(name) && is_set && !is_given && !(*name == TOKENS && gives_tokens(kind, after))
    };
    let message = format!("{cause} lets it go elsewhere than before: enter it again");
    let error =
        |name: &String| FieldError::new(format!("/data/{}", pointer_token(name)), "enter_again", message.clone());
    after.0.keys().filter(is_kept).map(error).collect()
}

/// Are the tokens got from somewhere, so that they can be got again?
fn gives_tokens(kind: &CredentialType, fields: &Fields) -> bool {
    kind.holds_access_token() || kind.asks_a_person(&fields.complete(kind))
}

/// Does a field of this name say where requests and logins go?
pub(super) fn is_destination(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // The common ones are read into the column of hosts.
    !COMMON.iter().any(|common| common.eq_ignore_ascii_case(&name))
        && DESTINATIONS.iter().any(|part| name.contains(part))
}

/// May it be used with a host it was not for?
fn is_wider(before: Option<&str>, after: Option<&str>) -> bool {
    let Some(before) = list::<String>(before) else { return false };
    let Some(after) = list::<String>(after) else { return true };
    let known = AllowedHosts::parse(before.iter().map(String::as_str)).unwrap_or_else(|_| AllowedHosts::none());
    let covers = |name: &String| known.names().contains(name) || !name.starts_with("*.") && known.permit_host(name);
    !after.iter().all(covers)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::registry::find;
    use super::*;

    fn fields(value: Value) -> Fields {
        Fields(value.as_object().unwrap().clone())
    }

    #[test]
    fn what_moves_the_secret_is_found() {
        for (kind, old, new, expected) in [
            ("githubApi", json!({ "accessToken": "t" }), json!({ "accessToken": "t", "user": "u" }), None),
            (
                "githubApi",
                json!({ "accessToken": "t" }),
                json!({ "accessToken": "t", "server": "https://api.github.com" }),
                None,
            ),
            (
                "githubApi",
                json!({ "accessToken": "t" }),
                json!({ "accessToken": "t", "server": "http://e" }),
                Some("server"),
            ),
            ("postgres", json!({ "port": 5432 }), json!({}), None),
            ("postgres", json!({ "sshHost": "a" }), json!({}), Some("sshHost")),
            ("oAuth2Api", json!({ "accessTokenUrl": "a" }), json!({ "accessTokenUrl": "b" }), Some("accessTokenUrl")),
            ("gmailOAuth2", json!({}), json!({ "accessTokenUrl": "b" }), None),
            ("httpBasicAuth", json!({}), json!({ "allowedDomains": "a" }), None),
        ] {
            let (before, after) = (fields(old.clone()), fields(new.clone()));
            let state = |fields| State { fields, allowed_hosts: None };
            let found = cause(find(kind).unwrap(), state(&before), state(&after));
            assert_eq!(found.as_deref(), expected, "{kind} {old} {new}");
        }
    }

    #[test]
    fn hosts_may_become_fewer() {
        for (before, after, wider) in [
            (None, None, false),
            (None, Some(r#"["a.example"]"#), false),
            (Some(r#"["a.example"]"#), None, true),
            (Some(r#"["a.example"]"#), Some("[]"), false),
            (Some(r#"["a.example"]"#), Some(r#"["b.example"]"#), true),
            (Some(r#"["a.example","b.example"]"#), Some(r#"["b.example"]"#), false),
            (Some(r#"["*.example"]"#), Some(r#"["a.example"]"#), false),
            (Some(r#"["*.example"]"#), Some(r#"["*.example"]"#), false),
            (Some(r#"["a.example"]"#), Some(r#"["*.a.example"]"#), true),
            (Some("[]"), Some(r#"["a.example"]"#), true),
        ] {
            assert_eq!(is_wider(before, after), wider, "{before:?} {after:?}");
        }
    }
}
