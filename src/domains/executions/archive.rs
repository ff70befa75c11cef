//! The tenant's executions with their data as files of JSON lines, newest first.

use async_trait::async_trait;

use super::dto::ListExecutionsQuery;
use super::service::Service;
use crate::common::page::Limit;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::tenants::{ArchiveFile, ArchivePage, ArchiveSource};

/// Executions of one file: their data are in memory at the same time.
const PAGE: u64 = 20;

#[async_trait]
impl ArchiveSource for Service {
    fn folder(&self) -> &'static str {
        "executions"
    }

    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem> {
        let limit = Limit::new(PAGE);
        let query = ListExecutionsQuery { include_data: true, cursor: after, limit, ..ListExecutionsQuery::default() };
        let page = self.list(ctx, &query).await?;
        let Some(first) = page.data.first() else { return Ok(ArchivePage::default()) };
        let (name, mut content) = (format!("{}.jsonl", first.id), Vec::new());
        for execution in &page.data {
            serde_json::to_writer(&mut content, execution).map_err(|error| Problem::internal(&error))?;
            content.push(b'\n');
        }
        Ok(ArchivePage { files: vec![ArchiveFile { name, content }], next: page.next_cursor })
    }
}
