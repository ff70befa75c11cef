//! The triggers of all tenants: what they are shown as, and what listening stands on.

use std::sync::Arc;

use super::super::dto::{ListTriggersQuery, TriggerResponse};
use super::super::error::Error;
use super::super::repository::triggers as rows;
use crate::common::{Clock, Ctx, Page, TriggerId, WorkerId};
use crate::domains::{credentials, executions, tenants};
use crate::infrastructure::database::Database;
use crate::infrastructure::events::Bus;
use crate::infrastructure::http_client::HttpClient;

/// Listens for triggers. Cheap to clone.
#[derive(Clone)]
pub struct Triggers {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tenants: tenants::Service,
    pub(super) credentials: credentials::Service,
    pub(super) executions: executions::Service,
    pub(super) events: Bus,
    pub(super) http: HttpClient,
    /// This process.
    pub(super) holder: WorkerId,
}

/// What listening stands on.
pub struct Dependencies {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub tenants: tenants::Service,
    pub credentials: credentials::Service,
    pub executions: executions::Service,
    pub events: Bus,
    pub http: HttpClient,
}

impl Triggers {
    pub fn new(dependencies: Dependencies) -> Triggers {
        let Dependencies { database, clock, tenants, credentials, executions, events, http } = dependencies;
        let holder = WorkerId::new();
        Triggers { database, clock, tenants, credentials, executions, events, http, holder }
    }

    /// Newest first, those of inactive workflows too.
    pub async fn list(&self, ctx: &Ctx, query: &ListTriggersQuery) -> Result<Page<TriggerResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| TriggerId::from_uuid(cursor.id()));
        let found = rows::list(&self.database.read(ctx), ctx.tenant, query.workflow_id, before, limit).await?;
        let now = self.clock.now();
        Ok(Page::from_rows(found, limit, |row| row.id.as_uuid(), |row| TriggerResponse::new(row, now)))
    }
}
