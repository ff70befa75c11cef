//! The tenant's credentials as files of JSON. An archive lies about: a mark stands for each secret, as in answers.

use async_trait::async_trait;

use super::dto::ListCredentialsQuery;
use super::service::Service;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::tenants::{ArchiveFile, ArchivePage, ArchiveSource};

#[async_trait]
impl ArchiveSource for Service {
    fn folder(&self) -> &'static str {
        "credentials"
    }

    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem> {
        let page = self.list(ctx, &ListCredentialsQuery { cursor: after, ..ListCredentialsQuery::default() }).await?;
        let mut files = Vec::with_capacity(page.data.len());
        for credential in page.data {
            let id = credential.id.to_string();
            let content = match self.get(ctx, &id).await {
                Ok(complete) => serde_json::to_vec_pretty(&complete),
                // What does not open is still known to be there.
                Err(_) => serde_json::to_vec_pretty(&credential),
            };
            let content = content.map_err(|error| Problem::internal(&error))?;
            files.push(ArchiveFile { name: format!("{id}.json"), content });
        }
        Ok(ArchivePage { files, next: page.next_cursor })
    }
}
