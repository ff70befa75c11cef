//! Executions that begin because of others, or of a part of a workflow: retries, replays, runs up to a node; and those
//! that go on before their time.

use std::sync::Arc;

use millrace_model::{Item, NodeIndex, Value};
use millrace_nodes::{Role, registry};
use serde_json::value::RawValue;

use super::attempt::Begin;
use super::dto::{ExecutionResponse, ResumeExecution, RunWorkflow};
use super::error::Error;
use super::executor::Launch;
use super::input;
use super::model::{Mode, Status};
use super::pauses;
use super::programs::Program;
use super::records::{self, Known};
use super::retry::{self, Runner};
use super::service::{Service, Triggered};
use crate::common::{Ctx, ExecutionId};
use crate::domains::audit::Change;

impl Service {
    /// Repeats an execution that did not succeed from the node that failed, with the version that ran or with the workflow
    /// as it is now.
    pub async fn retry(&self, ctx: &Ctx, id: ExecutionId, load_workflow: bool) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        let retry = retry::start(self.executor(), &row, load_workflow, Runner::Here).await?;
        self.record_repetition(ctx, "execution.retry", id, retry).await
    }

    /// Runs an execution that is over once more, from the same input.
    pub async fn replay(&self, ctx: &Ctx, id: ExecutionId, load_workflow: bool) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        let replay = retry::replay(self.executor(), &row, load_workflow).await?;
        self.record_repetition(ctx, "execution.replay", id, replay).await
    }

    async fn record_repetition(
        &self,
        ctx: &Ctx,
        action: &'static str,
        of: ExecutionId,
        new: ExecutionId,
    ) -> Result<ExecutionResponse, Error> {
        self.record(ctx, Change::new(action, of).after(&serde_json::json!({ "executionId": new }))).await?;
        Ok(ExecutionResponse::from_row(self.row(ctx, new).await?))
    }

    /// Goes on with a waiting execution at once, whatever it waits for.
    pub async fn resume_now(
        &self,
        ctx: &Ctx,
        id: ExecutionId,
        body: ResumeExecution,
    ) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        if row.status != Status::Waiting {
            return Err(Error::WrongState(row.status, "resumed"));
        }
        if row.waits_for.is_some() {
            return Err(Error::WrongState(row.status, "resumed: it waits for the end of an execution that it called"));
        }
        let items = body.items.map(|items| items_of(&items)).transpose()?;
        let waiting = pauses::find(self.executor(), &row).await?;
        if pauses::resume(self.executor(), &waiting, items.map(Arc::new)).await?.is_none() {
            return Err(Error::WrongState(self.row(ctx, id).await?.status, "resumed"));
        }
        self.record(ctx, Change::new("execution.resume", id)).await?;
        Ok(ExecutionResponse::from_row(self.row(ctx, id).await?))
    }

    /// Runs the newest version of a workflow by hand: all of it, or no more than leads to a node; earlier data is taken
    /// where it still holds.
    pub async fn run(&self, ctx: &Ctx, reference: &str, request: RunWorkflow) -> Result<Triggered, Error> {
        let executor = self.executor();
        let program = executor.0.programs.newest(ctx.tenant, reference).await?.runnable()?;
        let workflow = program.workflow();
        let find = |name: &str, field: &'static str| {
            workflow.find(name).ok_or_else(|| Error::UnknownNode(field, name.to_owned()))
        };
        let destination = request.destination_node.as_deref().map(|name| find(name, "/destinationNode")).transpose()?;
        for name in &request.dirty_node_names {
            find(name, "/dirtyNodeNames")?;
        }
        let runs = self.earlier(ctx, &program, &request).await?;
        let earlier: records::Runs =
            serde_json::from_str(runs.get()).map_err(|error| Error::BadRunData(error.to_string()))?;
        let given = request.trigger_node.as_deref().map(|name| find(name, "/triggerNode")).transpose()?;
        let node = given.or_else(|| beginning(&program, destination, &earlier));
        let node = node.ok_or_else(|| Error::UnknownTrigger(String::new()))?;
        let items = match role(&program, node) {
            Role::Regular => vec![Item::empty()],
            _ => input::start(&program, Some(&workflow.node(node).name), request.input_data)?.items,
        };
        let known = Known::new(workflow, runs, request.destination_node, request.dirty_node_names)?;
        let launch = Launch {
            mode: Mode::Manual,
            node,
            items: Arc::new(items),
            output: 0,
            honour_pins: true,
            parent: None,
            retry_of: None,
            program,
        };
        self.launch_knowing(ctx, launch, known, request.wait).await
    }

    /// `runData` of the request, else that of the execution it names, else none.
    async fn earlier(&self, ctx: &Ctx, program: &Program, request: &RunWorkflow) -> Result<Box<RawValue>, Error> {
        if let Some(runs) = &request.run_data {
            return Ok(runs.clone());
        }
        let Some(id) = request.execution_id else { return Ok(RawValue::from_string("{}".to_owned())?) };
        let row = self.row(ctx, id).await?;
        if row.workflow_id != program.workflow {
            return Err(Error::NotFound);
        }
        records::runs_as_text(self.executor(), &row).await
    }

    async fn launch_knowing(&self, ctx: &Ctx, launch: Launch, known: Known, wait: bool) -> Result<Triggered, Error> {
        let (executor, workflow) = (self.executor(), launch.program.workflow);
        let id = ExecutionId::new();
        let profile = executor.0.programs.tenants().profile(ctx.tenant).await?;
        let attempt = executor.attempt(id, launch, 0, &profile);
        let begin = Begin { known: Some(Arc::new(known)), ..attempt.begin.clone() };
        let answer = executor.call_with(attempt, begin).await?;
        self.record_trigger(ctx, workflow, id).await?;
        self.triggered(ctx, id, wait.then_some(answer)).await
    }
}

fn role(program: &Program, node: NodeIndex) -> Role {
    registry::find(&program.workflow().node(node).kind).map_or(Role::Regular, |found| found.role)
}

/// Where a run up to a node begins: at a trigger before it that has run already, else at one that is pinned, else at the
/// first webhook, else at the first trigger; or at the first node that nothing leads to.
fn beginning(program: &Program, destination: Option<NodeIndex>, earlier: &records::Runs) -> Option<NodeIndex> {
    let Some(destination) = destination else { return program.compiled.entry() };
    let (workflow, mut before, mut at) = (program.workflow(), vec![destination], 0);
    while let Some(node) = before.get(at).copied() {
        for (source, _) in workflow.connections.inputs(node).iter().flatten() {
            if !before.contains(source) {
                before.push(*source);
            }
        }
        at += 1;
    }
    let triggers =
        before.iter().copied().filter(|node| !workflow.node(*node).disabled && role(program, *node) != Role::Regular);
    let best = triggers.min_by_key(|node| {
        let name = &workflow.node(*node).name;
        let (ran, pinned) = (earlier.contains_key(name.as_str()), workflow.pin_data.contains_key(name));
        (!ran, !pinned, role(program, *node) != Role::Webhook)
    });
    best.or_else(|| {
        before.iter().rev().copied().find(|node| workflow.connections.inputs(*node).iter().all(Vec::is_empty))
    })
}

/// An object, or a list of objects.
fn items_of(value: &Value) -> Result<Vec<Item>, Error> {
    let items: Vec<Item> = match value {
        Value::Array(list) => list.iter().map(Item::from_value).collect(),
        one => vec![Item::from_value(one)],
    };
    if items.iter().any(|item| item.json.as_object().is_none()) { Err(Error::BadItems) } else { Ok(items) }
}
