//! The tenant's schedules as files of JSON.

use async_trait::async_trait;

use super::dto::ListSchedulesQuery;
use super::service::Service;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::tenants::{ArchiveFile, ArchivePage, ArchiveSource};

#[async_trait]
impl ArchiveSource for Service {
    fn folder(&self) -> &'static str {
        "schedules"
    }

    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem> {
        let page = self.list(ctx, &ListSchedulesQuery { cursor: after, ..ListSchedulesQuery::default() }).await?;
        let Some(first) = page.data.first() else { return Ok(ArchivePage::default()) };
        let name = format!("{}.json", first.id);
        let content = serde_json::to_vec_pretty(&page.data).map_err(|error| Problem::internal(&error))?;
        Ok(ArchivePage { files: vec![ArchiveFile { name, content }], next: page.next_cursor })
    }
}
