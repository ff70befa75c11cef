//! The rules of workflows: every change makes a new immutable version, and what is in production changes in the same
//! transaction. Runs nothing: `executions` does, and asks here for the version to run.

use std::sync::{Arc, OnceLock};

use millrace_model::{Problem, Workflow};
use millrace_runner::{BuiltIn, Compiled};

use super::document::Document;
use super::dto::{ListWorkflowsQuery, WebhookResponse};
use super::endpoints::webhook_endpoints;
use super::error::Error;
use super::hooks::{Activation, WorkflowHooks};
use super::import::Bundle;
use super::model::{self, Checked};
use super::repository as rows;
use crate::common::{Clock, Ctx, Page, TenantId, WorkflowId, WorkflowVersionId};
use crate::domains::audit::{self, Change};
use crate::domains::tenants::{self, Limit};
use crate::infrastructure::database::{AcrossTenants, Database, Transaction, is_unique_violation};

/// The workflows of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    clock: Arc<dyn Clock>,
    audit: audit::Service,
    tenants: tenants::Service,
    public_url: Arc<str>,
    hooks: Arc<OnceLock<Vec<Arc<dyn WorkflowHooks>>>>,
}

/// A workflow with everything an answer shows.
#[derive(Debug)]
pub struct WorkflowView {
    pub(super) row: rows::Workflow,
    pub(super) document: Document,
    pub(super) tags: Vec<rows::Tag>,
    pub(super) webhooks: Vec<WebhookResponse>,
    /// `None`: not looked for.
    pub(super) findings: Option<Findings>,
}

/// What was found when looking through a workflow.
#[derive(Debug)]
pub(super) struct Findings {
    /// What keeps it from running.
    pub(super) problems: Vec<Problem>,
    /// What is worth knowing all the same.
    pub(super) warnings: Vec<Problem>,
}

/// What an import made.
#[derive(Debug)]
pub enum Imported {
    One(Box<WorkflowView>),
    Many(Vec<WorkflowView>),
}

impl Service {
    /// `public_url`: the address under which callers reach this server.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        audit: audit::Service,
        tenants: tenants::Service,
        public_url: &str,
    ) -> Service {
        let public_url = public_url.trim_end_matches('/').into();
        Service { database, clock, audit, tenants, public_url, hooks: Arc::default() }
    }

    /// Names those who take part in activations; once, before the first request.
    pub fn plug(&self, hooks: Vec<Arc<dyn WorkflowHooks>>) {
        if self.hooks.set(hooks).is_err() {
            tracing::error!("workflow hooks were plugged in twice; the second call was ignored");
        }
    }

    pub async fn list(&self, ctx: &Ctx, query: &ListWorkflowsQuery) -> Result<Page<WorkflowView>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let tags = query.tags.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|tag| !tag.is_empty());
        let filter = rows::Filter {
            active: query.active,
            name: query.name.clone().filter(|name| !name.trim().is_empty()),
            tags: tags.map(str::to_owned).collect(),
            before: query.cursor.map(|cursor| WorkflowId::from_uuid(cursor.id())),
            limit,
        };
        let connection = &self.database.read(ctx);
        let found = rows::list(connection, ctx.tenant, &filter).await?;
        let ids: Vec<WorkflowId> = found.iter().map(|row| row.id).collect();
        let mut tags = rows::tags_of(connection, ctx.tenant, &ids).await?;
        let mut versions = rows::versions(connection, ctx.tenant, found.iter().map(|row| row.version_id)).await?;
        let base = self.webhook_base(ctx.tenant).await?;
        Ok(Page::from_rows(
            found,
            limit,
            |row| row.id.as_uuid(),
            |row| {
                let document = versions.remove(&row.version_id).map_or_else(String::new, |version| version.document);
                let tags = tags.remove(&row.id).unwrap_or_default();
                view(&base, row, Document::from_stored(document), tags, false)
            },
        ))
    }

    pub async fn get(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowView, Error> {
        let row = self.row(ctx, reference).await?;
        self.load(ctx, row).await
    }

    /// The document as it came.
    pub async fn export(&self, ctx: &Ctx, reference: &str) -> Result<Document, Error> {
        let row = self.row(ctx, reference).await?;
        self.document(ctx.tenant, row.version_id).await
    }

    pub async fn create(&self, ctx: &Ctx, document: Document) -> Result<WorkflowView, Error> {
        let checked = self.checked(ctx, document).await?;
        let transaction = self.database.begin(ctx).await?;
        let row = self.insert(ctx, &transaction, &checked).await?;
        transaction.commit().await?;
        self.load(ctx, row).await
    }

    /// Makes a new version. `expected`: the version the caller has seen; refused when it is not the current one.
    pub async fn update(
        &self,
        ctx: &Ctx,
        reference: &str,
        document: Document,
        expected: Option<WorkflowVersionId>,
    ) -> Result<WorkflowView, Error> {
        let checked = self.checked(ctx, document).await?;
        let transaction = self.database.begin(ctx).await?;
        let row = rows::find(&transaction, ctx.tenant, reference).await?.ok_or(Error::NotFound)?;
        if let Some(expected) = expected.filter(|expected| *expected != row.version_id)
            && rows::version(&transaction, ctx.tenant, expected).await?.is_some_and(|seen| seen.workflow_id == row.id)
        {
            return Err(Error::Outdated(row.version_id));
        }
        let row = self.replace(ctx, &transaction, row, &checked).await?;
        transaction.commit().await?;
        self.settled(ctx.tenant, row.id).await;
        self.load(ctx, row).await
    }

    /// Keeps every document of the bundle, or none. A document whose id is known here becomes a new version of that
    /// workflow; any other becomes a new workflow.
    pub async fn import(&self, ctx: &Ctx, bundle: Bundle) -> Result<Imported, Error> {
        let single = matches!(bundle, Bundle::One(_));
        let checked = bundle.checked(&self.tenants.open_pools(ctx.tenant).await?).map_err(Error::Invalid)?;
        let transaction = self.database.begin(ctx).await?;
        let mut kept = Vec::with_capacity(checked.len());
        for checked in &checked {
            let known = match &checked.alias {
                Some(alias) => rows::find(&transaction, ctx.tenant, alias).await?,
                None => None,
            };
            kept.push(match known {
                Some(row) => self.replace(ctx, &transaction, row, checked).await?,
                None => self.insert(ctx, &transaction, checked).await?,
            });
        }
        transaction.commit().await?;
        let mut views = Vec::with_capacity(kept.len());
        for row in kept {
            self.settled(ctx.tenant, row.id).await;
            views.push(self.load(ctx, row).await?);
        }
        match views.pop() {
            Some(view) if single => Ok(Imported::One(Box::new(view))),
            last => {
                views.extend(last);
                Ok(Imported::Many(views))
            }
        }
    }

    /// Deletes the workflow with its versions; gives what it was.
    pub async fn delete(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowView, Error> {
        let row = self.row(ctx, reference).await?;
        let view = self.load(ctx, row).await?;
        let id = view.row.id;
        let transaction = self.database.begin(ctx).await?;
        for hook in self.hooks() {
            hook.deactivating(ctx, &transaction, id).await?;
            hook.deleting(ctx, &transaction, id).await?;
        }
        rows::delete(&transaction, ctx.tenant, id).await?;
        self.audit
            .record(&transaction, ctx, Change::new("workflow.delete", id).before(&Summary::of(&view.row)))
            .await?;
        transaction.commit().await?;
        self.settled(ctx.tenant, id).await;
        Ok(view)
    }

    /// Puts the current version into production.
    pub async fn activate(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowView, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut row = rows::find(&transaction, ctx.tenant, reference).await?.ok_or(Error::NotFound)?;
        let version = rows::version(&transaction, ctx.tenant, row.version_id).await?.ok_or(Error::VersionNotFound)?;
        let document = Document::from_stored(version.document);
        let parsed = document.parse().map_err(Error::NotRunnable)?;
        self.put_into_production(ctx, &transaction, &mut row, &document, &parsed).await?;
        row.updated_at = self.clock.now();
        self.write(&transaction, &row, row.version_id).await?;
        self.audit.record(&transaction, ctx, change("workflow.activate", &row)).await?;
        transaction.commit().await?;
        self.settled(ctx.tenant, row.id).await;
        self.load(ctx, row).await
    }

    /// Takes the workflow out of production.
    pub async fn deactivate(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowView, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut row = rows::find(&transaction, ctx.tenant, reference).await?.ok_or(Error::NotFound)?;
        for hook in self.hooks() {
            hook.deactivating(ctx, &transaction, row.id).await?;
        }
        row.active_version_id = None;
        row.updated_at = self.clock.now();
        self.write(&transaction, &row, row.version_id).await?;
        self.audit.record(&transaction, ctx, change("workflow.deactivate", &row)).await?;
        transaction.commit().await?;
        self.settled(ctx.tenant, row.id).await;
        self.load(ctx, row).await
    }

    /// What runs when a workflow is named: its version in production, else its newest.
    pub async fn production_version(
        &self,
        tenant: TenantId,
        reference: &str,
    ) -> Result<(WorkflowId, WorkflowVersionId), Error> {
        let row = rows::find(&self.database.read(tenant), tenant, reference).await?.ok_or(Error::NotFound)?;
        Ok((row.id, row.active_version_id.unwrap_or(row.version_id)))
    }

    /// The workflow and its version in production, which stays what it is until the caller's transaction is over.
    pub async fn hold_production(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        reference: &str,
    ) -> Result<(WorkflowId, Option<WorkflowVersionId>), Error> {
        let found = rows::find(transaction, tenant, reference).await?.ok_or(Error::NotFound)?;
        let row = rows::lock(transaction, tenant, found.id).await?.ok_or(Error::NotFound)?;
        Ok((row.id, row.active_version_id))
    }

    /// The version in production. `None`: the workflow is not active.
    pub async fn active_version(
        &self,
        tenant: TenantId,
        reference: &str,
    ) -> Result<Option<(WorkflowId, WorkflowVersionId)>, Error> {
        let row = rows::find(&self.database.read(tenant), tenant, reference).await?.ok_or(Error::NotFound)?;
        Ok(row.active_version_id.map(|version| (row.id, version)))
    }

    /// Whose workflow it is: for callers that show nothing but its id, and have yet to prove themselves.
    pub async fn tenant_of(&self, id: WorkflowId) -> Result<Option<TenantId>, Error> {
        Ok(rows::tenant_of(&self.database.read(AcrossTenants), id).await?)
    }

    /// The newest version, as a person tries it out.
    pub async fn newest_version(
        &self,
        tenant: TenantId,
        reference: &str,
    ) -> Result<(WorkflowId, WorkflowVersionId), Error> {
        let row = rows::find(&self.database.read(tenant), tenant, reference).await?.ok_or(Error::NotFound)?;
        Ok((row.id, row.version_id))
    }

    /// The id behind a reference.
    pub async fn resolve(&self, ctx: &Ctx, reference: &str) -> Result<WorkflowId, Error> {
        Ok(self.row(ctx, reference).await?.id)
    }

    /// The document of a version.
    pub async fn document(&self, tenant: TenantId, version: WorkflowVersionId) -> Result<Document, Error> {
        let version =
            rows::version(&self.database.read(tenant), tenant, version).await?.ok_or(Error::VersionNotFound)?;
        Ok(Document::from_stored(version.document))
    }
}

impl Service {
    fn hooks(&self) -> impl Iterator<Item = &Arc<dyn WorkflowHooks>> {
        self.hooks.get().into_iter().flatten()
    }

    async fn checked(&self, ctx: &Ctx, document: Document) -> Result<Checked, Error> {
        Checked::new(document, "", true, &self.tenants.open_pools(ctx.tenant).await?).map_err(Error::Invalid)
    }

    async fn settled(&self, tenant: TenantId, workflow: WorkflowId) {
        for hook in self.hooks() {
            hook.settled(tenant, workflow).await;
        }
    }

    async fn row(&self, ctx: &Ctx, reference: &str) -> Result<rows::Workflow, Error> {
        rows::find(&self.database.read(ctx), ctx.tenant, reference).await?.ok_or(Error::NotFound)
    }

    async fn load(&self, ctx: &Ctx, row: rows::Workflow) -> Result<WorkflowView, Error> {
        let document = self.document(ctx.tenant, row.version_id).await?;
        let mut tags = rows::tags_of(&self.database.read(ctx), ctx.tenant, &[row.id]).await?;
        let tags = tags.remove(&row.id).unwrap_or_default();
        let base = self.webhook_base(ctx.tenant).await?;
        Ok(view(&base, row, document, tags, true))
    }

    /// Where the tenant's webhooks are called, up to their path.
    async fn webhook_base(&self, tenant: TenantId) -> Result<String, Error> {
        let slug = self.tenants.slug(tenant).await?;
        Ok(format!("{}/t/{slug}/webhook/", self.public_url))
    }

    async fn insert(&self, ctx: &Ctx, transaction: &Transaction, checked: &Checked) -> Result<rows::Workflow, Error> {
        let count = rows::count(transaction, ctx.tenant, false);
        self.tenants.require_room(transaction, ctx, Limit::Workflows, count).await?;
        let now = self.clock.now();
        let row = rows::Workflow {
            id: WorkflowId::new(),
            tenant_id: ctx.tenant,
            alias: checked.alias.clone(),
            name: checked.name.clone(),
            version_id: WorkflowVersionId::new(),
            active_version_id: None,
            trigger_count: trigger_count(&checked.parsed),
            created_at: now,
            updated_at: now,
        };
        rows::insert(transaction, row.clone()).await.map_err(|error| match &checked.alias {
            Some(alias) if is_unique_violation(&error) => Error::IdTaken(alias.clone()),
            _ => Error::Database(error),
        })?;
        self.insert_version(ctx, transaction, &row, 1, &checked.document).await?;
        rows::set_tags(transaction, ctx.tenant, row.id, &checked.tags, now).await?;
        self.audit.record(transaction, ctx, change("workflow.create", &row)).await?;
        Ok(row)
    }

    /// Makes a new version of a workflow; the same document again makes none. An active workflow stays active with it.
    async fn replace(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        mut row: rows::Workflow,
        checked: &Checked,
    ) -> Result<rows::Workflow, Error> {
        let before = rows::version(transaction, ctx.tenant, row.version_id).await?.ok_or(Error::VersionNotFound)?;
        if before.document == checked.document.as_str() {
            return Ok(row);
        }
        let now = self.clock.now();
        row.name = checked.name.clone();
        row.trigger_count = trigger_count(&checked.parsed);
        row.updated_at = now;
        row.version_id = WorkflowVersionId::new();
        if row.active_version_id.is_some() {
            self.put_into_production(ctx, transaction, &mut row, &checked.document, &checked.parsed).await?;
        }
        self.write(transaction, &row, before.id).await?;
        self.insert_version(ctx, transaction, &row, before.number.saturating_add(1), &checked.document).await?;
        if checked.names_tags {
            rows::set_tags(transaction, ctx.tenant, row.id, &checked.tags, now).await?;
        }
        self.audit.record(transaction, ctx, change("workflow.update", &row)).await?;
        Ok(row)
    }

    async fn put_into_production(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        row: &mut rows::Workflow,
        document: &Document,
        parsed: &Workflow,
    ) -> Result<(), Error> {
        let mut problems = model::problems_of(&compiled(parsed.clone()));
        problems.extend(model::activation_problems(parsed));
        if !problems.is_empty() {
            return Err(Error::NotRunnable(problems));
        }
        if row.active_version_id.is_none() {
            let count = rows::count(transaction, ctx.tenant, true);
            self.tenants.require_room(transaction, ctx, Limit::ActiveWorkflows, count).await?;
        }
        let activation = Activation { workflow: row.id, version: row.version_id, document, parsed };
        for hook in self.hooks() {
            hook.activating(ctx, transaction, &activation).await?;
        }
        row.active_version_id = Some(row.version_id);
        Ok(())
    }

    async fn write(
        &self,
        transaction: &Transaction,
        row: &rows::Workflow,
        expected: WorkflowVersionId,
    ) -> Result<(), Error> {
        if rows::update(transaction, row, expected).await? { Ok(()) } else { Err(Error::Outdated(expected)) }
    }

    async fn insert_version(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        row: &rows::Workflow,
        number: i32,
        document: &Document,
    ) -> Result<(), Error> {
        let version = rows::Version {
            id: row.version_id,
            tenant_id: row.tenant_id,
            workflow_id: row.id,
            number,
            document: document.as_str().to_owned(),
            created_at: row.updated_at,
            created_by: ctx.actor.user(),
        };
        Ok(rows::insert_version(transaction, version).await?)
    }
}

/// What the audit log shows of a workflow: not its document, which the versions keep.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    name: &'a str,
    version_id: WorkflowVersionId,
    active_version_id: Option<WorkflowVersionId>,
}

impl Summary<'_> {
    fn of(row: &rows::Workflow) -> Summary<'_> {
        Summary { name: &row.name, version_id: row.version_id, active_version_id: row.active_version_id }
    }
}

fn change(action: &'static str, row: &rows::Workflow) -> Change {
    Change::new(action, row.id).after(&Summary::of(row))
}

fn view(
    base: &str,
    row: rows::Workflow,
    document: Document,
    tags: Vec<rows::Tag>,
    with_findings: bool,
) -> WorkflowView {
    let parsed = document.parse();
    let webhooks = parsed.as_ref().map_or_else(|_| Vec::new(), |parsed| webhooks(base, parsed));
    let findings = with_findings.then(|| match parsed {
        Ok(parsed) => {
            let compiled = compiled(parsed.clone());
            let warnings = model::warnings_of(&parsed, &compiled);
            Findings { problems: model::problems_of(&compiled), warnings }
        }
        Err(problems) => Findings { problems, warnings: Vec::new() },
    });
    WorkflowView { row, document, tags, webhooks, findings }
}

fn compiled(parsed: Workflow) -> Compiled {
    Compiled::new(Arc::new(parsed), &BuiltIn)
}

fn webhooks(base: &str, parsed: &Workflow) -> Vec<WebhookResponse> {
    let (endpoints, _) = webhook_endpoints(parsed);
    let addresses = endpoints.into_iter().map(|endpoint| WebhookResponse {
        node: parsed.node(endpoint.node).name.to_string(),
        method: endpoint.method.to_string(),
        url: format!("{base}{}", endpoint.path),
        path: endpoint.path.to_string(),
    });
    addresses.collect()
}

fn trigger_count(parsed: &Workflow) -> i32 {
    i32::try_from(model::trigger_count(parsed)).unwrap_or(i32::MAX)
}
