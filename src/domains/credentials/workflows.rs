//! What this domain asks of the workflows above it. The composition root plugs in who answers.

use async_trait::async_trait;

use super::dto::WorkflowUse;
use crate::common::{CredentialId, TenantId, WorkflowId};
use crate::infrastructure::database;

/// How workflows may name a credential.
#[derive(Clone, Debug)]
pub struct CredentialName {
    pub id: CredentialId,
    /// The id it was exported under elsewhere.
    pub alias: Option<String>,
    pub name: String,
    pub kind: String,
}

impl CredentialName {
    /// Does a node's reference (`{"id": …, "name": …}`, or a bare name) to a credential of this type name it? The id
    /// decides; a name counts only where there is no id, or one that stems from elsewhere and leads nowhere here.
    pub fn is_meant_by(&self, kind: &str, id: Option<&str>, name: Option<&str>) -> bool {
        if kind != self.kind {
            return false;
        }
        match id {
            Some(id) if id == self.id.to_string() || Some(id) == self.alias.as_deref() => true,
            Some(id) if id.parse::<CredentialId>().is_ok() => false,
            _ => name == Some(&self.name),
        }
    }
}

/// The workflows of all tenants, as far as credentials care.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// The workflows whose current version names the credential.
    async fn using(&self, tenant: TenantId, credential: &CredentialName) -> Result<Vec<WorkflowUse>, database::Error>;

    /// Those of the ids that are no workflows of the tenant.
    async fn unknown(&self, tenant: TenantId, ids: &[WorkflowId]) -> Result<Vec<WorkflowId>, database::Error>;
}
