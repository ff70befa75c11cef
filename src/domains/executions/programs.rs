//! Workflow versions made ready to run, kept in memory per tenant. A version never changes, so what is kept under its id
//! is never stale; which version a workflow runs is looked up again after a moment, and at once when this process changed it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use millrace_model::{Item, Problem, Str, Value, Workflow};
use millrace_runner::{BuiltIn, Compiled};
use moka::sync::Cache;

use super::error::Error;
use super::repository as rows;
use crate::common::{Ctx, TenantId, WorkflowId, WorkflowVersionId};
use crate::domains::tenants;
use crate::domains::workflows::{self, Activation, Document, Refusal, WorkflowHooks};
use crate::infrastructure::database::{self, Transaction};

/// Programs kept at most.
const CAPACITY: u64 = 10_000;
/// How long a reference is believed; a change on another replica may take this long to be seen.
const REFERENCE_LIFE: Duration = Duration::from_secs(1);

/// A workflow version ready to run.
#[derive(Debug)]
pub struct Program {
    pub tenant: TenantId,
    pub workflow: WorkflowId,
    pub version: WorkflowVersionId,
    pub compiled: Compiled,
    /// What keeps it from running.
    pub problems: Vec<Problem>,
    /// Its scripts may read or write static data, which then is loaded and saved around a run.
    pub uses_static_data: bool,
    /// How many of its executions may run at a time, by its settings.
    pub concurrency: Option<u64>,
    /// The path in its first item to what that is counted by, apart for each value.
    concurrency_key: Option<String>,
    /// The pool of workers it is pinned to, by its settings.
    pub pool: Option<String>,
    /// The tenant's address on this server: `https://…/t/acme`.
    pub address: Arc<str>,
    /// The id it goes by elsewhere.
    pub alias: Option<Str>,
    /// The document, where it is no stored workflow but was given in a call.
    pub inline: Option<Value>,
}

/// Characters of a key that are compared.
const MAX_KEY: usize = 200;

/// Finds programs. Cheap to clone.
#[derive(Clone)]
pub struct Programs {
    workflows: workflows::Service,
    tenants: tenants::Service,
    public_url: Arc<str>,
    by_version: Cache<(TenantId, WorkflowVersionId), Arc<Program>>,
    by_reference: Cache<(TenantId, String), (WorkflowId, WorkflowVersionId)>,
}

impl Program {
    /// Compiles a document; the problems where it is no workflow at all.
    pub fn new(
        tenant: TenantId,
        workflow: WorkflowId,
        version: WorkflowVersionId,
        document: &Document,
        address: Arc<str>,
    ) -> Result<Program, Vec<Problem>> {
        let parsed = document.parse()?;
        let uses_static_data = document.as_str().contains("StaticData(");
        Ok(Program { uses_static_data, address, ..Program::compile(tenant, workflow, version, parsed) })
    }

    /// A workflow given in a call; its executions are listed under the caller.
    pub(super) fn inline(caller: &Program, parsed: Workflow, document: &Value) -> Program {
        let program = Program::compile(caller.tenant, caller.workflow, caller.version, parsed);
        Program { inline: Some(document.clone()), address: Arc::clone(&caller.address), ..program }
    }

    fn compile(tenant: TenantId, workflow: WorkflowId, version: WorkflowVersionId, mut parsed: Workflow) -> Program {
        // Inside the run the workflow goes by the id it has here, wherever it came from.
        let alias = std::mem::replace(&mut parsed.id, ecow::eco_format!("{workflow}"));
        let alias = Some(alias).filter(|id| !id.is_empty());
        let compiled = Compiled::new(Arc::new(parsed), &BuiltIn);
        let problems = workflows::problems_of(&compiled);
        let given = compiled.workflow().settings.document.get("concurrency").and_then(Value::as_f64);
        let concurrency =
            given.filter(|limit| *limit >= 1.0).and_then(|limit| format!("{:.0}", limit.floor()).parse().ok());
        let key = compiled.workflow().settings.document.get("concurrencyKey").and_then(Value::as_str);
        let concurrency_key = key.filter(|_| concurrency.is_some()).map(str::to_owned);
        let pinned = compiled.workflow().settings.document.get("workerPool").and_then(Value::as_str);
        Program {
            tenant,
            workflow,
            version,
            pool: pinned.map(str::to_owned),
            compiled,
            problems,
            uses_static_data: false,
            concurrency,
            concurrency_key,
            address: "".into(),
            alias,
            inline: None,
        }
    }

    /// Refuses a program that cannot run.
    pub fn runnable(self: Arc<Program>) -> Result<Arc<Program>, Error> {
        if self.problems.is_empty() { Ok(self) } else { Err(Error::NotRunnable(self.problems.clone())) }
    }

    /// What the limit of an execution that begins with these items is counted by. `None`: by the workflow alone.
    pub(super) fn concurrency_key(&self, items: &[Item]) -> Option<String> {
        let path = self.concurrency_key.as_deref()?;
        let json = items.first().map(|item| &item.json);
        let found = path.split('.').fold(json, |value, name| value?.get(name));
        let text = found.map(Value::to_js_string).unwrap_or_default();
        Some(text.chars().take(MAX_KEY).collect())
    }

    /// `settings.priority`: from -10 to 10, the higher the earlier a worker takes its executions.
    pub(super) fn priority(&self) -> i32 {
        let given = self.workflow().settings.document.get("priority").and_then(Value::as_f64).unwrap_or_default();
        (-10..=10).find(|step| f64::from(*step) >= given).unwrap_or(10)
    }

    pub fn workflow(&self) -> &Workflow {
        self.compiled.workflow()
    }
}

impl Programs {
    /// `public_url`: the address under which callers reach this server.
    pub fn new(workflows: workflows::Service, tenants: tenants::Service, public_url: &str) -> Programs {
        Programs {
            workflows,
            tenants,
            public_url: public_url.into(),
            by_version: Cache::new(CAPACITY),
            by_reference: Cache::builder().max_capacity(CAPACITY).time_to_live(REFERENCE_LIFE).build(),
        }
    }

    pub(super) fn tenants(&self) -> &tenants::Service {
        &self.tenants
    }

    /// A given version of a workflow.
    pub async fn version(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        version: WorkflowVersionId,
    ) -> Result<Arc<Program>, Error> {
        if let Some(program) = self.by_version.get(&(tenant, version)) {
            return Ok(program);
        }
        let document = self.workflows.document(tenant, version).await?;
        let address = format!("{}/t/{}", self.public_url, self.tenants.slug(tenant).await?).into();
        let program = Program::new(tenant, workflow, version, &document, address).map_err(Error::NotRunnable)?;
        let program = Arc::new(program);
        self.by_version.insert((tenant, version), Arc::clone(&program));
        Ok(program)
    }

    /// What runs when a workflow is named: its version in production, else its newest.
    pub async fn production(&self, tenant: TenantId, reference: &str) -> Result<Arc<Program>, Error> {
        let key = (tenant, reference.to_owned());
        let (workflow, version) = match self.by_reference.get(&key) {
            Some(known) => known,
            None => {
                let found = self.workflows.production_version(tenant, reference).await?;
                self.by_reference.insert(key, found);
                found
            }
        };
        self.version(tenant, workflow, version).await
    }

    /// The newest version, as a person tries it out.
    pub async fn newest(&self, tenant: TenantId, reference: &str) -> Result<Arc<Program>, Error> {
        let (workflow, version) = self.workflows.newest_version(tenant, reference).await?;
        self.version(tenant, workflow, version).await
    }
}

/// Forgets which version runs when this process changes it, and everything of a workflow that is deleted.
#[async_trait]
impl WorkflowHooks for Programs {
    async fn activating(&self, _: &Ctx, _: &Transaction, _: &Activation<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn deactivating(&self, _: &Ctx, _: &Transaction, _: WorkflowId) -> Result<(), database::Error> {
        Ok(())
    }

    async fn deleting(&self, ctx: &Ctx, transaction: &Transaction, id: WorkflowId) -> Result<(), database::Error> {
        rows::delete_of_workflow(transaction, ctx.tenant, id).await
    }

    async fn settled(&self, _: TenantId, _: WorkflowId) {
        self.by_reference.invalidate_all();
    }
}
