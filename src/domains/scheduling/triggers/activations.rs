//! Triggers that come with workflows: one for each enabled node that listens, kept through versions so that saving a
//! workflow forgets nothing that was heard. An inactive workflow's triggers are held by nobody.

use std::sync::Arc;

use async_trait::async_trait;
use millrace_runner::{BuiltIn, Compiled};

use super::super::repository::triggers::{self as rows, Trigger};
use super::source::Source;
use super::{Kind, finished};
use crate::common::{Clock, Ctx, TenantId, Timestamp, TriggerId, WorkflowId};
use crate::domains::workflows::{Activation, Refusal, WorkflowHooks};
use crate::infrastructure::database::{self, Database, Transaction};
use crate::infrastructure::events::{Bus, Scope};

/// Keeps the triggers of workflows in step with what is in production.
pub struct TriggerActivations {
    database: Database,
    clock: Arc<dyn Clock>,
    events: Bus,
}

impl TriggerActivations {
    pub fn new(database: Database, clock: Arc<dyn Clock>, events: Bus) -> TriggerActivations {
        TriggerActivations { database, clock, events }
    }
}

#[async_trait]
impl WorkflowHooks for TriggerActivations {
    async fn activating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        activation: &Activation<'_>,
    ) -> Result<(), Refusal> {
        let compiled = Compiled::new(Arc::new(activation.parsed.clone()), &BuiltIn);
        let (mut wanted, mut problems) = (Vec::new(), Vec::new());
        for index in activation.parsed.indices() {
            match Source::of(&compiled, index) {
                None => {}
                Some(Ok(source)) => wanted.push((activation.parsed.node(index).name.to_string(), source)),
                Some(Err(problem)) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(Refusal::Invalid(problems));
        }
        let now = self.clock.now();
        // What happened while it was not active begins nothing.
        let follows = wanted.iter().any(|(_, source)| source.follows_events());
        let newest =
            if follows { Some(self.events.newest(ctx.tenant, Scope::WithoutRecords).await?.to_string()) } else { None };
        let beginning = |source: &Source| newest.clone().filter(|_| source.follows_events());
        let mut gone = Vec::new();
        for row in rows::of_workflow(transaction, ctx.tenant, activation.workflow).await? {
            let Some(at) = wanted.iter().position(|(node, _)| *node == row.node) else {
                gone.push(row.id);
                continue;
            };
            let (_, source) = wanted.swap_remove(at);
            let text = written(&source)?;
            let goes_on = row.source == text && (row.version_id.is_some() || !source.follows_events());
            let state = if goes_on { row.state.clone() } else { beginning(&source) };
            let version_id = Some(activation.version);
            let row = Trigger { version_id, kind: source.kind(), source: text, state, updated_at: now, ..quiet(row) };
            rows::update(transaction, row).await?;
        }
        rows::delete(transaction, ctx.tenant, &gone).await?;
        let new = wanted.into_iter().map(|(node, source)| {
            Ok(Trigger {
                id: TriggerId::new(),
                tenant_id: ctx.tenant,
                workflow_id: activation.workflow,
                version_id: Some(activation.version),
                node,
                kind: source.kind(),
                source: written(&source)?,
                state: beginning(&source),
                holder: None,
                lease_until: Timestamp::default(),
                term: 0,
                failures: 0,
                error: None,
                last_began_at: None,
                created_at: now,
                updated_at: now,
            })
        });
        let new = new.collect::<Result<Vec<_>, database::Error>>()?;
        Ok(rows::insert(transaction, new).await?)
    }

    async fn deactivating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        workflow: WorkflowId,
    ) -> Result<(), database::Error> {
        for row in rows::of_workflow(transaction, ctx.tenant, workflow).await? {
            let row = Trigger { version_id: None, updated_at: self.clock.now(), ..quiet(row) };
            rows::update(transaction, row).await?;
        }
        Ok(())
    }

    /// Who listens looks for changes by itself; but what happens until then is to be kept.
    async fn settled(&self, tenant: TenantId, workflow: WorkflowId) {
        let attended = async {
            let own =
                rows::list(&self.database.read(tenant), tenant, Some(workflow), None, u64::from(u16::MAX)).await?;
            if own.iter().any(|row| row.kind == Kind::Finished && row.version_id.is_some()) {
                finished::attend(&self.events, self.clock.as_ref(), tenant).await?;
            }
            Ok::<_, database::Error>(())
        };
        if let Err(error) = attended.await {
            tracing::warn!(%workflow, %error, "events may be missed until the workflow's trigger is held");
        }
    }
}

/// Without what went wrong before.
fn quiet(row: Trigger) -> Trigger {
    Trigger { failures: 0, error: None, ..row }
}

fn written(source: &Source) -> Result<String, database::Error> {
    serde_json::to_string(source).map_err(|error| database::Error::Custom(error.to_string()))
}
