//! The result of a run as n8n writes it. Serialised straight from the run's data; nothing is copied.

use millrace_engine::{Outcome, Run, Status};
use millrace_model::{NodeRun, Outputs, Source, Workflow};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A finished or paused run, to be serialised as
/// `{"status", "finished", "mode", "data": {"resultData": {"error"?, "lastNodeExecuted", "runData"}}}`.
pub struct Document<'a> {
    pub run: &'a Run,
    pub outcome: &'a Outcome,
    /// `manual`, `trigger`, `webhook`, …
    pub mode: &'a str,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("status", self.outcome.status.as_str())?;
        map.serialize_entry("finished", &(self.outcome.status == Status::Success))?;
        map.serialize_entry("mode", self.mode)?;
        map.serialize_entry("data", &Data { run: self.run, outcome: self.outcome })?;
        map.end()
    }
}

/// The `data` of an execution: `{"resultData": …}`.
pub struct Data<'a> {
    pub run: &'a Run,
    pub outcome: &'a Outcome,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("resultData", &ResultData(self))?;
        map.end()
    }
}

struct ResultData<'a>(&'a Data<'a>);

impl Serialize for ResultData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Data { run, outcome } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(error) = &outcome.error {
            map.serialize_entry("error", error)?;
        }
        if let Some(last) = outcome.last_node {
            map.serialize_entry("lastNodeExecuted", &run.workflow().node(last).name)?;
        }
        map.serialize_entry("runData", &Runs(run))?;
        map.end()
    }
}

struct Runs<'a>(&'a Run);

impl Serialize for Runs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let workflow = self.0.workflow();
        let mut map = serializer.serialize_map(None)?;
        for (node, runs) in self.0.data().iter() {
            map.serialize_entry(&workflow.node(node).name, &NodeRuns { workflow, runs })?;
        }
        map.end()
    }
}

struct NodeRuns<'a> {
    workflow: &'a Workflow,
    runs: &'a [NodeRun],
}

impl Serialize for NodeRuns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.runs.iter().map(|run| TaskData { workflow: self.workflow, run }))
    }
}

/// One node run in n8n's shape, with `itemsIn` and `itemsOut`: how many items it was given and gave.
pub struct TaskData<'a> {
    pub workflow: &'a Workflow,
    pub run: &'a NodeRun,
}

impl Serialize for TaskData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.run;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("startTime", &run.start_time)?;
        map.serialize_entry("executionIndex", &run.execution_index)?;
        map.serialize_entry("source", &Sources { workflow: self.workflow, sources: &run.source })?;
        map.serialize_entry("executionTime", &run.execution_time)?;
        map.serialize_entry("executionStatus", &run.status)?;
        map.serialize_entry("itemsIn", &run.items_in)?;
        map.serialize_entry("itemsOut", &run.items_out())?;
        if let Some(outputs) = &run.outputs {
            map.serialize_entry("data", &Main(outputs))?;
        }
        if let Some(error) = &run.error {
            map.serialize_entry("error", error)?;
        }
        if !run.console.is_empty() {
            map.serialize_entry("console", &run.console)?;
        }
        map.end()
    }
}

struct Main<'a>(&'a Outputs);

impl Serialize for Main<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("main", self.0)?;
        map.end()
    }
}

struct Sources<'a> {
    workflow: &'a Workflow,
    sources: &'a [Option<Source>],
}

impl Serialize for Sources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.sources.len()))?;
        for source in self.sources {
            sequence.serialize_element(&source.map(|source| OneSource { workflow: self.workflow, source }))?;
        }
        sequence.end()
    }
}

struct OneSource<'a> {
    workflow: &'a Workflow,
    source: Source,
}

impl Serialize for OneSource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("previousNode", &self.workflow.node(self.source.node).name)?;
        map.serialize_entry("previousNodeOutput", &self.source.output)?;
        map.serialize_entry("previousNodeRun", &self.source.run)?;
        map.end()
    }
}

/// Items of the last node, one list for each output: what a sub-workflow gives back.
pub fn last_outputs(run: &Run) -> Vec<Vec<millrace_model::Item>> {
    let last = run.last_node();
    let outputs = last.and_then(|node| run.data().of(node).last()).and_then(|run| run.outputs.as_ref());
    let lists = outputs.into_iter().flatten();
    lists.map(|items| items.as_ref().map(|items| items.to_vec()).unwrap_or_default()).collect()
}
