//! What the API takes to repeat, to go on with, or to run a part.

use millrace_model::Value;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;

use crate::common::ExecutionId;

/// How to repeat an execution.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "loadWorkflow": false }))]
pub(in super::super) struct RepeatExecution {
    /// `true`: with the workflow as it is now. `false`: with the version that ran.
    #[serde(default)]
    pub load_workflow: bool,
}

/// How a waiting execution goes on.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "items": [{ "approved": true }] }))]
pub struct ResumeExecution {
    /// Items (an object or a list of objects) that take the place of those it waits with.
    #[schema(value_type = Option<Object>)]
    pub items: Option<Value>,
}

/// Runs a workflow, or a part of it, by hand: the newest version, with pinned data.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "wait": true }))]
pub struct RunWorkflow {
    /// The last node to run; without one all of the workflow runs.
    pub destination_node: Option<String>,
    /// The trigger to begin at; without one, one before the destination is chosen: with earlier data, pinned, a webhook.
    pub trigger_node: Option<String>,
    /// An execution of this workflow whose data is taken where it still holds, in place of running nodes again.
    pub execution_id: Option<ExecutionId>,
    /// The same as data: n8n's `runData`.
    #[schema(value_type = Option<Object>)]
    pub run_data: Option<Box<RawValue>>,
    /// Nodes that were changed since: their earlier data, and of all behind them, does not hold.
    #[serde(default)]
    pub dirty_node_names: Vec<String>,
    /// Items for the trigger.
    #[schema(value_type = Option<Object>)]
    pub input_data: Option<Value>,
    /// Answer when the execution is over, with its data.
    #[serde(default)]
    pub wait: bool,
}
