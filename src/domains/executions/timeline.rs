//! What happened to an execution, in order: its states, its nodes, and the processes that died under it.

use std::collections::HashMap;

use millrace_model::{NodeRun, NodeStatus};
use serde::Deserialize;

use super::attempt::Attempt;
use super::dto::{TimelineEvent, TimelineKind};
use super::error::Error;
use super::executor::Executor;
use super::model::{Incident, Status};
use super::pauses;
use super::payload::{self, Corrupt};
use super::repository::{self as rows, Row};
use crate::common::Timestamp;

/// The events of an execution, oldest first.
pub(super) async fn of(executor: &Executor, row: Row) -> Result<Vec<TimelineEvent>, Error> {
    let connection = executor.0.database.read(row.tenant_id);
    let incidents = rows::incidents(&connection, row.tenant_id, row.id).await?;
    let mut events = nodes(executor, &row).await?;
    events.extend(incidents.into_iter().map(|incident| TimelineEvent {
        attempt: Some(incident.attempt),
        worker: incident.worker,
        ..TimelineEvent::at(
            incident.at,
            match incident.kind {
                Incident::Died => TimelineKind::Died,
                Incident::HandedOn => TimelineKind::HandedOn,
            },
        )
    }));
    events.extend(row.started_at.map(|at| TimelineEvent::at(at, TimelineKind::Started)));
    let end = row.stopped_at.map(|at| TimelineEvent {
        status: Some(row.status.as_str().to_owned()),
        error: row.error,
        ..TimelineEvent::at(at, TimelineKind::Ended)
    });
    events.sort_by_key(|event| (event.at, event.execution_index));
    events.insert(0, TimelineEvent::at(row.created_at, TimelineKind::Created));
    if row.status == Status::Waiting {
        events.extend(row.wait_until.map(|at| TimelineEvent::at(at, TimelineKind::Resumes)));
    }
    events.extend(end);
    Ok(events)
}

/// The node runs: of the record where there is one, else of what the execution did so far.
async fn nodes(executor: &Executor, row: &Row) -> Result<Vec<TimelineEvent>, Error> {
    let connection = executor.0.database.read(row.tenant_id);
    let stored = rows::payloads(&connection, row.tenant_id, [row.id]).await?.into_iter().next();
    let Some(stored) = stored else { return Ok(Vec::new()) };
    if let Some(data) = stored.data {
        return Ok(node_runs(&data)?);
    }
    let (program, begin) = pauses::restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), program, begin, 0);
    let run = attempt.rebuilt(attempt.options());
    let nodes = run.data().iter().flat_map(|(node, runs)| runs.iter().map(move |run| (node, run)));
    Ok(nodes.map(|(node, done)| of_run(&run.workflow().node(node).name, done)).collect())
}

/// The run of a node as an event.
pub(super) fn of_run(node: &str, run: &NodeRun) -> TimelineEvent {
    let status = match run.status {
        NodeStatus::Success => "success",
        NodeStatus::Error => "error",
        NodeStatus::Waiting => "waiting",
        NodeStatus::Canceled => "canceled",
    };
    TimelineEvent {
        node: Some(node.to_owned()),
        execution_index: Some(run.execution_index),
        items_in: Some(run.items_in),
        items_out: Some(run.items_out()),
        duration_ms: Some(run.execution_time),
        status: Some(status.to_owned()),
        error: run.error.as_ref().map(|error| error.message.to_string()),
        ..TimelineEvent::at(Timestamp::from_millis(run.start_time), TimelineKind::Node)
    }
}

/// The node runs of a stored record.
pub(super) fn node_runs(data: &[u8]) -> Result<Vec<TimelineEvent>, Corrupt> {
    let runs = payload::decode_as::<Record>(data)?.data.result_data.run_data.into_iter();
    Ok(runs.flat_map(|(node, runs)| runs.into_iter().map(move |run| run.event(&node))).collect())
}

/// As much of a record as tells when its nodes ran.
#[derive(Deserialize)]
struct Record {
    data: RecordData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordData {
    result_data: ResultData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultData {
    #[serde(default)]
    run_data: HashMap<String, Vec<NodeRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeRecord {
    start_time: i64,
    execution_index: Option<u32>,
    items_in: Option<usize>,
    items_out: Option<usize>,
    execution_time: u64,
    execution_status: String,
    error: Option<NodeError>,
}

#[derive(Deserialize)]
struct NodeError {
    #[serde(default)]
    message: String,
}

impl NodeRecord {
    fn event(self, node: &str) -> TimelineEvent {
        TimelineEvent {
            node: Some(node.to_owned()),
            execution_index: self.execution_index,
            items_in: self.items_in,
            items_out: self.items_out,
            duration_ms: Some(self.execution_time),
            status: Some(self.execution_status),
            error: self.error.map(|error| error.message),
            ..TimelineEvent::at(Timestamp::from_millis(self.start_time), TimelineKind::Node)
        }
    }
}
