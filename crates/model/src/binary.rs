//! Binary data of items: bytes by handle, never inside the JSON.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::Str;

/// The binaries of an item by property name (`data` by convention).
pub type Binaries = Arc<IndexMap<Str, BinaryData>>;

/// One binary: description, and either the bytes as base64 (`data`) or a handle into the host's store (`id`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BinaryData {
    /// Base64 of the bytes, or the name of the store when `id` is set (as n8n writes it).
    #[serde(default)]
    pub data: Arc<str>,
    /// Empty where nobody said it (binaries that scripts put together).
    #[serde(default, skip_serializing_if = "Str::is_empty")]
    pub mime_type: Str,
    /// `text`, `json`, `image`, `audio`, `video`, `pdf` or `html`; absent where none applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<Str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<Str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<Str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<Str>,
    /// For people, such as `1.04 kB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_size: Option<Str>,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Handle issued by the host's binary store; never a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Str>,
}

/// A size in bytes for people, in decimal units with three significant digits: `824 B`, `1.04 kB`, `12.3 MB`.
#[expect(clippy::as_conversions, reason = "sizes are far below 2^53")]
pub fn human_size(bytes: u64) -> Str {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut size, mut unit) = (bytes as f64, UNITS.iter());
    let mut name = unit.next().unwrap_or(&"B");
    while size >= 1000.0 {
        let Some(next) = unit.next() else { break };
        (size, name) = (size / 1000.0, next);
    }
    let decimals = match size {
        s if bytes < 1000 || s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{size:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}").into()
}
