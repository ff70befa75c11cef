//! A credential type as JSON Schema, in the shape of n8n's public API.

use serde_json::{Map, Value, json};

use super::dto::CredentialSchemaResponse;
use super::registry::{CredentialType, Field, FieldKind};

pub(super) fn schema(kind: &CredentialType) -> CredentialSchemaResponse {
    let entered = || kind.fields.iter().filter(|field| !field.hidden);
    let needed = |field: &&Field| field.required && field.default.is_null();
    let conditional = entered().filter(needed).filter(|field| !field.show.is_empty());
    CredentialSchemaResponse {
        additional_properties: kind.open,
        kind: "object",
        properties: entered().map(|field| (field.name.clone(), property(field))).collect(),
        required: entered()
            .filter(needed)
            .filter(|field| field.show.is_empty())
            .map(|field| field.name.clone())
            .collect(),
        all_of: conditional.map(requirement).collect(),
    }
}

fn property(field: &Field) -> Value {
    match field.kind {
        FieldKind::String => json!({ "type": "string" }),
        FieldKind::Number => json!({ "type": "number" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Options => json!({ "type": "string", "enum": field.options }),
        FieldKind::Json => json!({ "type": ["string", "object"] }),
    }
}

/// The field is required if those it depends on have the values that show it.
fn requirement(field: &Field) -> Value {
    let conditions: Map<String, Value> =
        field.show.iter().map(|(name, values)| (name.clone(), json!({ "enum": values }))).collect();
    json!({ "if": { "properties": conditions }, "then": { "required": [field.name] } })
}
