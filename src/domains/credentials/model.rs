//! The fields of a credential in memory, and what is shown of them. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use zeroize::Zeroize;

use super::redirect::is_destination;
use super::registry::CredentialType;
use crate::infrastructure::database::text_column;

/// Stands in answers for a secret that is set. Given back, it leaves the secret as it is. It is n8n's, so that clients
/// of n8n's API do the same.
pub(super) const REDACTED: &str = "__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6";

/// Where the tokens of an OAuth credential are, as in n8n.
pub(super) const TOKENS: &str = "oauthTokenData";

/// Whether a credential works, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CredentialStatus)]
pub enum Status {
    /// Nothing speaks against it.
    Ready,
    /// It holds no access token yet: the account has to be connected.
    NotConnected,
    /// Its access was withdrawn or ran out: the account has to be connected again.
    ReconnectNeeded,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Status::Ready => "ready",
            Status::NotConnected => "notConnected",
            Status::ReconnectNeeded => "reconnectNeeded",
        })
    }
}

/// The text names no status.
#[derive(Debug, thiserror::Error)]
#[error("unknown status")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Status, UnknownStatus> {
        [Status::Ready, Status::NotConnected, Status::ReconnectNeeded]
            .into_iter()
            .find(|status| status.to_string() == text)
            .ok_or(UnknownStatus)
    }
}

text_column!(Status);

/// How a connect session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// Nobody has accepted it yet.
    Pending,
    /// Somebody is on the way to the authorisation server and back.
    Started,
    Connected,
    Failed,
    /// Nobody accepted it in time.
    Expired,
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SessionStatus::Pending => "pending",
            SessionStatus::Started => "started",
            SessionStatus::Connected => "connected",
            SessionStatus::Failed => "failed",
            SessionStatus::Expired => "expired",
        })
    }
}

impl FromStr for SessionStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<SessionStatus, UnknownStatus> {
        use SessionStatus::{Connected, Expired, Failed, Pending, Started};
        let found =
            [Pending, Started, Connected, Failed, Expired].into_iter().find(|status| status.to_string() == text);
        found.ok_or(UnknownStatus)
    }
}

text_column!(SessionStatus);

/// The fields of a credential, secrets among them. Held in a `Secret`, which wipes them.
#[derive(Clone, Default)]
pub struct Fields(pub(super) Map<String, Value>);

/// Anything but an object is refused in words that do not quote it.
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(fields) => Ok(Fields(fields)),
            mut other => {
                wipe(&mut other);
                Err(serde::de::Error::custom("invalid type: expected an object of fields"))
            }
        }
    }
}

impl Zeroize for Fields {
    fn zeroize(&mut self) {
        for value in self.0.values_mut() {
            wipe(value);
        }
        self.0.clear();
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Fields {
    /// A field as text; empty where it is not set.
    pub(super) fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }

    /// What may be shown: secrets that are set give way to a mark.
    pub(super) fn shown(&self, kind: &CredentialType) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let is_set = !value.is_null() && value.as_str() != Some("");
            let value = if is_set && kind.is_secret(name) { Value::from(REDACTED) } else { value.clone() };
            (name.clone(), value)
        };
        self.0.iter().map(shown).collect()
    }

    /// Does a mark among them stand for a secret that is to stay?
    pub(super) fn keeps_something(&self) -> bool {
        self.0.values().any(|value| value.as_str() == Some(REDACTED))
    }

    /// These fields after a change: the mark keeps what was there, and so does a field that is left out if `partial`.
    /// Null takes a field away. Tokens stay unless they are given: nobody enters them.
    #[must_use]
    pub(super) fn changed(&self, changes: &Fields, partial: bool) -> Fields {
        let mut after = if partial { self.0.clone() } else { Map::new() };
        if let Some(tokens) = self.0.get(TOKENS) {
            after.insert(TOKENS.to_owned(), tokens.clone());
        }
        for (name, value) in &changes.0 {
            match value {
                Value::Null => drop(after.remove(name)),
                Value::String(text) if text == REDACTED => {
                    if let Some(before) = self.0.get(name) {
                        after.insert(name.clone(), before.clone());
                    }
                }
                value => drop(after.insert(name.clone(), value.clone())),
            }
        }
        Fields(after)
    }

    /// With what the type gives by itself: fixed values, and defaults where nothing was entered.
    #[must_use]
    pub(super) fn complete(&self, kind: &CredentialType) -> Fields {
        let mut complete = self.0.clone();
        for field in &kind.fields {
            let is_missing =
                complete.get(&field.name).is_none_or(|value| value.is_null() || value.as_str() == Some(""));
            if is_missing && !field.default.is_null() {
                complete.insert(field.name.clone(), field.default.clone());
            }
        }
        complete.extend(kind.fixed.clone());
        Fields(complete)
    }

    /// The texts that must not be seen outside: values of secret fields, and all texts within them. Types that were read off
    /// a rule do not tell their secrets from the rest, but where a service is and who one is there is in all its answers.
    pub(super) fn secrets(&self, kind: &CredentialType) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in &self.0 {
            if kind.is_secret(name) && !(kind.open && says_where_or_who(name)) {
                collect_texts(value, &mut found);
            }
        }
        found
    }
}

fn says_where_or_who(name: &str) -> bool {
    const OPENS: [&str; 6] = ["key", "token", "secret", "pass", "code", "auth"];
    const WHO: [&str; 7] = ["user", "email", "organization", "account", "workspace", "site", "name"];
    let lower = name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    (is_destination(name) || has(&WHO)) && !has(&OPENS)
}

fn collect_texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // An object may be kept as its text.
            if let Some(object @ Value::Object(_)) = serde_json::from_str(text).ok().as_ref() {
                collect_texts(object, found);
            }
            found.push(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect_texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domains::credentials::registry::find;

    fn fields(value: Value) -> Fields {
        Fields(value.as_object().unwrap().clone())
    }

    #[test]
    fn secrets_that_are_set_are_marked() {
        let given = fields(json!({ "user": "u", "password": "hunter2", "unknown": "x", "empty": "" }));
        let shown = given.shown(find("httpBasicAuth").unwrap());
        assert_eq!(
            shown,
            *json!({ "user": "u", "password": REDACTED, "unknown": REDACTED, "empty": "" }).as_object().unwrap()
        );
    }

    #[test]
    fn changes_keep_what_the_mark_stands_for() {
        let before = fields(json!({ "user": "u", "password": "p", TOKENS: { "access_token": "t" } }));
        for (change, partial, expected) in [
            (
                json!({ "user": "v", "password": REDACTED }),
                false,
                json!({ "user": "v", "password": "p", TOKENS: { "access_token": "t" } }),
            ),
            (json!({ "user": "v" }), false, json!({ "user": "v", TOKENS: { "access_token": "t" } })),
            (json!({ "user": "v" }), true, json!({ "user": "v", "password": "p", TOKENS: { "access_token": "t" } })),
            (json!({ "user": null, TOKENS: null }), true, json!({ "password": "p" })),
            (
                json!({ "other": REDACTED }),
                true,
                json!({ "user": "u", "password": "p", TOKENS: { "access_token": "t" } }),
            ),
        ] {
            assert_eq!(Value::from(before.changed(&fields(change.clone()), partial).0), expected, "{change}");
        }
    }

    #[test]
    fn types_fill_in_what_they_know() {
        let complete =
            fields(json!({ "clientId": "c", "accessTokenUrl": "http://evil" })).complete(find("gmailOAuth2").unwrap());
        assert_eq!(complete.text("accessTokenUrl"), "https://oauth2.googleapis.com/token");
        assert_eq!(complete.text("clientId"), "c");
        assert_eq!(fields(json!({ "host": "h", "port": "" })).complete(find("smtp").unwrap()).text("port"), "465");
    }

    #[test]
    fn where_and_who_are_no_secrets_of_types_that_do_not_tell() {
        let given = fields(json!({ "email": "ann@x.example", "subdomain": "acme", "apiToken": "t-1", "other": "o-1" }));
        assert_eq!(given.secrets(find("zendeskApi").unwrap()), ["t-1", "o-1"]);
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut given = fields(json!({ "a": "x", "b": { "c": ["y"] } }));
        given.zeroize();
        assert!(given.0.is_empty());
    }
}
