//! Which workflows use a credential, for the domain of credentials.

use async_trait::async_trait;
use millrace_model::{Node, Value, Workflow};

use super::document::Document;
use super::repository as rows;
use super::service::Service;
use crate::common::{TenantId, WorkflowId};
use crate::domains::credentials::{CredentialName, WorkflowUse, Workflows};
use crate::infrastructure::database;

#[async_trait]
impl Workflows for Service {
    async fn using(&self, tenant: TenantId, credential: &CredentialName) -> Result<Vec<WorkflowUse>, database::Error> {
        let names = [Some(credential.id.to_string()), credential.alias.clone(), Some(credential.name.clone())];
        let texts: Vec<String> = names.into_iter().flatten().map(|name| Value::from(name).to_json()).collect();
        let found = rows::mentioning(&self.database.read(tenant), tenant, &texts).await?;
        let used = found.into_iter().filter_map(|(row, document)| {
            let nodes = nodes_using(&Document::from_stored(document).parse().ok()?, credential);
            let active = row.active_version_id.is_some();
            (!nodes.is_empty()).then_some(WorkflowUse { id: row.id, name: row.name, active, nodes })
        });
        Ok(used.collect())
    }

    async fn unknown(&self, tenant: TenantId, ids: &[WorkflowId]) -> Result<Vec<WorkflowId>, database::Error> {
        let known = rows::known(&self.database.read(tenant), tenant, ids).await?;
        Ok(ids.iter().copied().filter(|id| !known.contains(id)).collect())
    }
}

fn nodes_using(workflow: &Workflow, credential: &CredentialName) -> Vec<String> {
    let uses = |node: &&Node| {
        node.credentials.iter().any(|(kind, reference)| {
            let text = |name: &str| reference.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            credential.is_meant_by(kind, text("id"), text("name").or(reference.as_str()))
        })
    };
    workflow.nodes.iter().filter(uses).map(|node| node.name.to_string()).collect()
}
