//! Stored executions read back: what their nodes did, as far as it was kept.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_engine::{Options, Partial};
use millrace_model::{ExecutionError, Item, NodeIndex, NodeRun, NodeStatus, RunData, Workflow};
use millrace_runner::{Data, outcome_of};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::Executor;
use super::repository::{self as rows, Row};
use super::{pauses, payload, redaction};

/// What is stored of an execution that is over, or was put aside.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub data: RecordData,
    pub usage: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordData {
    pub result_data: ResultData,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultData {
    pub error: Option<ExecutionError>,
    pub last_node_executed: Option<String>,
    #[serde(default)]
    pub run_data: Runs,
}

/// Runs by node, oldest first.
pub(super) type Runs = HashMap<String, Vec<NodeRecord>>;

/// One run of a node, in n8n's shape.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeRecord {
    #[serde(default)]
    pub start_time: i64,
    #[serde(default)]
    pub execution_index: u32,
    #[serde(default)]
    pub execution_time: u64,
    #[serde(default)]
    pub execution_status: NodeStatus,
    #[serde(default)]
    pub items_in: usize,
    pub data: Option<Outputs>,
    pub error: Option<ExecutionError>,
    #[serde(default)]
    pub console: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Outputs {
    #[serde(default)]
    pub main: Vec<Option<Vec<Item>>>,
}

impl NodeRecord {
    pub(super) fn outputs(&self) -> &[Option<Vec<Item>>] {
        self.data.as_ref().map_or(&[], |data| data.main.as_slice())
    }

    fn into_run(self) -> NodeRun {
        let shared = |outputs: Outputs| outputs.main.into_iter().map(|items| items.map(Arc::new)).collect();
        NodeRun {
            execution_index: self.execution_index,
            start_time: self.start_time,
            execution_time: self.execution_time,
            status: self.execution_status,
            items_in: self.items_in,
            outputs: self.data.map(shared),
            error: self.error.map(Arc::new),
            console: self.console,
            ..NodeRun::default()
        }
    }
}

/// The record of an execution. `None`: none was kept, or not yet.
pub(super) async fn find(executor: &Executor, row: &Row) -> Result<Option<Record>, Error> {
    let connection = executor.0.database.read(row.tenant_id);
    let stored = rows::payloads(&connection, row.tenant_id, [row.id]).await?.into_iter().next();
    let data = stored.and_then(|stored| stored.data);
    Ok(data.map(|data| payload::decode_as(&data)).transpose()?)
}

/// The record, or, of an execution that is not over, what it did so far.
pub(super) async fn so_far(executor: &Executor, row: &Row) -> Result<Record, Error> {
    if let Some(record) = find(executor, row).await? {
        return Ok(record);
    }
    let (program, begin) = pauses::restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), program, begin, 0);
    let mut run = attempt.rebuilt(attempt.options());
    let outcome = outcome_of(&mut run);
    let mut record = serde_json::json!({ "data": Data { run: &run, outcome: &outcome } });
    redaction::hide(&mut record, &redaction::fields(attempt.program.workflow()));
    Ok(serde_json::from_value(record)?)
}

/// What an execution knows before it begins: earlier runs of nodes, and where it is to end. Stored with its state, so
/// that another process begins it likewise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    /// The last node to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    /// Nodes whose earlier runs do not count.
    #[serde(default)]
    dirty: Vec<String>,
    /// n8n's `runData`.
    runs: Box<RawValue>,
    #[serde(skip)]
    partial: Option<Arc<Partial>>,
}

impl Known {
    /// `runs` are n8n's `runData`; those of nodes that the workflow does not have are of no use, and dropped.
    pub(super) fn new(
        workflow: &Workflow,
        runs: Box<RawValue>,
        destination: Option<String>,
        dirty: Vec<String>,
    ) -> Result<Known, serde_json::Error> {
        Known { destination, dirty, runs, partial: None }.prepared(workflow)
    }

    /// Makes what was stored ready to be used.
    pub(super) fn prepared(mut self, workflow: &Workflow) -> Result<Known, serde_json::Error> {
        let data = run_data(workflow, serde_json::from_str(self.runs.get())?);
        let destination = self.destination.as_deref().and_then(|name| workflow.find(name));
        let dirty: Vec<NodeIndex> = self.dirty.iter().filter_map(|name| workflow.find(name)).collect();
        self.partial = Some(Arc::new(Partial::new(workflow, data, destination, |node| dirty.contains(&node))));
        Ok(self)
    }

    pub(super) fn apply(&self, options: &mut Options) {
        options.partial.clone_from(&self.partial);
    }
}

fn run_data(workflow: &Workflow, runs: Runs) -> RunData {
    let mut data = RunData::default();
    for (name, records) in runs {
        if let Some(node) = workflow.find(&name) {
            *data.of_mut(node) = records.into_iter().map(NodeRecord::into_run).collect();
        }
    }
    data
}

/// n8n's `runData` of a stored execution, as text. Of one whose record hides something, what it would go on from.
pub(super) async fn runs_as_text(executor: &Executor, row: &Row) -> Result<Box<RawValue>, Error> {
    #[derive(Deserialize)]
    struct Whole {
        data: Inner,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Inner {
        result_data: Innermost,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Innermost {
        run_data: Box<RawValue>,
    }
    let connection = executor.0.database.read(row.tenant_id);
    let ran = executor.0.programs.version(row.tenant_id, row.workflow_id, row.version_id).await?;
    let stored = rows::payloads(&connection, row.tenant_id, [row.id]).await?.into_iter().next();
    if redaction::fields(ran.workflow()).is_empty()
        && let Some(data) = stored.and_then(|stored| stored.data)
    {
        return Ok(payload::decode_as::<Whole>(&data)?.data.result_data.run_data);
    }
    let (program, begin) = pauses::restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), program, begin, 0);
    let mut run = attempt.rebuilt(attempt.options());
    let outcome = outcome_of(&mut run);
    let text = serde_json::to_string(&Data { run: &run, outcome: &outcome })?;
    Ok(serde_json::from_str::<Inner>(&text)?.result_data.run_data)
}
