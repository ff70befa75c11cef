//! Workflows that begin when a run of another one is over. They are stored in the transaction that stores the end, so none
//! is forgotten and none begins twice. What such a workflow does begins no other: two of them could go on for ever.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use millrace_model::{Item, Object, Value};
use rustc_hash::FxHashMap;
use tokio_util::sync::CancellationToken;

use super::super::error::Error;
use super::super::repository::triggers::{self as rows, Trigger};
use super::Kind;
use super::service::Triggers;
use super::source::Source;
use crate::common::{ExecutionId, TenantId, WorkflowId, WorkflowVersionId};
use crate::domains::audit::{Event, Listener};
use crate::domains::executions::{Launch, Mode, Prepared, Program, Status};
use crate::infrastructure::database::{self, AcrossTenants, Transaction};

/// A workflow that was activated on another replica is waited for this much later.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The workers are told a moment after the transaction, which is not over yet.
const SOON: Duration = Duration::from_millis(25);

/// Who waits, by tenant.
pub(super) type Index = FxHashMap<TenantId, Vec<Arc<Waiting>>>;

/// A workflow that waits for the ends of others.
#[derive(Debug)]
pub(super) struct Waiting {
    row: Trigger,
    workflows: Vec<String>,
    statuses: Vec<Status>,
}

/// The end of an execution, as the bus tells it.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    execution_id: ExecutionId,
    workflow_id: WorkflowId,
    workflow_version_id: WorkflowVersionId,
    mode: Mode,
    status: Status,
    error: Option<String>,
    last_node_executed: Option<String>,
}

impl Triggers {
    /// Reads who waits.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut index = Index::default();
        for row in rows::active(&self.database.read(AcrossTenants), Kind::Finished).await? {
            let Ok(Source::Finished { workflows, statuses }) = serde_json::from_str(&row.source) else { continue };
            index.entry(row.tenant_id).or_default().push(Arc::new(Waiting { row, workflows, statuses }));
        }
        *self.finished.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(())
    }

    /// Follows who waits until the shutdown.
    pub async fn follow(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "workflows that wait for others could not be read");
            }
            shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    fn waiting(&self, tenant: TenantId, status: Status) -> Vec<Arc<Waiting>> {
        let index = self.finished.read().unwrap_or_else(PoisonError::into_inner);
        let all = index.get(&tenant).into_iter().flatten();
        all.filter(|waiting| waiting.statuses.contains(&status)).cloned().collect()
    }

    async fn prepare(&self, waiting: &Waiting, ended: &Ended, of: &Program) -> Result<Prepared, Error> {
        let row = &waiting.row;
        let executor = self.executions.executor();
        let version = row.version_id.ok_or(Error::Dormant)?;
        let program = executor.programs().version(row.tenant_id, row.workflow_id, version).await?.runnable()?;
        let node = program.workflow().find(&row.node).ok_or_else(|| Error::NodeGone(row.node.clone()))?;
        let items = Arc::new(vec![Item::new(told(ended, of))]);
        let (mode, output, honour_pins, parent, retry_of) = (Mode::Internal, 0, false, None, None);
        Ok(executor.prepare(Launch { program, mode, node, items, output, honour_pins, parent, retry_of }).await?)
    }
}

#[async_trait]
impl Listener for Triggers {
    fn wants(&self, tenant: TenantId, kind: &str) -> bool {
        status_of(kind).is_some_and(|status| !self.waiting(tenant, status).is_empty())
    }

    async fn keep(&self, transaction: &Transaction, event: &Event) -> Result<(), database::Error> {
        let Ok(ended) = serde_json::from_value::<Ended>(event.data.clone()) else { return Ok(()) };
        if matches!(ended.mode, Mode::Manual | Mode::Internal) {
            return Ok(());
        }
        let programs = self.executions.executor().programs();
        let Ok(of) = programs.version(event.tenant, ended.workflow_id, ended.workflow_version_id).await else {
            return Ok(());
        };
        let mut prepared = Vec::new();
        for waiting in self.waiting(event.tenant, ended.status) {
            if waiting.row.workflow_id == ended.workflow_id || !waiting.means(&of) {
                continue;
            }
            match self.prepare(&waiting, &ended, &of).await {
                Ok(execution) => prepared.push(execution),
                // The end of an execution stands whatever follows from it.
                Err(error) => tracing::warn!(trigger = %waiting.row.id, %error, "a workflow that waits cannot begin"),
            }
        }
        if prepared.is_empty() {
            return Ok(());
        }
        let executor = self.executions.executor().clone();
        executor.store_within(transaction, &prepared).await?;
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            executor.announce(prepared);
        });
        Ok(())
    }
}

impl Waiting {
    fn means(&self, program: &Program) -> bool {
        let id = program.workflow.to_string();
        let names = [Some(id.as_str()), program.alias.as_deref(), Some(program.workflow().name.as_str())];
        self.workflows.is_empty() || self.workflows.iter().any(|wanted| names.contains(&Some(wanted.as_str())))
    }
}

fn status_of(kind: &str) -> Option<Status> {
    kind.strip_prefix("execution.")?.parse().ok()
}

/// What the trigger's item says, in the shape of an error trigger's.
fn told(ended: &Ended, of: &Program) -> Object {
    let mut execution = Object::from([
        ("id", Value::from(ended.execution_id.to_string())),
        ("mode", ended.mode.as_str().into()),
        ("status", ended.status.as_str().into()),
    ]);
    if let Some(last) = &ended.last_node_executed {
        execution.insert("lastNodeExecuted", last.as_str());
    }
    if let Some(error) = &ended.error {
        execution.insert("error", Object::from([("message", Value::from(error.as_str()))]));
    }
    let workflow = Object::from([
        ("id", Value::from(of.workflow.to_string())),
        ("name", Value::from(of.workflow().name.clone())),
    ]);
    Object::from([("execution", Value::from(execution)), ("workflow", workflow.into())])
}
