//! The tenant's data tables as files: of each its columns, and its rows as JSON lines.

use async_trait::async_trait;

use super::dto::{DataTableResponse, ListDataTablesQuery};
use super::error::Error;
use super::rows::Wanted;
use super::service::Service;
use crate::common::page::Limit;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::tenants::{ArchiveFile, ArchivePage, ArchiveSource};

/// Rows that are in memory at a time.
const PAGE: u64 = 10_000;

#[async_trait]
impl ArchiveSource for Service {
    fn folder(&self) -> &'static str {
        "data-tables"
    }

    /// One table at a time.
    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem> {
        let page = self.list(ctx, &ListDataTablesQuery { limit: Limit::new(1), cursor: after }).await?;
        let Some(table) = page.data.first() else { return Ok(ArchivePage::default()) };
        let described = serde_json::to_vec(table).map_err(|error| Problem::internal(&error))?;
        let files = vec![
            ArchiveFile { name: format!("{}.json", table.id), content: described },
            ArchiveFile { name: format!("{}.jsonl", table.id), content: self.lines(ctx, table).await? },
        ];
        Ok(ArchivePage { files, next: page.next_cursor })
    }
}

impl Service {
    async fn lines(&self, ctx: &Ctx, table: &DataTableResponse) -> Result<Vec<u8>, Error> {
        let row = self.table(ctx.tenant, table.id).await?;
        let (mut content, mut after) = (Vec::new(), None);
        loop {
            let wanted = Wanted { after, limit: Some(PAGE), ..Wanted::default() };
            let rows = self.select(ctx.tenant, &row, &wanted).await?;
            for row in &rows {
                serde_json::to_writer(&mut content, row)?;
                content.push(b'\n');
            }
            let last = rows.last().and_then(|row| row.get("id")?.as_f64()).and_then(millrace_model::to_index);
            match last.and_then(|id| i64::try_from(id).ok()) {
                Some(id) => after = Some(id),
                None => return Ok(content),
            }
        }
    }
}
