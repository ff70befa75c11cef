//! What the API shows of node types.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::page::Limit;

/// A node type, as lists show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "n8n-nodes-base.set", "displayName": "Edit Fields (Set)", "description": "Modify, add, or remove item fields",
    "group": ["input"], "versions": [1.0, 2.0, 3.4], "role": "regular", "effects": []
}))]
pub struct NodeTypeResponse {
    /// Full name, as workflows write it in `type`.
    pub name: &'static str,
    pub display_name: String,
    pub description: String,
    pub group: Vec<String>,
    /// Versions that workflows may name in `typeVersion`.
    pub versions: Vec<f64>,
    /// `regular`, `trigger`, `webhook` or `annotation`.
    pub role: &'static str,
    /// What it does outside the process: `network`, `files`, `commands`, `workflows`, `storage`, `mail`.
    pub effects: Vec<&'static str>,
}

/// A node type with its parameters: n8n's node description, one for each variant of its versions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "n8n-nodes-base.set", "displayName": "Edit Fields (Set)", "description": "Modify, add, or remove item fields",
    "group": ["input"], "versions": [1.0, 2.0, 3.4], "role": "regular", "effects": [],
    "variants": [{ "version": [3.4], "properties": [{ "name": "mode", "type": "options", "default": "manual" }] }]
}))]
pub struct NodeTypeDetailResponse {
    #[serde(flatten)]
    pub summary: NodeTypeResponse,
    /// Inputs, outputs, properties with defaults and display options, credentials. More than one where the parameters
    /// differ much between versions; each names its own in `version`.
    #[schema(value_type = Vec<Object>)]
    pub variants: Vec<millrace_model::Object>,
}

/// One page of node types.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTypePage {
    pub data: Vec<NodeTypeResponse>,
    /// Give it back as `cursor` to read the next page; null on the last one.
    #[schema(example = "n8n-nodes-base.set")]
    pub next_cursor: Option<String>,
}

/// Filters of the list of node types.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListNodeTypesQuery {
    /// Part of the name, the display name or the description, in any case.
    #[param(example = "webhook")]
    pub search: Option<String>,
    /// Only types of this group.
    #[param(example = "transform")]
    pub group: Option<String>,
    /// Only types of this role: `regular`, `trigger`, `webhook` or `annotation`.
    #[param(example = "trigger")]
    pub role: Option<String>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}
