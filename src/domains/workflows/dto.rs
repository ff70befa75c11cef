//! What the API takes and gives. A workflow is n8n's JSON with what this server knows of it: the document's own fields
//! are handed through as they came.

use std::borrow::Cow;

use millrace_model::Problem;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use validator::{Validate, ValidationErrors};

use super::document::{Document, Fields};
use super::service::{Imported, WorkflowView};
use crate::common::page::Limit;
use crate::common::{Cursor, FieldError, TagId, Timestamp, WorkflowId, WorkflowVersionId};

/// A workflow document in n8n's format. Fields this server does not know are kept and given back.
#[derive(Debug)]
pub(super) struct WorkflowBody(Box<RawValue>);

/// One n8n export, a list of them, or a page of n8n's public API (`{"data": […]}`).
#[derive(Debug)]
pub(super) struct ImportBody(Box<RawValue>);

impl PartialSchema for WorkflowBody {
    fn schema() -> RefOr<Schema> {
        document_schema(
            "A workflow document in n8n's format. Fields this server does not know are kept and given back.",
        )
    }
}

impl ToSchema for WorkflowBody {
    fn name() -> Cow<'static, str> {
        "WorkflowDocument".into()
    }
}

impl PartialSchema for ImportBody {
    fn schema() -> RefOr<Schema> {
        document_schema("One n8n export, a list of them, or a page of n8n's public API (`{\"data\": […]}`).")
    }
}

impl ToSchema for ImportBody {}

fn document_schema(description: &str) -> RefOr<Schema> {
    let example = json!({
        "name": "Hello",
        "nodes": [{ "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
                    "parameters": { "path": "hello", "responseMode": "lastNode" } }],
        "connections": {},
        "settings": { "executionOrder": "v1" }
    });
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    object.examples([example]).into()
}

impl WorkflowBody {
    pub(super) fn into_document(self) -> Document {
        Document::from_raw(&self.0).without_fields(&OURS)
    }

    /// The version the caller has seen, as the document says.
    pub(super) fn version_seen(&self) -> Option<WorkflowVersionId> {
        Document::from_raw(&self.0).field("versionId")
    }
}

impl ImportBody {
    pub(super) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WorkflowBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WorkflowBody, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(WorkflowBody)
    }
}

impl<'de> Deserialize<'de> for ImportBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ImportBody, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(ImportBody)
    }
}

/// What must hold of a document is said by the domain, with the document's own pointers.
impl Validate for WorkflowBody {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl Validate for ImportBody {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// Fields that only this server's answers have. A client that sends an answer back does not mean them.
const OURS: [&str; 5] = ["activeVersionId", "alias", "problems", "warnings", "webhooks"];

/// Query of the list of workflows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListWorkflowsQuery {
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
    /// Only active, or only inactive workflows.
    pub active: Option<bool>,
    /// Part of the name, in any case.
    #[param(example = "hello")]
    pub name: Option<String>,
    /// Names of tags, separated by commas; a workflow must bear all of them.
    #[param(example = "production")]
    pub tags: Option<String>,
    /// Leave `pinData` out.
    #[serde(default)]
    pub exclude_pinned_data: bool,
}

/// Query of one workflow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct GetWorkflowQuery {
    /// Leave `pinData` out.
    #[serde(default)]
    pub exclude_pinned_data: bool,
}

/// A workflow: n8n's fields, and what this server adds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowResponse {
    pub id: WorkflowId,
    /// The id it was exported under elsewhere; paths and `executeWorkflow` nodes may name it by this one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2tUt1wbLX592XDdX")]
    pub alias: Option<String>,
    #[schema(example = "Hello")]
    pub name: String,
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The newest version. Versions never change; every update makes a new one.
    pub version_id: WorkflowVersionId,
    /// The version in production; null while the workflow is inactive.
    pub active_version_id: Option<WorkflowVersionId>,
    pub is_archived: bool,
    pub trigger_count: u32,
    pub tags: Vec<TagResponse>,
    /// Where its webhook nodes are called while it is active.
    pub webhooks: Vec<WebhookResponse>,
    /// What keeps it from running; empty when it can run. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<FieldError>>,
    /// What was understood although the document does not say it, such as connections that are not in it. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<FieldError>>,
    #[schema(value_type = Vec<Object>)]
    pub nodes: Box<RawValue>,
    #[schema(value_type = Object)]
    pub connections: Box<RawValue>,
    #[schema(value_type = Object)]
    pub settings: Box<RawValue>,
    /// The document's other fields: `staticData`, `pinData`, `meta` and whatever else it came with.
    #[serde(flatten)]
    #[schema(ignore)]
    pub others: indexmap::IndexMap<String, Box<RawValue>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagResponse {
    pub id: TagId,
    #[schema(example = "production")]
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One webhook address of a workflow.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WorkflowWebhookResponse)]
pub struct WebhookResponse {
    /// Name of the webhook node.
    #[schema(example = "Webhook")]
    pub node: String,
    #[schema(example = "POST")]
    pub method: String,
    #[schema(example = "hello")]
    pub path: String,
    /// Full address.
    #[schema(example = "http://localhost:8080/t/acme/webhook/hello")]
    pub url: String,
}

/// What an import made: the workflow, or the list of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ImportResponse {
    One(Box<WorkflowResponse>),
    Many { data: Vec<WorkflowResponse> },
}

impl ImportResponse {
    pub(super) fn from_imported(imported: Imported) -> ImportResponse {
        match imported {
            Imported::One(view) => ImportResponse::One(Box::new(WorkflowResponse::from_view(*view, false))),
            Imported::Many(views) => ImportResponse::Many {
                data: views.into_iter().map(|view| WorkflowResponse::from_view(view, false)).collect(),
            },
        }
    }
}

impl WorkflowResponse {
    pub(super) fn from_view(view: WorkflowView, exclude_pinned_data: bool) -> WorkflowResponse {
        let WorkflowView { row, document, tags, webhooks, findings } = view;
        let (problems, warnings) = findings.map(|found| (found.problems, found.warnings)).unzip();
        let listed = |problems: Vec<Problem>| problems.iter().map(super::error::field_error).collect();
        let fields = document.fields();
        let own = |name: &str, empty: &str| match fields.get(name) {
            Some(value) if value.get() != "null" => (*value).to_owned(),
            _ => RawValue::from_string(empty.to_owned()).unwrap_or_default(),
        };
        let timestamps = |tag: super::repository::Tag| TagResponse {
            id: tag.id,
            name: tag.name,
            created_at: tag.created_at,
            updated_at: tag.updated_at,
        };
        WorkflowResponse {
            id: row.id,
            alias: row.alias,
            name: row.name,
            active: row.active_version_id.is_some(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version_id: row.version_id,
            active_version_id: row.active_version_id,
            is_archived: false,
            trigger_count: u32::try_from(row.trigger_count).unwrap_or_default(),
            tags: tags.into_iter().map(timestamps).collect(),
            webhooks,
            problems: problems.map(listed),
            warnings: warnings.map(listed),
            nodes: own("nodes", "[]"),
            connections: own("connections", "{}"),
            settings: own("settings", "{}"),
            others: others(&fields, exclude_pinned_data),
        }
    }
}

/// The fields of a document that the answer does not name itself.
fn others(fields: &Fields<'_>, exclude_pinned_data: bool) -> indexmap::IndexMap<String, Box<RawValue>> {
    const NAMED: [&str; 17] = [
        "id",
        "alias",
        "name",
        "active",
        "createdAt",
        "updatedAt",
        "versionId",
        "activeVersionId",
        "isArchived",
        "triggerCount",
        "tags",
        "webhooks",
        "problems",
        "warnings",
        "nodes",
        "connections",
        "settings",
    ];
    let is_shown = |name: &str| !exclude_pinned_data || name != "pinData";
    let kept = fields.iter().filter(|(name, _)| !NAMED.contains(&name.as_str()) && is_shown(name));
    let mut others: indexmap::IndexMap<String, Box<RawValue>> =
        kept.map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
    for name in ["staticData", "pinData", "meta"] {
        if !others.contains_key(name) && is_shown(name) {
            others.insert(name.to_owned(), to_raw_value(&()).unwrap_or_default());
        }
    }
    others
}
