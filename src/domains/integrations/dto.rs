//! What the API takes and shows of another n8n.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::common::page::Limit;
use crate::common::{FieldError, WorkflowId};

/// Filters of the n8n's workflows.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListN8nWorkflowsQuery {
    /// Only active ones, or only others.
    pub active: Option<bool>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// Filters of the n8n's executions.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListN8nExecutionsQuery {
    /// Only executions of this workflow of the n8n.
    pub workflow_id: Option<String>,
    /// Only executions in this state, as the n8n names it.
    #[param(example = "error")]
    pub status: Option<String>,
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// A workflow of the n8n.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct N8nWorkflow {
    pub id: String,
    pub name: String,
    pub active: bool,
    pub nodes: usize,
    /// As the n8n says it.
    pub updated_at: Option<String>,
}

/// Workflows of the n8n.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "data": [{ "id": "2tUt1wbLX592XDdX", "name": "Leads", "active": true, "nodes": 7,
    "updatedAt": "2025-01-31T08:00:00.000Z" }], "nextCursor": null }))]
pub(super) struct N8nWorkflowsPage {
    pub data: Vec<N8nWorkflow>,
    /// Give it back to read on.
    pub next_cursor: Option<String>,
}

/// Executions of the n8n, as it shows them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "data": [{ "id": "1000", "finished": true, "mode": "webhook", "status": "success",
    "startedAt": "2025-01-31T08:00:00.000Z", "stoppedAt": "2025-01-31T08:00:00.412Z", "workflowId": "2tUt1wbLX592XDdX" }],
    "nextCursor": null }))]
pub(super) struct N8nExecutionsPage {
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Box<RawValue>>,
    /// Give it back to read on.
    pub next_cursor: Option<String>,
}

/// An execution of the n8n with its data, as it shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object, example = json!({ "id": "1000", "finished": true, "mode": "webhook", "status": "success",
    "workflowId": "2tUt1wbLX592XDdX", "data": { "resultData": { "runData": {} } } }))]
pub(super) struct N8nExecution(pub Box<RawValue>);

/// What to take over.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "workflowIds": ["2tUt1wbLX592XDdX"] }))]
pub(super) struct ImportN8nWorkflows {
    /// Ids of workflows in the n8n; all of them where left out.
    #[validate(length(min = 1, max = 1000))]
    pub workflow_ids: Option<Vec<String>>,
}

/// What became of each workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "data": [
    { "id": "2tUt1wbLX592XDdX", "name": "Leads", "workflowId": "01890a5d-ac96-774b-bcce-b302099a8057" },
    { "id": "x7", "name": "Broken", "problem": { "code": "workflow_invalid", "title": "Not a valid workflow", "errors": [] } }
] }))]
pub(super) struct N8nImportResponse {
    pub data: Vec<ImportedN8nWorkflow>,
}

/// What became of one workflow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportedN8nWorkflow {
    /// Its id in the n8n.
    pub id: String,
    pub name: String,
    /// Its id here. A workflow that was taken over before has a new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// Why it was not taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ImportProblem>,
}

/// Why a workflow was not taken over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "code": "workflow_invalid", "title": "Not a valid workflow", "errors": [] }))]
pub(super) struct ImportProblem {
    pub code: String,
    pub title: String,
    pub errors: Vec<FieldError>,
}

/// A call of a workflow's webhook.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "inputData": { "leadId": 123 }, "wait": true }))]
pub(super) struct TriggerN8nWorkflow {
    /// The body of the call; of a `GET` its query.
    #[schema(value_type = Object)]
    pub input_data: Option<serde_json::Value>,
    /// Name of the webhook node to call; the first one where left out.
    #[validate(length(max = 255))]
    pub node: Option<String>,
    /// Answer when the execution is over, with its data.
    #[serde(default)]
    pub wait: bool,
}

/// What came of a call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "status": 200, "body": { "message": "Workflow was started" },
    "execution": { "id": "1000", "status": "success" } }))]
pub(super) struct TriggeredN8nWorkflow {
    /// With which the webhook answered.
    pub status: u16,
    /// Its answer: JSON, or else text.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
    /// With `wait`: the execution with its data, as the n8n shows it. Null where the n8n shows none in time, because it takes
    /// longer or is not kept.
    #[schema(value_type = Option<Object>)]
    pub execution: Option<Box<RawValue>>,
}
