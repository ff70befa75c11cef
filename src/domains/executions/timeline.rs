//! What happened to an execution, in order: its states, its nodes, and the processes that died under it.

use std::collections::HashMap;

use serde::Deserialize;

use super::attempt::Attempt;
use super::dto::{TimelineEvent, TimelineKind};
use super::error::Error;
use super::executor::Executor;
use super::model::{Incident, Status};
use super::repository::{self as rows, Row};
use super::{pauses, payload};
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
    events.sort_by_key(|event| event.at);
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
        let record: Record = payload::decode_as(&data)?;
        let runs = record.data.result_data.run_data.into_iter();
        return Ok(runs.flat_map(|(node, runs)| runs.into_iter().map(move |run| run.event(&node))).collect());
    }
    let (program, begin) = pauses::restore(executor, row).await?;
    let attempt = Attempt::new(row.clone(), program, begin, 0);
    let run = attempt.rebuilt(attempt.options());
    let nodes = run.data().iter().flat_map(|(node, runs)| runs.iter().map(move |run| (node, run)));
    Ok(nodes
        .map(|(node, done)| TimelineEvent {
            node: Some(run.workflow().node(node).name.to_string()),
            duration_ms: Some(done.execution_time),
            error: done.error.as_ref().map(|error| error.message.to_string()),
            ..TimelineEvent::at(Timestamp::from_millis(done.start_time), TimelineKind::Node)
        })
        .collect())
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
            duration_ms: Some(self.execution_time),
            status: Some(self.execution_status),
            error: self.error.map(|error| error.message),
            ..TimelineEvent::at(Timestamp::from_millis(self.start_time), TimelineKind::Node)
        }
    }
}
