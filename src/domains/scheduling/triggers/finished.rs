//! Workflows that begin when a run of another one is over: told by the tenant's events, from where the trigger left off.
//! What such a workflow does begins no other: two of them could go on for ever.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use millrace_model::{Item, Object, Value};

use super::listening::{Fault, Listener, RECONNECT};
use super::source::Source;
use crate::common::error::Kind as Problem;
use crate::common::{Clock, Coded, ExecutionId, TenantId, WorkflowId, WorkflowVersionId};
use crate::domains::executions::{Mode, Program, Status};
use crate::infrastructure::database;
use crate::infrastructure::events::{Bus, Place, Scope, Stored};

/// As whom triggers listen to a tenant's events.
const LISTENER: &str = "triggers";
/// Events are kept for triggers that nobody holds for so long.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
/// Events read in one go.
const BATCH: usize = 50;

/// Which ends a workflow waits for.
#[derive(Debug)]
pub(super) struct Awaited {
    /// Ids or names; all others where it is empty.
    pub workflows: Vec<String>,
    pub statuses: Vec<Status>,
}

/// The end of an execution, as its event says.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    id: ExecutionId,
    workflow_id: WorkflowId,
    workflow_version_id: WorkflowVersionId,
    mode: Mode,
    status: Status,
    error: Option<String>,
    last_node_executed: Option<String>,
}

/// From now on a tenant's events are kept for its triggers.
pub(super) async fn attend(bus: &Bus, clock: &dyn Clock, tenant: TenantId) -> Result<(), database::Error> {
    bus.attend(tenant, LISTENER, clock.now().plus(REMEMBERED)).await
}

impl Source {
    /// Whether it follows the tenant's events.
    pub(super) const fn follows_events(&self) -> bool {
        matches!(self, Source::Finished { .. })
    }
}

impl Listener {
    pub(super) async fn follow_ends(&mut self, awaited: &Awaited) -> Result<(), Fault> {
        let (bus, tenant) = (self.triggers.events.clone(), self.row.tenant_id);
        attend(&bus, self.triggers.clock.as_ref(), tenant).await?;
        let reached = self.row.state.as_deref().and_then(|state| state.parse::<Place>().ok());
        let mut events = pin!(bus.follow(tenant, reached, Scope::WithoutRecords).await?.ready_chunks(BATCH));
        self.is_well().await?;
        let opened = Instant::now();
        while let Some(left) = RECONNECT.checked_sub(opened.elapsed()) {
            let Ok(found) = tokio::time::timeout(left, events.next()).await else { break };
            // The bus ends with the process.
            let found = found.ok_or(Fault::Lost)?;
            let mut heard = Vec::new();
            for event in &found {
                heard.extend(self.heard(awaited, event).await?);
            }
            let reached = found.last().map(|last| last.place.to_string());
            self.begin(heard, reached).await?;
        }
        Ok(())
    }

    /// The items of an execution that an event begins.
    async fn heard(&self, awaited: &Awaited, event: &Stored) -> Result<Option<Vec<Item>>, Fault> {
        if !event.kind.starts_with("execution.") {
            return Ok(None);
        }
        // Events of other kinds are about something else.
        let Ok(ended) = serde_json::from_str::<Ended>(&event.data) else { return Ok(None) };
        let begins_nothing = matches!(ended.mode, Mode::Manual | Mode::Internal);
        if begins_nothing || ended.workflow_id == self.row.workflow_id || !awaited.statuses.contains(&ended.status) {
            return Ok(None);
        }
        let programs = self.triggers.executions.executor().programs();
        let of = match programs.version(self.row.tenant_id, ended.workflow_id, ended.workflow_version_id).await {
            Ok(program) => program,
            // Deleted since.
            Err(error) if error.code().kind == Problem::NotFound => return Ok(None),
            Err(error) => return Err(super::super::error::Error::from(error).into()),
        };
        Ok(awaited.means(&of).then(|| vec![Item::new(told(&ended, &of))]))
    }
}

impl Awaited {
    fn means(&self, program: &Program) -> bool {
        let id = program.workflow.to_string();
        let names = [Some(id.as_str()), program.alias.as_deref(), Some(program.workflow().name.as_str())];
        self.workflows.is_empty() || self.workflows.iter().any(|wanted| names.contains(&Some(wanted.as_str())))
    }
}

/// What the trigger's item says, in the shape of an error trigger's.
fn told(ended: &Ended, of: &Program) -> Object {
    let mut execution = Object::from([
        ("id", Value::from(ended.id.to_string())),
        ("mode", ended.mode.as_str().into()),
        ("status", ended.status.as_str().into()),
    ]);
    if let Some(last) = &ended.last_node_executed {
        execution.insert("lastNodeExecuted", last.as_str());
    }
    if let Some(error) = &ended.error {
        execution.insert("error", Object::from([("message", Value::from(error.as_str()))]));
    }
    let workflow =
        Object::from([("id", Value::from(of.workflow.to_string())), ("name", Value::from(of.workflow().name.clone()))]);
    Object::from([("execution", Value::from(execution)), ("workflow", workflow.into())])
}
