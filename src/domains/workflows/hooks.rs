//! What other domains do when a workflow is activated, deactivated or deleted. They implement [`WorkflowHooks`]; the
//! composition root plugs them in. This domain knows none of them.

use async_trait::async_trait;

use super::document::Document;
use super::error::Refusal;
use crate::common::{Ctx, TenantId, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::{self, Transaction};

/// All steps but [`WorkflowHooks::settled`] happen inside the transaction that changes the workflow.
#[async_trait]
pub trait WorkflowHooks: Send + Sync {
    /// This version goes into production, perhaps in place of another one. May refuse.
    async fn activating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        activation: &Activation<'_>,
    ) -> Result<(), Refusal>;

    /// No version is in production any more.
    async fn deactivating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        workflow: WorkflowId,
    ) -> Result<(), database::Error>;

    /// The workflow (inactive by now) is being deleted.
    async fn deleting(&self, _: &Ctx, _: &Transaction, _: WorkflowId) -> Result<(), database::Error> {
        Ok(())
    }

    /// The change is committed: caches may be refreshed. Other replicas have to be told, too.
    async fn settled(&self, tenant: TenantId, workflow: WorkflowId);
}

/// A version about to go into production.
#[derive(Debug)]
pub struct Activation<'a> {
    pub workflow: WorkflowId,
    pub version: WorkflowVersionId,
    pub document: &'a Document,
    pub parsed: &'a millrace_model::Workflow,
}
