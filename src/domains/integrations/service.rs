//! Rules of another n8n: whose it is, what is taken over of it, and what is asked of it.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::dto::{
    ImportN8nWorkflows, ImportProblem, ImportedN8nWorkflow, ListN8nExecutionsQuery, ListN8nWorkflowsQuery,
    N8nExecution, N8nExecutionsPage, N8nImportResponse, N8nWorkflow, N8nWorkflowsPage,
};
use super::error::Error;
use super::remote::Remote;
use crate::common::{Coded, Ctx};
use crate::domains::audit::{self, Change};
use crate::domains::workflows::{self, Document};
use crate::domains::{credentials, tenants};
use crate::infrastructure::http_client::HttpClient;

/// Type of the credentials that hold an address and a key.
const KIND: &str = "n8nApi";
/// Workflows taken over at once.
const MOST: usize = 1000;
/// Rows asked for at once.
const PAGE: &str = "100";

/// Other servers of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    credentials: credentials::Service,
    workflows: workflows::Service,
    tenants: tenants::Service,
    audit: audit::Service,
    http: HttpClient,
}

/// What is read of a workflow of the n8n.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    nodes: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    updated_at: Option<String>,
}

impl Head {
    fn of(raw: &RawValue) -> Result<Head, Error> {
        serde_json::from_str(raw.get()).map_err(|_| Error::NotTheApi("a workflow has another shape"))
    }
}

impl Service {
    pub fn new(
        credentials: credentials::Service,
        workflows: workflows::Service,
        tenants: tenants::Service,
        audit: audit::Service,
        http: HttpClient,
    ) -> Service {
        Service { credentials, workflows, tenants, audit, http }
    }

    /// The n8n of a credential.
    pub(super) async fn remote(&self, ctx: &Ctx, credential: &str) -> Result<Remote, Error> {
        let lent = self.credentials.lend(ctx, credential, KIND).await?;
        let profile = self.tenants.profile(ctx.tenant).await?;
        let text = |name: &str| lent.data.get(name).and_then(millrace_model::Value::as_str).unwrap_or_default();
        let (address, key) = (text("baseUrl"), text("apiKey"));
        let way = self.http.within(std::sync::Arc::clone(&profile.egress));
        Remote::new(way, address, key.to_owned(), lent.allowed_hosts.clone())
    }

    pub(super) async fn note(&self, ctx: &Ctx, change: Change) -> Result<(), Error> {
        Ok(self.audit.note(ctx, change).await?)
    }

    pub(super) async fn workflows(
        &self,
        ctx: &Ctx,
        credential: &str,
        query: &ListN8nWorkflowsQuery,
    ) -> Result<N8nWorkflowsPage, Error> {
        let mut asked = vec![("limit", query.limit.unwrap_or_default().get().to_string())];
        asked.extend(query.active.map(|active| ("active", active.to_string())));
        asked.extend(query.cursor.clone().map(|cursor| ("cursor", cursor)));
        let page = self.remote(ctx, credential).await?.list("workflows", &asked).await?;
        let shown = |raw: &RawValue| {
            let Head { id, name, active, nodes, updated_at } = Head::of(raw)?;
            Ok(N8nWorkflow { id, name, active, nodes: nodes.len(), updated_at })
        };
        let data = page.data.iter().map(AsRef::as_ref).map(shown).collect::<Result<_, Error>>()?;
        Ok(N8nWorkflowsPage { data, next_cursor: page.next_cursor })
    }

    /// Takes workflows over, each by itself: one that cannot be kept holds no other back.
    pub(super) async fn import(
        &self,
        ctx: &Ctx,
        credential: &str,
        wanted: ImportN8nWorkflows,
    ) -> Result<N8nImportResponse, Error> {
        let remote = self.remote(ctx, credential).await?;
        self.note(ctx, Change::new("integration.import", credential).after(&wanted)).await?;
        let documents = match &wanted.workflow_ids {
            Some(ids) => {
                let mut documents = Vec::with_capacity(ids.len());
                for id in ids {
                    documents.push(remote.one("workflows", id, &[]).await?);
                }
                documents
            }
            None => all_workflows(&remote).await?,
        };
        let mut data = Vec::with_capacity(documents.len());
        for raw in documents {
            let Head { id, name, .. } = Head::of(&raw)?;
            let (workflow_id, problem) = match self.workflows.take_over(ctx, Document::from_raw(&raw)).await {
                Ok(kept) => (Some(kept), None),
                Err(error) if is_of_this_one(&error) => (None, Some(problem(&error))),
                Err(error) => return Err(error.into()),
            };
            data.push(ImportedN8nWorkflow { id, name, workflow_id, problem });
        }
        Ok(N8nImportResponse { data })
    }

    pub(super) async fn executions(
        &self,
        ctx: &Ctx,
        credential: &str,
        query: &ListN8nExecutionsQuery,
    ) -> Result<N8nExecutionsPage, Error> {
        let mut asked = vec![("limit", query.limit.unwrap_or_default().get().to_string())];
        asked.extend(query.workflow_id.clone().map(|workflow| ("workflowId", workflow)));
        asked.extend(query.status.clone().map(|status| ("status", status)));
        asked.extend(query.cursor.clone().map(|cursor| ("cursor", cursor)));
        let page = self.remote(ctx, credential).await?.list("executions", &asked).await?;
        Ok(N8nExecutionsPage { data: page.data, next_cursor: page.next_cursor })
    }

    pub(super) async fn execution(&self, ctx: &Ctx, credential: &str, id: &str) -> Result<N8nExecution, Error> {
        let remote = self.remote(ctx, credential).await?;
        let found = remote.one("executions", id, &[("includeData", "true".to_owned())]).await?;
        Ok(N8nExecution(found))
    }
}

/// Every workflow of the n8n, page by page.
async fn all_workflows(remote: &Remote) -> Result<Vec<Box<RawValue>>, Error> {
    let (mut found, mut cursor, mut seen) = (Vec::new(), None::<String>, HashSet::new());
    loop {
        let mut query = vec![("limit", PAGE.to_owned())];
        query.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        let page = remote.list("workflows", &query).await?;
        let is_empty = page.data.is_empty();
        found.extend(page.data);
        if found.len() > MOST {
            return Err(Error::TooMany(MOST));
        }
        match page.next_cursor.filter(|next| !next.is_empty()) {
            None => return Ok(found),
            Some(_) if is_empty => return Err(Error::NotTheApi("its pages have no end")),
            Some(next) if !seen.insert(next.clone()) => return Err(Error::NotTheApi("its pages have no end")),
            next => cursor = next,
        }
    }
}

/// Whether the workflow is at fault, and others may go.
fn is_of_this_one(error: &workflows::Error) -> bool {
    use workflows::Error as E;
    matches!(
        error,
        E::Invalid(_) | E::NotRunnable(_) | E::IdTaken(_) | E::Refused(_) | E::Unreadable(_) | E::Outdated(_)
    )
}

fn problem(error: &workflows::Error) -> ImportProblem {
    ImportProblem {
        code: error.code().code.to_owned(),
        title: error.code().title.to_owned(),
        errors: error.field_errors(),
    }
}
