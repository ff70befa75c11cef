//! Binaries of an item that a message takes along, by the names of their properties.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Str};

use crate::NodeContext;

pub(super) struct Attachment {
    pub file_name: Str,
    pub mime_type: Str,
    /// Base64.
    pub content: String,
}

/// The binaries whose property names are listed, separated by commas.
pub(super) fn listed(context: &NodeContext<'_>, names: &str, index: usize) -> Result<Vec<Attachment>, ExecutionError> {
    let item = context.items().get(index);
    let mut attached = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let Some(binary) = item.and_then(|item| item.binary.as_ref()?.get(name)) else {
            let message = ecow::eco_format!("the item has no binary file '{name}' to attach");
            return Err(ExecutionError::operation(message));
        };
        attached.push(Attachment {
            file_name: binary.file_name.clone().unwrap_or_else(|| "unknown".into()),
            mime_type: binary.mime_type.clone(),
            content: STANDARD.encode(context.host.load_binary(binary)?),
        });
    }
    Ok(attached)
}
