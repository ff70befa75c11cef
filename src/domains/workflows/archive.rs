//! The tenant's workflows as files: each as n8n exports it, ready to be imported anywhere.

use async_trait::async_trait;

use super::dto::ListWorkflowsQuery;
use super::service::Service;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::tenants::{ArchiveFile, ArchivePage, ArchiveSource};

#[async_trait]
impl ArchiveSource for Service {
    fn folder(&self) -> &'static str {
        "workflows"
    }

    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem> {
        let page = self.list(ctx, &ListWorkflowsQuery { cursor: after, ..ListWorkflowsQuery::default() }).await?;
        let file = |view: super::service::WorkflowView| ArchiveFile {
            name: format!("{}.json", view.row.id),
            content: view.document.as_str().as_bytes().to_vec(),
        };
        Ok(ArchivePage { files: page.data.into_iter().map(file).collect(), next: page.next_cursor })
    }
}
