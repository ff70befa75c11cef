//! The types of credentials: n8n's names, their fields, how each authenticates a request and how it is tried out. The
//! types that need more than fixed fields are data (`types.json`); any other service whose rule of authentication the
//! nodes know is a type, too, with the fields that its rule names.

mod check;
mod field;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::model::Fields;
use super::oauth::Grant;

pub(super) use check::{COMMON, check};
pub(super) use field::{Field, FieldKind};

/// A type of credential.
#[derive(Clone, Debug)]
pub(super) struct CredentialType {
    pub name: String,
    pub display_name: String,
    pub fields: Vec<Field>,
    /// Values that the type gives and nobody enters.
    pub fixed: Map<String, Value>,
    pub authenticate: Authenticate,
    pub test: Option<Test>,
    /// Takes fields it does not know: its fields were read off its rule, which need not name all of n8n's.
    pub open: bool,
}

/// How a credential authenticates a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Authenticate {
    /// `Authorization: Basic` of user and password (RFC 7617).
    Basic,
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// A header of any name.
    Header,
    /// A query field of any name.
    Query,
    /// An answer to the server's challenge (RFC 7616).
    Digest,
    /// Headers, query and body fields as given.
    Custom,
    /// The fixed headers, query or body fields of a service.
    Generic,
    /// A client certificate.
    Certificate,
    /// A signature over the request (RFC 5849).
    OAuth1,
    /// An access token (RFC 6749).
    OAuth2,
    /// A signature over the request (AWS Signature Version 4).
    Signature,
    /// An access token for a signed assertion (RFC 7523).
    ServiceAccount,
    /// Part of the address.
    Url,
    /// Not a request: the login of a connection.
    Connection,
    /// Not a request: a key that nodes compute with.
    Key,
}

/// How a credential is tried out: something that succeeds only with a good one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Test {
    Request {
        /// `{field}` stands for a field of the credential.
        url: String,
        /// What a good answer's JSON holds, besides a status of 2xx.
        #[serde(default)]
        expect: Map<String, Value>,
    },
    /// A call of a database or mail server.
    Service {
        service: String,
        #[serde(default)]
        arguments: Map<String, Value>,
    },
}

/// A line of `types.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Declared {
    name: String,
    display_name: String,
    authenticate: Option<Authenticate>,
    extends: Option<String>,
    fields: Vec<Field>,
    #[serde(default)]
    fixed: Map<String, Value>,
    #[serde(default)]
    defaults: Map<String, Value>,
    test: Option<Test>,
}

static TYPES: LazyLock<BTreeMap<String, CredentialType>> = LazyLock::new(|| {
    let declared: Vec<Declared> = serde_json::from_str(include_str!("types.json")).unwrap_or_default();
    let mut types = BTreeMap::new();
    for declared in declared {
        let complete = declared.complete(&types);
        types.insert(complete.name.clone(), complete);
    }
    for (name, rule) in millrace_nodes::authentication_rules().iter() {
        types.entry(name.to_string()).or_insert_with(|| CredentialType::of_rule(name, rule));
    }
    types
});

/// All types, by name.
pub(super) fn all() -> impl Iterator<Item = &'static CredentialType> {
    TYPES.values()
}

pub(super) fn find(name: &str) -> Option<&'static CredentialType> {
    TYPES.get(name)
}

/// Names of types that somebody who wrote this one may have meant.
pub(super) fn close_to(name: &str) -> Vec<&'static str> {
    let near = |known: &&str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()) > 0.87;
    TYPES.keys().map(String::as_str).filter(near).take(5).collect()
}

impl CredentialType {
    /// Does it hold access tokens that an authorisation server gives for a while?
    pub(super) fn holds_access_token(&self) -> bool {
        matches!(self.authenticate, Authenticate::OAuth2 | Authenticate::ServiceAccount)
    }

    /// Is it a person who gives access, in a browser? `fields`: complete, with what the type adds.
    pub(super) fn asks_a_person(&self, fields: &Fields) -> bool {
        match self.authenticate {
            Authenticate::OAuth2 => Grant::of(self, fields) == Grant::Code,
            // Without an address there is nobody to ask: the tokens are entered, or there are none.
            Authenticate::OAuth1 => !fields.text("authUrl").is_empty(),
            _ => false,
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Must the value of this field never be shown? What a type does not know is taken for a secret.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        !COMMON.contains(&name) && self.field(name).is_none_or(|field| field.secret)
    }

    /// A type whose fields are those that its rule of authentication names.
    fn of_rule(name: &str, rule: &millrace_model::Value) -> CredentialType {
        let mut fields: Vec<Field> = Vec::new();
        for name in placeholders(&rule.to_json()) {
            if !fields.iter().any(|field| field.name == name) {
                fields.push(Field::secret(name));
            }
        }
        CredentialType {
            name: name.to_owned(),
            display_name: field::spelled_out(name),
            fields,
            fixed: Map::new(),
            authenticate: Authenticate::Generic,
            test: None,
            open: true,
        }
    }
}

impl Declared {
    /// With what the type it extends has.
    fn complete(self, known: &BTreeMap<String, CredentialType>) -> CredentialType {
        let parent = self.extends.as_ref().and_then(|name| known.get(name));
        let mut fields: Vec<Field> = parent.map(|parent| parent.fields.clone()).unwrap_or_default();
        fields.extend(self.fields);
        let mut fixed = parent.map(|parent| parent.fixed.clone()).unwrap_or_default();
        fixed.extend(self.fixed);
        for field in &mut fields {
            field.hidden = fixed.contains_key(&field.name);
            if let Some(value) = self.defaults.get(&field.name) {
                field.default = value.clone();
            }
        }
        let inherited = parent.map(|parent| parent.authenticate);
        CredentialType {
            name: self.name,
            display_name: self.display_name,
            fields,
            fixed,
            authenticate: self.authenticate.or(inherited).unwrap_or(Authenticate::Generic),
            test: self.test,
            open: false,
        }
    }
}

/// Names of credential fields in the templates of a rule: `{name}`, and both of `{basic:user:password}`.
fn placeholders(rule: &str) -> Vec<&str> {
    let inner = rule.split('{').filter_map(|text| text.split_once('}')).map(|(inside, _)| inside);
    let names = inner.flat_map(|inside| inside.strip_prefix("basic:").unwrap_or(inside).split(':'));
    names
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .collect()
}
