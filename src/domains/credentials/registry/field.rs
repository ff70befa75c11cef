//! A field of a credential type: what it takes, what stands in for it, when it applies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldKind {
    #[default]
    String,
    Number,
    Boolean,
    /// One of a list of texts.
    Options,
    /// An object, or the text of one.
    Json,
}

/// A field of a credential type.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Field {
    /// n8n's name.
    #[schema(example = "accessToken")]
    pub name: String,
    #[serde(default)]
    #[schema(example = "Access Token")]
    pub display_name: String,
    #[serde(default, rename = "type")]
    pub kind: FieldKind,
    /// Never shown again after it was entered.
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub required: bool,
    /// What holds where it is not given.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Value)]
    pub default: Value,
    /// What an `options` field takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Applies only where these fields have one of these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub show: BTreeMap<String, Vec<Value>>,
    /// The type itself gives the value; what is entered is not used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

impl Field {
    /// A text that is never shown.
    pub(super) fn secret(name: &str) -> Field {
        Field {
            name: name.to_owned(),
            display_name: spelled_out(name),
            kind: FieldKind::String,
            secret: true,
            required: false,
            default: Value::Null,
            options: Vec::new(),
            show: BTreeMap::new(),
            hidden: false,
        }
    }

    /// What people see.
    pub(in crate::domains::credentials) fn label(&self) -> String {
        if self.display_name.is_empty() { spelled_out(&self.name) } else { self.display_name.clone() }
    }
}

/// `accessToken` as `Access Token`.
pub(super) fn spelled_out(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if text.is_empty() {
            text.extend(letter.to_uppercase());
        } else {
            if letter.is_uppercase() {
                text.push(' ');
            }
            text.push(letter);
        }
    }
    text
}
